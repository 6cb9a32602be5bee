#pragma once

#include <cstdint>
#include <span>

#include "captures/packet/frame.hpp"
#include "captures/packet/ipv4.hpp"

namespace captures::port {

/// In software, what an interface's offloads do: for drivers that cannot leave it to the kernel or the hardware.
///
/// A sender whose interface computes checksums puts the folded sum of the pseudo-header in the field (Linux:
/// CHECKSUM_PARTIAL) and passes segments of a stream as one frame of up to 64 KB (GSO). On a veth nothing ever
/// completes or cuts these: the peer gets them as they are.

/// TCP or UDP of an unfragmented IPv4 datagram that is all here, in place.
struct Transport {
    packet::Ipv4View ip{};
    std::byte* at = nullptr;            ///< null: there is none, and nothing else is set
    std::uint32_t offset = 0;           ///< of `at` in the frame
    std::uint32_t length = 0;           ///< bytes from `at`; for UDP as its header says
    std::uint32_t header = 0;           ///< of these, TCP's or UDP's header
    std::uint32_t checksum_offset = 0;  ///< of the field, from `at`
    bool is_tcp = false;

    explicit operator bool() const noexcept { return at != nullptr; }
    [[nodiscard]] std::uint32_t payload() const noexcept { return length - header; }
};

[[nodiscard]] Transport transport_of(const packet::Frame& frame) noexcept;

/// Puts in what the field holds while the checksum is partial.
void store_partial_checksum(const Transport& transport) noexcept;

/// Computes the TCP or UDP checksum over the frame's bytes. Anything else is left alone.
void complete_checksum(const packet::Frame& frame) noexcept;

/// For a driver that is not told: whether the checksum field holds what a partial one does.
///
/// One of 65536 complete checksums does, too. To take it for partial is safe: computed anew, an intact frame's checksum
/// is the one that it has.
[[nodiscard]] bool looks_partial(const packet::Frame& frame) noexcept;

/// The datagrams of at most `segment_size` payload bytes for which a frame with a segment_size stands, one at a time:
/// headers repeated, lengths, IP identification and TCP sequence number counted up, checksums computed, FIN and PSH
/// on the last only, CWR on the first only (RFC 3168 §6.1.2). The frame is not changed.
///
/// A frame that is neither TCP nor UDP has no segments. Nothing here allocates.
class Segments {
public:
    explicit Segments(const packet::Frame& frame) noexcept;

    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    /// Bytes of the longest, that is the first.
    [[nodiscard]] std::uint32_t longest() const noexcept { return headers_ + segment_size_; }
    /// Writes the next one and returns its length; 0 after the last. Precondition: `to` has room for the longest.
    [[nodiscard]] std::uint32_t write_next(std::span<std::byte> to) noexcept;

private:
    void finish(std::byte* segment, std::uint32_t payload) const noexcept;

    packet::Frame frame_;
    Transport transport_;
    std::uint32_t headers_ = 0;  ///< bytes before the payload
    std::uint32_t segment_size_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t next_ = 0;
};

}  // namespace captures::port
