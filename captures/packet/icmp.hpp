#pragma once

#include "captures/base/bytes.hpp"

namespace captures::packet {

/// An ICMP header (RFC 792) in place; its 8 bytes are there, and behind an error the quoted IPv4 header with 8 bytes more.
struct IcmpView {
    std::byte* at;

    static constexpr std::size_t header_size = 8;
    static constexpr std::size_t quoted_transport = 8;  // RFC 792: "the first 64 bits of the original data"

    [[nodiscard]] std::uint8_t type() const noexcept { return base::load_u8(at); }
    [[nodiscard]] std::uint8_t code() const noexcept { return base::load_u8(at + 1); }
    [[nodiscard]] std::uint16_t checksum() const noexcept { return base::load_be16(at + 2); }
    [[nodiscard]] std::byte* quoted() const noexcept { return at + header_size; }

    void set_checksum(std::uint16_t checksum) const noexcept { base::store_be16(at + 2, checksum); }

    /// Destination unreachable, source quench, time exceeded, parameter problem. A redirect is not about a flow's fate,
    /// and no gateway may pass one on (RFC 1812 §5.2.7.2).
    [[nodiscard]] static constexpr bool is_error(std::uint8_t type) noexcept {
        return type == 3 || type == 4 || type == 11 || type == 12;
    }
};

}  // namespace captures::packet
