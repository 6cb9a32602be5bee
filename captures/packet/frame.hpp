#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "captures/base/time.hpp"

namespace captures::packet {

/// The side of the gateway on whose wire a frame was seen, or is sent.
enum class Side : std::uint8_t { outside, inside };

inline constexpr std::array both_sides{Side::outside, Side::inside};

[[nodiscard]] constexpr Side opposite(Side side) noexcept {
    return side == Side::outside ? Side::inside : Side::outside;
}

/// DLT numbers as files carry them (tcpdump.org/linktypes.html); any other value can occur and is ignored.
enum class LinkType : std::uint16_t {
    null = 0,
    ethernet = 1,
    raw_12 = 12,  // DLT_RAW itself, where a writer did not map it to 101
    raw_14 = 14,  // DLT_RAW on OpenBSD
    raw = 101,
    loop = 108,
    linux_sll = 113,
    ipv4 = 228,
    ipv6 = 229,
    linux_sll2 = 276,
};

/// What a live frame leaves to be done by whoever sends it on. Frames of files have none.
struct Offload {
    /// Of a frame that stands for several: transport payload bytes of each but the last. 0: it is just one.
    std::uint16_t segment_size = 0;
    bool size_is_guess = false;     ///< of TCP: other cuts of the stream are as good, so the next wire's size counts
    bool partial_checksum = false;  ///< the transport checksum is not computed: its field holds nothing of use

    bool operator==(const Offload&) const = default;
};

/// What lies around a frame's bytes and is of no use to anybody any more: a writer may write its own there, so that
/// the frame goes out from where it lies. Only frames of a zero-copy source have any (`Source::use_zero_copy`).
enum class Room : std::uint8_t {
    none,
    record,  ///< 16 bytes before, as in pcap
    block,   ///< 28 bytes before, the padding to a multiple of four and four bytes after, as in pcapng
};

/// One frame in somebody else's buffer. Whoever lets `data` point elsewhere leaves no `room`.
struct Frame {
    std::byte* data = nullptr;   ///< first byte of the link layer; writable, `rewrite` works in place
    std::uint32_t captured = 0;  ///< bytes that are here
    std::uint32_t length = 0;    ///< bytes that were on the wire, >= captured
    base::Time time{};           ///< as the capture says, not clamped
    std::uint64_t number = 0;    ///< 1-based position in the input; 0 for a synthesized frame
    LinkType link_type = LinkType::ethernet;
    Side side = Side::outside;  ///< where it arrived, or where it leaves
    Room room = Room::none;
    Offload offload{};

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {data, captured}; }
};

/// Frames are handled in bursts: the table look-ups of a burst overlap their cache misses.
inline constexpr std::size_t burst_capacity = 256;

struct Burst {
    std::array<Frame, burst_capacity> frames;
    std::size_t count = 0;

    [[nodiscard]] std::span<Frame> view() noexcept { return {frames.data(), count}; }
};

/// No capture format or interface delivers larger frames (libpcap's MAXIMUM_SNAPLEN); a longer one is hostile.
inline constexpr std::uint32_t largest_frame = 262144;

}  // namespace captures::packet
