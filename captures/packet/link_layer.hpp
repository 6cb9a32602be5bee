#pragma once

#include <cstddef>
#include <cstdint>

#include "captures/packet/frame.hpp"

namespace captures::packet {

inline constexpr std::uint16_t ethertype_ipv4 = 0x0800;
inline constexpr std::size_t ethernet_size = 14;  ///< of the header, without tags

/// What a frame carries and where: Ethernet with up to four 802.1Q/802.1ad tags, Linux cooked v1 and v2, raw IP,
/// BSD null and loop. Anything else (ARP, LLC, PPPoE, MPLS, unknown link types) is `other`.
struct LinkLayer {
    enum class Content : std::uint8_t {
        ipv4,
        ipv6,
        other,
        cut,  ///< the capture ends inside the link-layer header
    };
    Content content = Content::other;
    std::uint32_t offset = 0;  ///< of the network layer
};

[[nodiscard]] LinkLayer parse_link_layer(const Frame& frame) noexcept;

}  // namespace captures::packet
