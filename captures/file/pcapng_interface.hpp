#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <tl/expected.hpp>

#include "captures/packet/frame.hpp"

namespace captures::file {

/// From the timestamps of an interface, which count units since 1970, to Time. What Time cannot hold is taken for a
/// negative number, as clocks before 1970 leave it, or else becomes the last Time.
class TimestampScale {
public:
    __extension__ using Wide = __int128;

    /// `resolution` as in if_tsresol: units a second are 10^-n, or 2^-n if the highest bit is set.
    explicit TimestampScale(std::uint8_t resolution = 6, std::int64_t offset_seconds = 0) noexcept;

    [[nodiscard]] base::Time operator()(std::uint64_t units) const noexcept {
        if (units > limit_) return convert(units);
        return base::Time{base::Duration{static_cast<std::int64_t>(units) * nanoseconds_ + offset_}};
    }

private:
    [[nodiscard]] base::Time convert(std::uint64_t units) const noexcept;
    [[nodiscard]] Wide in_nanoseconds(Wide units) const noexcept;

    std::uint64_t limit_ = 0;       ///< up to here a multiplication does it
    std::int64_t nanoseconds_ = 0;  ///< a unit
    std::int64_t offset_;           ///< nanoseconds
    std::uint8_t resolution_;
};

/// What an Interface Description Block says.
struct PcapngInterface {
    packet::LinkType link_type = packet::LinkType::ethernet;
    packet::Side side = packet::Side::outside;
    std::uint32_t snap_length = 0;  ///< 0 is none
    TimestampScale scale;
};

/// `block` is a whole Interface Description Block, `index` its number in the section.
[[nodiscard]] tl::expected<PcapngInterface, std::string> parse_interface(std::span<const std::byte> block,
                                                                         std::size_t index, bool swapped);

}  // namespace captures::file
