#pragma once

#include <concepts>
#include <cstddef>

#include "captures/base/bytes.hpp"

namespace captures::base {

/// Loads an integer of a file that was written by a machine of this byte order, or of the other one.
template <std::unsigned_integral T>
[[nodiscard]] inline T load_ordered(const std::byte* from, bool swapped) noexcept {
    const T value = load_native<T>(from);
    if (!swapped) return value;
    if constexpr (sizeof(T) == 2) {
        return __builtin_bswap16(value);
    } else if constexpr (sizeof(T) == 4) {
        return __builtin_bswap32(value);
    } else {
        return __builtin_bswap64(value);
    }
}

}  // namespace captures::base
