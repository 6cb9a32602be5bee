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

}  // namespace policy
