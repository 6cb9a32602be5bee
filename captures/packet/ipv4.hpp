#pragma once

#include "captures/base/address.hpp"
#include "captures/base/bytes.hpp"

namespace captures::packet {

/// An IPv4 header (RFC 791 §3.1) in place. `decode` has checked that all of it is there. Setters touch no checksum:
/// outside of packet builders only `dnat/rewrite` may call them.
struct Ipv4View {
    std::byte* at;

    static constexpr std::size_t shortest = 20;

    [[nodiscard]] std::uint8_t version() const noexcept { return base::load_u8(at) >> 4; }
    [[nodiscard]] std::uint8_t header_length() const noexcept {
        return static_cast<std::uint8_t>((base::load_u8(at) & 0x0f) * 4);
    }
    [[nodiscard]] std::uint16_t total_length() const noexcept { return base::load_be16(at + 2); }
    [[nodiscard]] std::uint16_t identification() const noexcept { return base::load_be16(at + 4); }
    [[nodiscard]] bool dont_fragment() const noexcept { return (base::load_u8(at + 6) & 0x40) != 0; }
    [[nodiscard]] bool more_fragments() const noexcept { return (base::load_u8(at + 6) & 0x20) != 0; }
    [[nodiscard]] bool is_fragment() const noexcept { return (base::load_be16(at + 6) & 0x3fff) != 0; }
    /// In bytes.
    [[nodiscard]] std::uint32_t fragment_offset() const noexcept {
        return static_cast<std::uint32_t>(base::load_be16(at + 6) & 0x1fff) * 8;
    }
    [[nodiscard]] std::uint8_t ttl() const noexcept { return base::load_u8(at + 8); }
    [[nodiscard]] std::uint8_t protocol() const noexcept { return base::load_u8(at + 9); }
    [[nodiscard]] std::uint16_t checksum() const noexcept { return base::load_be16(at + 10); }
    [[nodiscard]] base::Ipv4Address source() const noexcept { return {base::load_be32(at + 12)}; }
    [[nodiscard]] base::Ipv4Address destination() const noexcept { return {base::load_be32(at + 16)}; }

    void set_ttl(std::uint8_t ttl) const noexcept { base::store_u8(at + 8, ttl); }
    void set_checksum(std::uint16_t checksum) const noexcept { base::store_be16(at + 10, checksum); }
    void set_source(base::Ipv4Address address) const noexcept { base::store_be32(at + 12, address.value); }
    void set_destination(base::Ipv4Address address) const noexcept { base::store_be32(at + 16, address.value); }
};

}  // namespace captures::packet
