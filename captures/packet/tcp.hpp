#pragma once

#include "captures/base/bytes.hpp"

namespace captures::packet {

/// TCP control bits (RFC 9293 §3.1).
namespace tcp_flag {
inline constexpr std::uint8_t fin = 0x01;
inline constexpr std::uint8_t syn = 0x02;
inline constexpr std::uint8_t rst = 0x04;
inline constexpr std::uint8_t psh = 0x08;
inline constexpr std::uint8_t ack = 0x10;
inline constexpr std::uint8_t urg = 0x20;
inline constexpr std::uint8_t ece = 0x40;
inline constexpr std::uint8_t cwr = 0x80;
}  // namespace tcp_flag

/// A TCP header in place; its first 20 bytes are there. Setters touch no checksum.
struct TcpView {
    std::byte* at;

    static constexpr std::size_t shortest = 20;
    static constexpr std::size_t checksum_offset = 16;

    [[nodiscard]] std::uint16_t source_port() const noexcept { return base::load_be16(at); }
    [[nodiscard]] std::uint16_t destination_port() const noexcept { return base::load_be16(at + 2); }
    [[nodiscard]] std::uint32_t sequence() const noexcept { return base::load_be32(at + 4); }
    [[nodiscard]] std::uint32_t acknowledgment() const noexcept { return base::load_be32(at + 8); }
    [[nodiscard]] std::uint8_t header_length() const noexcept {
        return static_cast<std::uint8_t>((base::load_u8(at + 12) >> 4) * 4);
    }
    [[nodiscard]] std::uint8_t flags() const noexcept { return base::load_u8(at + 13); }
    [[nodiscard]] std::uint16_t window() const noexcept { return base::load_be16(at + 14); }
    [[nodiscard]] std::uint16_t checksum() const noexcept { return base::load_be16(at + checksum_offset); }

    void set_checksum(std::uint16_t checksum) const noexcept { base::store_be16(at + checksum_offset, checksum); }
};

}  // namespace captures::packet
