#include "captures/packet/link_layer.hpp"

#include "captures/base/bytes.hpp"

namespace captures::packet {

namespace {

using Content = LinkLayer::Content;

constexpr std::uint16_t ethertype_ipv6 = 0x86dd;
constexpr int most_tags = 4;

constexpr bool is_tag(std::uint16_t ethertype) noexcept {
    return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;  // 802.1Q, 802.1ad, QinQ before it
}

/// From an EtherType at `offset` on, through VLAN tags.
LinkLayer from_ethertype(const Frame& frame, std::uint32_t type_offset, std::uint32_t payload) noexcept {
    for (int tags = 0;; ++tags) {
        if (frame.captured < payload) return {Content::cut, payload};
        const auto type = base::load_be16(frame.data + type_offset);
        if (type == ethertype_ipv4) [[likely]]
            return {Content::ipv4, payload};
        if (type == ethertype_ipv6) return {Content::ipv6, payload};
        if (!is_tag(type) || tags == most_tags) return {Content::other, payload};
        type_offset = payload + 2;  // tag control information first
        payload += 4;
    }
}

LinkLayer from_version(const Frame& frame) noexcept {
    if (frame.captured == 0) return {Content::cut, 0};
    switch (base::load_u8(frame.data) >> 4) {
        case 4: return {Content::ipv4, 0};
        case 6: return {Content::ipv6, 0};
        default: return {Content::other, 0};
    }
}

/// BSD's address family, in the byte order of the machine that wrote the file (null) or of the network (loop).
LinkLayer from_family(const Frame& frame) noexcept {
    constexpr std::uint32_t header = 4;
    if (frame.captured < header) return {Content::cut, header};
    auto family = base::load_be32(frame.data);
    if (family > 0xffff) family = __builtin_bswap32(family);
    switch (family) {
        case 2: return {Content::ipv4, header};
        case 10:                                  // Linux
        case 24:                                  // NetBSD, OpenBSD
        case 28:                                  // FreeBSD
        case 30: return {Content::ipv6, header};  // Darwin
        default: return {Content::other, header};
    }
}

}  // namespace

LinkLayer parse_link_layer(const Frame& frame) noexcept {
    switch (frame.link_type) {
        case LinkType::ethernet: return from_ethertype(frame, 12, 14);
        case LinkType::linux_sll: return from_ethertype(frame, 14, 16);
        case LinkType::linux_sll2: {
            auto found = from_ethertype(frame, 0, 2);
            if (found.content == Content::cut || frame.captured < 20) return {Content::cut, 20};
            // The protocol stands first here, and tags would follow the whole header.
            if (!is_tag(base::load_be16(frame.data))) return {found.content, 20};
            return from_ethertype(frame, 22, 24);
        }
        case LinkType::null:
        case LinkType::loop: return from_family(frame);
        case LinkType::raw:
        case LinkType::raw_12:
        case LinkType::raw_14: return from_version(frame);
        case LinkType::ipv4: return {Content::ipv4, 0};
        case LinkType::ipv6: return {Content::ipv6, 0};
    }
    return {Content::other, 0};
}

}  // namespace captures::packet
