#include "policy/jit_policy.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "policy/address_set.hpp"
#include "policy/names.hpp"

namespace policy {

const captures::base::Prefix* JitPort::first_outside(std::span<const captures::base::Prefix> sources) const {
    std::vector<captures::base::AddressRange> ranges;
    std::ranges::transform(allowed_sources, std::back_inserter(ranges), &captures::base::Prefix::range);
    const AddressSet allowed{std::move(ranges)};
    const auto inside = [&](const captures::base::Prefix& source) { return allowed.contains(source.range()); };
    const auto found = std::ranges::find_if_not(sources, inside);
    return found == sources.end() ? nullptr : &*found;
}

bool JitPort::overlaps(const JitPort& other) const noexcept {
    return number == other.number && (!protocol || !other.protocol || protocol == other.protocol);
}

const JitPort* JitMachine::port(std::uint16_t number, std::optional<captures::base::Protocol> protocol) const noexcept {
    const auto found = std::ranges::find_if(
        ports, [&](const JitPort& one) { return one.number == number && (!one.protocol || one.protocol == protocol); });
    return found == ports.end() ? nullptr : &*found;
}

const JitMachine* JitPolicy::machine(std::string_view vm) const noexcept {
    const auto found = std::ranges::find_if(machines, [vm](const JitMachine& one) { return same_name(one.name, vm); });
    return found == machines.end() ? nullptr : &*found;
}

std::vector<JitFault> faults_of(const JitMachine& machine, const JitPolicy& policy) {
    using Kind = JitFault::Kind;
    std::vector<JitFault> faults;
    const auto& ports = machine.ports;
    if (ports.empty()) faults.push_back({Kind::no_ports, 0});
    if (ports.size() > most_ports) faults.push_back({Kind::too_many_ports, most_ports});
    for (std::size_t at = 0; at < std::min(ports.size(), most_ports); ++at) {
        const auto& port = ports[at];
        if (port.allowed_sources.empty()) faults.push_back({Kind::no_sources, at});
        if (port.max_duration < shortest_window || port.max_duration > longest_window) {
            faults.push_back({Kind::duration_out_of_range, at});
        }
        const auto overlaps = [&](const JitPort& other) { return other.overlaps(port); };
        if (std::ranges::any_of(std::span{ports}.first(at), overlaps)) faults.push_back({Kind::port_listed_twice, at});
    }
    if (policy.machine(machine.name) != nullptr) faults.push_back({Kind::machine_listed_twice, 0});
    if (policy.name.size() + machine.name.size() > longest_names) faults.push_back({Kind::names_too_long, 0});
    return faults;
}

}  // namespace policy
