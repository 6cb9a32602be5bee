#include "gateway/live/next_hop.hpp"

#include <algorithm>

namespace gateway::live {

using captures::base::Ipv4Address;

NextHops::NextHops(const Network& network) : own_{network.address}, on_link_{network.on_link} {
    hops_.push_back({on_link_, {}});
    for (const auto& route : network.routes) hops_.push_back({route.destination, route.via});
    if (network.gateway) hops_.push_back({{{0}, 0}, network.gateway});
    std::ranges::stable_sort(hops_, std::ranges::greater{}, [](const Hop& hop) { return hop.destination.length; });
}

std::optional<Ipv4Address> NextHops::of(Ipv4Address destination) const noexcept {
    if (!can_be_reached(destination)) return {};
    const auto hop = std::ranges::find_if(hops_,
                                          [&](const Hop& each) { return each.destination.contains(destination); });
    if (hop == hops_.end()) return {};
    if (!hop->via) return destination;
    return can_be_reached(*hop->via) ? hop->via : std::nullopt;
}

}  // namespace gateway::live
