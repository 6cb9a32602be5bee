#include "gateway/pipeline/tables.hpp"

namespace gateway::pipeline {

namespace {

dnat::Timeouts timeouts_of(const config::TimeoutConfig& config) noexcept {
    dnat::Timeouts timeouts;
    timeouts.tcp_idle = config.tcp_idle.value_or(timeouts.tcp_idle);
    timeouts.tcp_idle_east_west = config.tcp_idle_east_west.value_or(timeouts.tcp_idle_east_west);
    timeouts.tcp_transitory = config.tcp_transitory.value_or(timeouts.tcp_transitory);
    timeouts.udp_idle = config.udp_idle.value_or(timeouts.udp_idle);
    timeouts.fragment = config.fragment.value_or(timeouts.fragment);
    return timeouts;
}

}  // namespace

void append(dnat::RuleList& list, std::span<const policy::MappedRule> rules) {
    for (const auto& [name, listener, target] : rules) {
        list.add({.name = name,
                  .protocols = {},
                  .sources = {},
                  .destination = listener.address,
                  .destination_ports = {{listener.port, listener.port}},
                  .translated = target});
    }
}

tl::expected<std::shared_ptr<const Tables>, std::string> Tables::build(
    const config::Config& config, std::shared_ptr<const dnat::RuleList> mapped_rules) {
    auto tables = std::make_shared<Tables>();
    auto nat = dnat::RuleTable::build(config.nat_rules);
    if (!nat) return tl::unexpected(nat.error());
    tables->mapped_rules_ = std::move(mapped_rules);
    tables->nat_ = std::move(*nat);
    tables->network_ = config.network_rules;
    tables->timeouts_ = timeouts_of(config.timeouts);
    tables->instance_ = config.firewall.instance_ip;
    tables->private_ip_ = config.firewall.private_ip;
    tables->network_deny_overrides_ = config.firewall.network_deny_overrides;
    for (const auto address : config.firewall.public_ips) tables->own(address);
    if (config.firewall.private_ip) tables->own(*config.firewall.private_ip);
    tables->own(config.firewall.instance_ip);
    for (const auto& machine : config.machines) {
        auto& nsgs = tables->nsgs_[machine.private_ip.value];
        for (const auto& name : machine.nsg) {
            const auto* const nsg = config.nsg(name);
            if (nsg == nullptr)
                return tl::unexpected("virtual machine " + machine.name + " names no known NSG: " + name);
            nsgs.push_back(*nsg);
        }
    }
    return tables;
}

void Tables::own(captures::base::Ipv4Address address) {
    owned_.insert(address.value);
    owned_filter_[filter_bit(address) / 64] |= std::uint64_t{1} << filter_bit(address) % 64;
}

std::span<const policy::Nsg> Tables::nsgs_before(captures::base::Ipv4Address address) const noexcept {
    const auto found = nsgs_.find(address.value);
    if (found == nsgs_.end()) return {};
    return found->second;
}

}  // namespace gateway::pipeline
