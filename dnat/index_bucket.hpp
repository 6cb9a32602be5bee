#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace dnat {

/// A place of the flow table's index.
struct IndexSlot {
    std::uint32_t hash = 0;
    std::uint32_t place = 0;  ///< flow index plus one; 0: empty
};

inline constexpr std::uint32_t slots_of_bucket = 8;
static_assert(slots_of_bucket * sizeof(IndexSlot) == 64, "a bucket is a cache line");

/// Bit n: slot n of a bucket has this hash.
[[nodiscard]] inline std::uint32_t matches_one_by_one(const IndexSlot* bucket, std::uint32_t hash) noexcept {
    std::uint32_t matches = 0;
    for (std::uint32_t slot = 0; slot < slots_of_bucket; ++slot) {
        matches |= (bucket[slot].hash == hash ? 1U : 0U) << slot;
    }
    return matches;
}

/// The same, with the vector instructions that every x86-64 has. Precondition: the bucket begins a cache line.
[[nodiscard]] inline std::uint32_t matches_in(const IndexSlot* bucket, std::uint32_t hash) noexcept {
    assert(reinterpret_cast<std::uintptr_t>(bucket) % 64 == 0);
#if defined(__SSE2__)
    const auto hashes = [bucket](std::size_t at) {  // of four slots
        const auto* const from = reinterpret_cast<const float*>(bucket + at);
        return _mm_castps_si128(_mm_shuffle_ps(_mm_load_ps(from), _mm_load_ps(from + 4), _MM_SHUFFLE(2, 0, 2, 0)));
    };
    const auto wanted = _mm_set1_epi32(static_cast<int>(hash));
    const auto equal = _mm_packs_epi32(_mm_cmpeq_epi32(hashes(0), wanted), _mm_cmpeq_epi32(hashes(4), wanted));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
#else
    return matches_one_by_one(bucket, hash);
#endif
}

}  // namespace dnat
