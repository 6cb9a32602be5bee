#include "policy/network_rules.hpp"

#include <algorithm>

namespace policy {

bool NetworkRule::matches(const captures::base::FiveTuple& tuple) const noexcept {
    const auto has = [](captures::base::Ipv4Address address) {
        return [address](const captures::base::AddressRange& range) { return range.contains(address); };
    };
    return std::ranges::find(protocols, tuple.protocol) != protocols.end() &&
           std::ranges::any_of(sources, has(tuple.source.address)) &&
           std::ranges::any_of(destinations, has(tuple.destination.address)) &&
           std::ranges::any_of(destination_ports,
                               [port = tuple.destination.port](const captures::base::PortRange& range) {
                                   return range.contains(port);
                               });
}

const NetworkRule* NetworkRules::match(const captures::base::FiveTuple& tuple) const noexcept {
    const auto rule = std::ranges::find_if(rules_, [&](const NetworkRule& one) { return one.matches(tuple); });
    return rule == rules_.end() ? nullptr : &*rule;
}

}  // namespace policy
