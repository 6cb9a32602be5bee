#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "captures/base/address.hpp"
#include "captures/base/bytes.hpp"

namespace captures::base {

/// The Internet checksum: one's complement arithmetic on 16-bit words (RFC 1071). All values in host order.

/// Folds a sum of 16-bit words to 16 bits. Halves are added by adding the whole to itself, rotated: the upper half is
/// then their sum and the carry that comes around. Only a sum of 0 folds to 0.
[[nodiscard]] constexpr std::uint16_t fold(std::uint64_t sum) noexcept {
    const auto half = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
    return static_cast<std::uint16_t>((half + std::rotl(half, 16)) >> 16);
}

/// The unfolded sum of the words of `bytes`; an odd last byte is padded with zero.
[[nodiscard]] std::uint64_t sum_of(std::span<const std::byte> bytes) noexcept;

/// What a header's checksum field must hold when it was zero while summing.
[[nodiscard]] inline std::uint16_t checksum_of(std::span<const std::byte> bytes) noexcept {
    return static_cast<std::uint16_t>(~fold(sum_of(bytes)));
}

/// Whether a block that includes its checksum field is intact.
[[nodiscard]] inline bool checksum_holds(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() == 20) [[likely]] {
        // An IPv4 header without options. All ones read the same in either byte order (RFC 1071 §2 (B)).
        const auto* const at = bytes.data();
        return fold(std::uint64_t{load_native<std::uint32_t>(at)} + load_native<std::uint32_t>(at + 4) +
                    load_native<std::uint32_t>(at + 8) + load_native<std::uint32_t>(at + 12) +
                    load_native<std::uint32_t>(at + 16)) == 0xffff;
    }
    return fold(sum_of(bytes)) == 0xffff;
}

/// The sum of a TCP or UDP pseudo-header (RFC 9293 §3.1, RFC 768).
[[nodiscard]] constexpr std::uint64_t pseudo_header_sum(Ipv4Address source, Ipv4Address destination,
                                                        std::uint8_t protocol, std::uint16_t length) noexcept {
    return std::uint64_t{source.value >> 16} + (source.value & 0xffff) + (destination.value >> 16) +
           (destination.value & 0xffff) + protocol + length;
}

/// How much a set of word replacements changes a sum: RFC 1624 eqn. 3, ~m + m' for each replaced word.
class ChecksumDelta {
public:
    constexpr ChecksumDelta() = default;
    explicit constexpr ChecksumDelta(std::uint16_t folded) noexcept : sum_{folded} {}

    constexpr ChecksumDelta& replace16(std::uint16_t old_word, std::uint16_t new_word) noexcept {
        sum_ += static_cast<std::uint16_t>(~old_word);
        sum_ += new_word;
        return *this;
    }
    constexpr ChecksumDelta& replace32(std::uint32_t old_value, std::uint32_t new_value) noexcept {
        replace16(static_cast<std::uint16_t>(old_value >> 16), static_cast<std::uint16_t>(new_value >> 16));
        return replace16(static_cast<std::uint16_t>(old_value), static_cast<std::uint16_t>(new_value));
    }

    /// All replacements of both.
    constexpr ChecksumDelta& operator+=(const ChecksumDelta& other) noexcept {
        sum_ += other.sum_;
        return *this;
    }

    [[nodiscard]] constexpr std::uint64_t sum() const noexcept { return sum_; }
    [[nodiscard]] constexpr std::uint16_t folded() const noexcept { return fold(sum_); }
    /// The delta of the opposite replacements.
    [[nodiscard]] constexpr ChecksumDelta reversed() const noexcept {
        return ChecksumDelta{static_cast<std::uint16_t>(~folded())};
    }

private:
    std::uint64_t sum_ = 0;
};

/// A checksum field after the replacements of `delta`: HC' = ~(~HC + ~m + m'). A wrong checksum stays wrong by as much.
[[nodiscard]] constexpr std::uint16_t updated(std::uint16_t checksum, ChecksumDelta delta) noexcept {
    return static_cast<std::uint16_t>(~fold(std::uint64_t{static_cast<std::uint16_t>(~checksum)} + delta.sum()));
}

/// The same for UDP, where 0 means "none" and stays, and a computed 0 is sent as 0xffff (RFC 768).
[[nodiscard]] constexpr std::uint16_t updated_udp(std::uint16_t checksum, ChecksumDelta delta) noexcept {
    if (checksum == 0) return 0;
    const auto result = updated(checksum, delta);
    return result == 0 ? std::uint16_t{0xffff} : result;
}

}  // namespace captures::base
