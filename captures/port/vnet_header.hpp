#pragma once

#include <cstdint>

#include "captures/packet/frame.hpp"

namespace captures::port {

/// What precedes a frame on a packet socket with PACKET_VNET_HDR: the offload state of the kernel's buffer, in this
/// machine's byte order. `virtio_net_hdr` of linux/virtio_net.h, which is no C++.
struct VnetHeader {
    std::uint8_t flags = 0;
    std::uint8_t gso_type = 0;
    std::uint16_t header_length = 0;    ///< link layer to transport header, of a frame with segments
    std::uint16_t segment_size = 0;     ///< payload bytes
    std::uint16_t checksum_start = 0;   ///< of the transport header
    std::uint16_t checksum_offset = 0;  ///< of the field, from there

    static constexpr std::uint8_t needs_checksum = 1;
    static constexpr std::uint8_t gso_none = 0;
    static constexpr std::uint8_t gso_tcp4 = 1;
    static constexpr std::uint8_t gso_udp_fragments = 3;  ///< one datagram, for IP to fragment
    static constexpr std::uint8_t gso_udp_segments = 5;
    static constexpr std::uint8_t gso_ecn = 0x80;  ///< CWR is the first segment's alone
};
static_assert(sizeof(VnetHeader) == 10);

/// Puts what the kernel left undone in `frame.offload`, and does itself what that has no words for: a partial checksum
/// elsewhere than in the transport header of plain IPv4, as inside a tunnel. False: nobody can know what the frame
/// stands for.
[[nodiscard]] bool take_offload(const VnetHeader& header, packet::Frame& frame) noexcept;

/// The other way round, for a frame to send: writes the header and, in place, the checksum field. Takes off a trailer that
/// the kernel would take for payload. False: the frame has no segments to be cut into.
[[nodiscard]] bool hand_offload(packet::Frame& frame, VnetHeader& header) noexcept;

}  // namespace captures::port
