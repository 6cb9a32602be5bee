#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace captures::base {

static_assert(std::endian::native == std::endian::little, "written for little-endian machines");

/// Loads and stores of network (big-endian) integers at any alignment.
/// The caller has checked the length; `decode` is where that happens.
[[nodiscard]] inline std::uint8_t load_u8(const std::byte* from) noexcept {
    return std::to_integer<std::uint8_t>(*from);
}

[[nodiscard]] inline std::uint16_t load_be16(const std::byte* from) noexcept {
    std::uint16_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return __builtin_bswap16(value);
}

[[nodiscard]] inline std::uint32_t load_be32(const std::byte* from) noexcept {
    std::uint32_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return __builtin_bswap32(value);
}

inline void store_u8(std::byte* to, std::uint8_t value) noexcept { *to = std::byte{value}; }

inline void store_be16(std::byte* to, std::uint16_t value) noexcept {
    value = __builtin_bswap16(value);
    std::memcpy(to, &value, sizeof value);
}

inline void store_be32(std::byte* to, std::uint32_t value) noexcept {
    value = __builtin_bswap32(value);
    std::memcpy(to, &value, sizeof value);
}

/// Loads and stores of integers in this machine's order, for file formats that carry their own byte order.
template <class T>
[[nodiscard]] T load_native(const std::byte* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
void store_native(std::byte* to, T value) noexcept {
    std::memcpy(to, &value, sizeof value);
}

}  // namespace captures::base
