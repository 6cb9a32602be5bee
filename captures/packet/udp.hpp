#pragma once

#include "captures/base/bytes.hpp"

namespace captures::packet {

/// A UDP header (RFC 768) in place; all 8 bytes are there. Setters touch no checksum.
struct UdpView {
    std::byte* at;

    static constexpr std::size_t size = 8;
    static constexpr std::size_t checksum_offset = 6;

    [[nodiscard]] std::uint16_t source_port() const noexcept { return base::load_be16(at); }
    [[nodiscard]] std::uint16_t destination_port() const noexcept { return base::load_be16(at + 2); }
    [[nodiscard]] std::uint16_t length() const noexcept { return base::load_be16(at + 4); }
    [[nodiscard]] std::uint16_t checksum() const noexcept { return base::load_be16(at + checksum_offset); }

    void set_checksum(std::uint16_t checksum) const noexcept { base::store_be16(at + checksum_offset, checksum); }
};

}  // namespace captures::packet
