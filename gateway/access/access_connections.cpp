#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "gateway/access/access.hpp"
#include "gateway/config/listener_limits.hpp"
#include "policy/names.hpp"

namespace gateway::access {

using captures::base::Endpoint;
using captures::base::Protocol;
using policy::AccessRecord;

namespace {

constexpr std::string_view mapped_collection = "MDC-JIT";

std::string mapped_rule_name(std::string_view machine, std::uint16_t port) {
    return fmt::format("{}-{}", machine, port);
}

}  // namespace

std::optional<policy::Refusal> Access::connect(AccessRecord& record, Allocations& allocations) const {
    record.listener.reset();
    const auto* machine = directory_.machine(record.machine);
    if (machine == nullptr) return {};
    if (const auto connection = nat_lookup_.find({machine->private_ip, record.port}, record)) {
        record.listener = connection->listener;
        return {};
    }
    if (!config_->jit.mapped_ports || config_->firewall.public_ips.empty()) return {};
    if (const auto* given = allocations.all.find(machine->name, record.port)) {
        record.listener = *given;
        return {};
    }
    if (const auto* mapped = mapped_ports_.find(machine->name, record.port); mapped != nullptr && usable(*mapped)) {
        record.listener = *mapped;
        return {};
    }
    if (mapped_ports_.all().size() + reserved_ports_.size() + allocations.own.size() >= config::most_mapped_ports) {
        return policy::Refusal{
            std::string{policy::refusal_code::no_mapped_port},
            fmt::format("No NAT rule maps port {} of machine '{}' for these sources, and {} ports of "
                        "machines have one of the firewall's already: add a NAT rule.",
                        record.port, record.machine, config::most_mapped_ports)};
    }
    record.listener = free_listener(allocations);
    if (record.listener) {
        allocations.own.push_back({machine->name, record.port, *record.listener});
        allocations.all.add(allocations.own.back());
        return {};
    }
    return policy::Refusal{
        std::string{policy::refusal_code::no_mapped_port},
        fmt::format("No NAT rule maps port {} of machine '{}' for these sources, and all of the "
                    "firewall's ports {}-{} for such machines are taken: widen mapped_ports.",
                    record.port, record.machine, config_->jit.mapped_ports->first, config_->jit.mapped_ports->last)};
}

/// Finds the ways of all open windows anew, since rules or addresses may have changed, and with them what packets are judged by.
std::vector<policy::MappedPort> Access::reconnect() {
    Allocations allocations;
    connections_.clear();
    for (const auto& open : open_) static_cast<void>(connect(*find(open.id), allocations));
    for (const auto& mapped : allocations.own) mapped_ports_.add(mapped);
    doors_ = policy::Doors{state()};
    return std::move(allocations.own);
}

/// Not one that a NAT rule of the configuration has come to listen on, nor on an address that is no longer the
/// firewall's.
bool Access::usable(Endpoint listener) const {
    const auto& addresses = config_->firewall.public_ips;
    if (std::ranges::find(addresses, listener.address) == addresses.end()) return false;
    return std::ranges::none_of(std::array{Protocol::tcp, Protocol::udp}, [&](Protocol protocol) {
        return nat_lookup_.rules().match({{{{0}, 0}, listener, protocol}}).listening;
    });
}

/// Each port is looked at once a plan: what is taken stays so until it is carried out.
std::optional<Endpoint> Access::free_listener(Allocations& allocations) const {
    const auto range = *config_->jit.mapped_ports;
    const auto& addresses = config_->firewall.public_ips;
    for (; allocations.address < addresses.size(); ++allocations.address, allocations.port = 0) {
        allocations.port = std::max<std::uint32_t>(allocations.port, range.first);
        while (allocations.port <= range.last) {
            const Endpoint listener{addresses[allocations.address], static_cast<std::uint16_t>(allocations.port++)};
            if (!allocations.all.taken(listener) && !mapped_ports_.taken(listener) && usable(listener)) return listener;
        }
    }
    return {};
}

const Endpoint* Access::mapped_port_of(const AccessRecord& record) const {
    const auto* mapped = mapped_ports_.find(record.machine, record.port);
    return mapped != nullptr && record.listener == *mapped && usable(*mapped) ? mapped : nullptr;
}

std::optional<Connection> Access::connection_of(const AccessRecord& record) const {
    if (!expiries_.contains({record.end, record.id})) return find_connection(record);
    const auto [known, is_new] = connections_.try_emplace(record.id);
    if (is_new) known->second = find_connection(record);
    return known->second;
}

std::optional<Connection> Access::find_connection(const AccessRecord& record) const {
    const auto* machine = directory_.machine(record.machine);
    if (machine == nullptr || !record.listener) return {};
    if (const auto* mapped = mapped_port_of(record)) {
        return Connection{*mapped, record.protocol.value_or(Protocol::tcp),
                          fmt::format("{}/{}", mapped_collection, mapped_rule_name(record.machine, record.port))};
    }
    return nat_lookup_.find({machine->private_ip, record.port}, record);
}

std::vector<const AccessRecord*> Access::open_records(std::optional<std::string_view> machine,
                                                      captures::base::Time now) const {
    const auto wanted = policy::to_lower(machine.value_or(""));
    std::vector<const AccessRecord*> open;
    for (auto at = open_.lower_bound({wanted, 0, {}, 0}); at != open_.end(); ++at) {
        if (machine && at->machine != wanted) break;
        const auto* one = record(at->id);
        if (one->is_open(now)) open.push_back(one);
    }
    return open;
}

std::optional<policy::MappedRule> Access::mapped_rule_of(const policy::MappedPort& mapped) const {
    const auto* machine = directory_.machine(mapped.machine);
    if (machine == nullptr || !usable(mapped.listener)) return {};
    return policy::MappedRule{
        .name = {std::string{mapped_collection}, mapped_rule_name(machine->name, mapped.port), {}, {}},
        .listener = mapped.listener,
        .target = {machine->private_ip, mapped.port}};
}

}  // namespace gateway::access
