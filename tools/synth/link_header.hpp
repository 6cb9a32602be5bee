#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "captures/base/address.hpp"
#include "captures/packet/frame.hpp"

namespace tools {

struct VlanTag {
    std::uint16_t ethertype = 0x8100;  ///< 802.1Q, or 0x88a8 for the outer tag of 802.1ad
    std::uint16_t control = 0;         ///< priority (3 bits), drop eligible (1), identifier (12)
};

/// What stands before the network layer.
struct LinkHeader {
    captures::packet::LinkType type = captures::packet::LinkType::ethernet;
    std::uint16_t ethertype = 0x0800;
    std::vector<VlanTag> tags;  ///< outermost first; for link types with an EtherType
    /// MAC addresses are 02:00 and these: the same host has the same MAC in every frame.
    captures::base::Ipv4Address source;
    captures::base::Ipv4Address destination;
};

/// Raw IP and unknown link types have no header at all.
[[nodiscard]] std::vector<std::byte> link_header_bytes(const LinkHeader& header);

}  // namespace tools
