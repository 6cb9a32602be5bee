#pragma once

#include <optional>
#include <vector>

#include "captures/base/address.hpp"

namespace gateway::live {

/// `[[live.route]]`: what is behind a router other than the default one.
struct StaticRoute {
    captures::base::Prefix destination;
    captures::base::Ipv4Address via;

    bool operator==(const StaticRoute&) const = default;
};

/// The network that one side of the gateway is on, and what is behind it.
struct Network {
    captures::base::Ipv4Address address;  ///< the side's own
    captures::base::Prefix on_link;
    std::optional<captures::base::Ipv4Address> gateway{};
    std::vector<StaticRoute> routes{};
};

/// Whether a single host can have an address: not 0/8, 127/8, multicast or 240/4 (RFC 1812 §5.3.7).
[[nodiscard]] constexpr bool is_host(captures::base::Ipv4Address address) noexcept {
    const auto first = address.value >> 24;
    return first != 0 && first != 127 && first < 224;
}

/// Whether one host on a link can have an address: broadcast addresses are nobody's (RFC 919; a /31 has none, RFC
/// 3021).
[[nodiscard]] constexpr bool is_neighbour(captures::base::Ipv4Address address,
                                          captures::base::Prefix on_link) noexcept {
    const auto link = on_link.range();
    return is_host(address) && (on_link.length >= 31 || (address != link.first && address != link.last));
}

/// Where a datagram goes next, on one side.
///
/// The longest prefix wins (RFC 1812 §5.2.4.3), of equals what is on the link, then the route named first. A router
/// need not be within the prefix on the link (a /32 with a gateway is common in clouds): it is asked for there all the
/// same. The list is short, so it is walked.
class NextHops {
public:
    explicit NextHops(const Network& network);

    /// Empty: unreachable. That are also destinations that no single host has, the side's own address, and all that is
    /// behind a router with such an address.
    [[nodiscard]] std::optional<captures::base::Ipv4Address> of(captures::base::Ipv4Address destination) const noexcept;

private:
    struct Hop {
        captures::base::Prefix destination;
        std::optional<captures::base::Ipv4Address> via;  ///< empty: on the link
    };

    [[nodiscard]] bool can_be_reached(captures::base::Ipv4Address address) const noexcept {
        return address != own_ && is_neighbour(address, on_link_);
    }

    captures::base::Ipv4Address own_;
    captures::base::Prefix on_link_;
    std::vector<Hop> hops_;  ///< longest first
};

}  // namespace gateway::live
