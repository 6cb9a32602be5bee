#pragma once

#include <cstddef>
#include <cstdint>

/// Numbers of draft-ietf-opsawg-pcapng, for its reader and its writer.
namespace captures::file::pcapng {

inline constexpr std::uint32_t section_header = 0x0a0d0d0a;  // reads the same in both byte orders
inline constexpr std::uint32_t interface_description = 1;
inline constexpr std::uint32_t obsolete_packet = 2;
inline constexpr std::uint32_t simple_packet = 3;
inline constexpr std::uint32_t enhanced_packet = 6;

inline constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;

/// Sizes of blocks without options and packet bytes.
inline constexpr std::size_t smallest_block = 12;
inline constexpr std::size_t section_block = 28;
inline constexpr std::size_t interface_block = 20;
inline constexpr std::size_t obsolete_block = 32;
inline constexpr std::size_t simple_block = 16;
inline constexpr std::size_t enhanced_block = 32;
inline constexpr std::size_t trailer = 4;  ///< the block's length again

/// Options; the same number means different things in different blocks.
inline constexpr std::uint16_t end_of_options = 0;
inline constexpr std::uint16_t comment = 1;
inline constexpr std::uint16_t section_application = 4;
inline constexpr std::uint16_t interface_name = 2;
inline constexpr std::uint16_t packet_flags = 2;
inline constexpr std::uint16_t interface_description_text = 3;
inline constexpr std::uint16_t timestamp_resolution = 9;
inline constexpr std::uint16_t timestamp_offset = 14;

[[nodiscard]] constexpr std::size_t padded(std::size_t bytes) noexcept { return (bytes + 3) & ~std::size_t{3}; }

}  // namespace captures::file::pcapng
