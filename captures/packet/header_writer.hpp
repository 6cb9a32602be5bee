#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "captures/base/address.hpp"
#include "captures/base/five_tuple.hpp"

namespace captures::packet {

/// Headers of packets that are made here: those that pass are only rewritten (`dnat/rewrite`). A span is the whole
/// header; what is in it beyond the fixed part are options, which stay as they are.

struct Ipv4Fields {
    static constexpr std::uint16_t dont_fragment = 0x4000;
    static constexpr std::uint16_t more_fragments = 0x2000;

    base::Ipv4Address source;
    base::Ipv4Address destination;
    std::uint8_t protocol = 0;
    std::uint8_t type_of_service = 0;
    std::uint16_t total_length = 0;
    std::uint16_t identification = 0;
    std::uint16_t fragment = dont_fragment;  ///< flags, and the offset in units of 8 bytes
    std::uint8_t ttl = 64;
};

/// RFC 791 §3.1. 20 to 60 bytes, a multiple of 4; with its checksum.
void write_ipv4(std::span<std::byte> header, const Ipv4Fields& fields) noexcept;
/// Of a header that is complete but for its checksum.
void write_ipv4_checksum(std::span<std::byte> header) noexcept;

struct TcpFields {
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgment = 0;
    std::uint8_t flags = 0;  ///< of `tcp_flag`
    std::uint16_t window = 0;
};

/// RFC 9293 §3.1. 20 to 60 bytes, a multiple of 4; without checksum, which needs the payload.
void write_tcp(std::span<std::byte> header, const TcpFields& fields) noexcept;

/// RFC 768. 8 bytes, without checksum.
void write_udp(std::byte* header, std::uint16_t source_port, std::uint16_t destination_port,
               std::uint16_t length) noexcept;

/// RFC 792. 8 bytes, without checksum. `rest` is the last 4, whose meaning depends on the type.
void write_icmp(std::byte* header, std::uint8_t type, std::uint8_t code, std::uint32_t rest) noexcept;

/// What the checksum field must hold when it was zero while summing; the segment is the TCP or UDP header and its
/// payload. For UDP never 0, which stands for "none" (RFC 768).
[[nodiscard]] std::uint16_t transport_checksum(base::Ipv4Address source, base::Ipv4Address destination,
                                               base::Protocol protocol, std::span<const std::byte> segment) noexcept;

}  // namespace captures::packet
