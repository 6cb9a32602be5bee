#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "captures/packet/frame.hpp"

namespace gateway::live {

/// The least that every link takes (RFC 791): the longest header and 8 bytes.
inline constexpr std::uint32_t least_mtu = 68;

/// An IPv4 datagram in fragments, one at a time and in order (RFC 791 §3.2), each with the Ethernet header before it.
///
/// Options that say so are repeated in all, the others are in the first only. A fragment is cut as a datagram is:
/// offsets count on, and only what ends the datagram has no more-fragments flag. The frame is not changed.
///
/// Precondition: untagged Ethernet, an IPv4 header whose lengths fit the captured bytes, without DF; its
/// transport checksum is complete.
class Fragmenter {
public:
    Fragmenter(const captures::packet::Frame& frame, std::uint32_t mtu) noexcept;

    /// Writes the next one and returns its length; 0 after the last. Precondition: `to` has room for an Ethernet header
    /// and the MTU.
    [[nodiscard]] std::uint32_t write_next(std::span<std::byte> to) noexcept;

private:
    void copy_later_options(const std::byte* ip, std::uint32_t length) noexcept;

    captures::packet::Frame frame_;
    std::uint32_t mtu_;
    std::uint32_t header_ = 0;   ///< of the next fragment
    std::uint32_t payload_ = 0;  ///< of all
    std::uint32_t done_ = 0;     ///< of these
    std::uint32_t start_ = 0;    ///< of the payload, in the frame
    std::uint16_t offset_ = 0;   ///< of the first, in units of 8 bytes
    bool more_ = false;          ///< after the last
    std::array<std::byte, 40> later_options_{};
    std::uint32_t later_header_ = 0;
};

}  // namespace gateway::live
