#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "captures/base/five_tuple.hpp"
#include "captures/packet/frame.hpp"
#include "captures/packet/icmp.hpp"
#include "captures/packet/ipv4.hpp"
#include "captures/packet/tcp.hpp"
#include "captures/packet/udp.hpp"

namespace captures::packet {

/// What a frame turned out to be.
enum class Kind : std::uint8_t {
    tcp,
    udp,
    icmp_error,   ///< about a TCP or UDP packet, which it quotes
    fragment,     ///< of a TCP or UDP datagram, other than the first
    unsupported,  ///< IPv6, other protocols, other ICMP
    not_ip,
    malformed,
};

/// Why a packet is malformed.
enum class Defect : std::uint8_t {
    none,
    cut_link_layer,
    cut_ip_header,
    ip_version,
    ip_header_length,
    ip_total_length,
    ip_checksum,
    martian_source,
    source_route,
    cut_transport_header,
    tcp_header_length,
    tcp_flags,
    udp_length,
    icmp_checksum,
    icmp_quote,
    tiny_fragment,
    fragment_length,
};

/// For a person: "IPv4 header checksum is wrong".
[[nodiscard]] std::string_view to_string(Defect defect) noexcept;

/// A decoded frame. One flat value, filled once; code that uses it checks no length.
///
/// Valid for all but not_ip, IPv6 and a cut link layer: `ip`. For tcp, udp: `tuple`, `transport`; for fragment and
/// icmp_error the tuple's ports are 0, and for icmp_error its addresses are the outer ones. For tcp: sequence to window.
struct Packet {
    std::byte* ip = nullptr;  ///< the IPv4 header, in the frame
    base::FiveTuple tuple;
    std::uint32_t length = 0;    ///< of the datagram on the wire, without link-layer padding
    std::uint32_t captured = 0;  ///< of these, in the frame
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgment = 0;
    std::uint32_t segment_length = 0;   ///< in sequence space: payload, SYN and FIN
    std::uint16_t window = 0;           ///< unscaled
    std::uint16_t header_length = 0;    ///< of IPv4, options included
    std::uint16_t fragment_offset = 0;  ///< bytes
    std::uint8_t tcp_flags = 0;
    std::uint8_t ttl = 0;
    bool more_fragments = false;
    bool checksum_offloaded = false;  ///< IPv4 checksum field 0, to be filled by a NIC after the capture
    Kind kind = Kind::not_ip;
    Defect defect = Defect::none;

    [[nodiscard]] bool is_segment() const noexcept { return kind == Kind::tcp || kind == Kind::udp; }
    [[nodiscard]] bool is_fragmented() const noexcept { return more_fragments || fragment_offset != 0; }
    [[nodiscard]] Ipv4View ipv4() const noexcept { return {ip}; }
    [[nodiscard]] std::byte* transport() const noexcept { return ip + header_length; }
    [[nodiscard]] TcpView tcp() const noexcept { return {transport()}; }
    [[nodiscard]] UdpView udp() const noexcept { return {transport()}; }
    [[nodiscard]] IcmpView icmp() const noexcept { return {transport()}; }
    [[nodiscard]] bool has(std::uint8_t flags) const noexcept { return (tcp_flags & flags) == flags; }

    bool operator==(const Packet&) const = default;
};

/// Looks at every length, once. Never fails: what cannot be used says why in `kind` and `defect`.
///
/// An IP total length of 0 (captures taken before TCP segmentation offload) stands for the rest of the frame; a
/// frame cut by a snapshot length is usable as long as its headers are there (20 bytes of TCP, 8 of UDP, all of an
/// ICMP error's quoted header plus 8).
void decode(const Frame& frame, Packet& packet) noexcept;

[[nodiscard]] inline Packet decode(const Frame& frame) noexcept {
    Packet packet;
    decode(frame, packet);
    return packet;
}

/// The tuple an ICMP error quotes, as the quoted packet's sender wrote it. Precondition: kind is icmp_error.
[[nodiscard]] base::FiveTuple quoted_tuple(const Packet& packet) noexcept;

/// A frame's TCP or UDP checksum over all its bytes, computed anew; nothing where the capture or the datagram is not
/// whole. For builders and tests; the packet path only updates.
[[nodiscard]] std::optional<std::uint16_t> transport_checksum(const Packet& packet) noexcept;

}  // namespace captures::packet
