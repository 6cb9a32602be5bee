#include "captures/base/checksum.hpp"

namespace captures::base {

std::uint64_t sum_of(std::span<const std::byte> bytes) noexcept {
    // Sums 32-bit words in network order; `fold` adds their halves (RFC 1071 §2 (C): wider sums are deferred carries).
    std::uint64_t sum = 0;
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 4; at += 4, left -= 4) sum += load_be32(at);
    if (left >= 2) {
        sum += load_be16(at);
        at += 2;
        left -= 2;
    }
    if (left == 1) sum += std::uint64_t{load_u8(at)} << 8;
    return sum;
}

}  // namespace captures::base
