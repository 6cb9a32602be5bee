#include "captures/file/pcapng_interface.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "captures/base/byte_order.hpp"
#include "captures/file/pcapng_format.hpp"

namespace captures::file {

namespace {

constexpr std::int64_t nanoseconds_a_second = 1'000'000'000;

std::int64_t clamped(TimestampScale::Wide nanoseconds) noexcept {
    constexpr TimestampScale::Wide least = std::numeric_limits<std::int64_t>::min();
    constexpr TimestampScale::Wide most = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::clamp(nanoseconds, least, most));
}

std::optional<packet::Side> side_named(std::string_view name) noexcept {
    name = name.substr(0, name.find('\0'));
    if (name == "outside") return packet::Side::outside;
    if (name == "inside") return packet::Side::inside;
    return {};
}

std::string_view text_of(std::span<const std::byte> value) noexcept {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
}

}  // namespace

TimestampScale::TimestampScale(std::uint8_t resolution, std::int64_t offset_seconds) noexcept
    : offset_(clamped(Wide{offset_seconds} * nanoseconds_a_second)), resolution_(resolution) {
    if (resolution_ > 9) return;
    nanoseconds_ = 1;
    for (int digit = resolution_; digit < 9; ++digit) nanoseconds_ *= 10;
    const std::int64_t room = std::numeric_limits<std::int64_t>::max() - std::max<std::int64_t>(offset_, 0);
    limit_ = static_cast<std::uint64_t>(room / nanoseconds_);
}

base::Time TimestampScale::convert(std::uint64_t units) const noexcept {
    Wide nanoseconds = in_nanoseconds(units) + offset_;
    const auto as_signed = static_cast<std::int64_t>(units);
    if (as_signed < 0 && nanoseconds != clamped(nanoseconds)) nanoseconds = in_nanoseconds(as_signed) + offset_;
    return base::Time{base::Duration{clamped(nanoseconds)}};
}

TimestampScale::Wide TimestampScale::in_nanoseconds(Wide units) const noexcept {
    if ((resolution_ & 0x80) != 0) {
        const int bits = resolution_ & 0x7f;
        return units * nanoseconds_a_second >> std::min(bits, 120);
    }
    for (int digit = resolution_; digit > 9 && units != 0; --digit) units /= 10;
    return resolution_ <= 9 ? units * nanoseconds_ : units;
}

tl::expected<PcapngInterface, std::string> parse_interface(std::span<const std::byte> block, std::size_t index,
                                                           bool swapped) {
    if (block.size() < pcapng::interface_block) {
        return tl::unexpected("an interface description of " + std::to_string(block.size()) + " bytes is too short");
    }
    PcapngInterface interface;
    interface.link_type = static_cast<packet::LinkType>(base::load_ordered<std::uint16_t>(block.data() + 8, swapped));
    interface.snap_length = base::load_ordered<std::uint32_t>(block.data() + 12, swapped);

    std::optional<packet::Side> by_name;
    std::optional<packet::Side> by_description;
    std::uint8_t resolution = 6;
    std::int64_t offset_seconds = 0;
    auto options = block.subspan(16, block.size() - pcapng::interface_block);
    while (options.size() >= 4) {
        const auto code = base::load_ordered<std::uint16_t>(options.data(), swapped);
        const std::size_t length = base::load_ordered<std::uint16_t>(options.data() + 2, swapped);
        if (code == pcapng::end_of_options) break;
        if (pcapng::padded(length) > options.size() - 4) {
            return tl::unexpected("option " + std::to_string(code) + " of interface " + std::to_string(index) + " (" +
                                  std::to_string(length) + " bytes) runs past the end of its block");
        }
        const auto value = options.subspan(4, length);
        options = options.subspan(4 + pcapng::padded(length));
        if ((code == pcapng::timestamp_resolution && length != 1) ||
            (code == pcapng::timestamp_offset && length != 8)) {
            return tl::unexpected("option " + std::to_string(code) + " of interface " + std::to_string(index) +
                                  " has the wrong length " + std::to_string(length));
        }
        if (code == pcapng::interface_name) by_name = side_named(text_of(value));
        if (code == pcapng::interface_description_text) by_description = side_named(text_of(value));
        if (code == pcapng::timestamp_resolution) resolution = base::load_u8(value.data());
        if (code == pcapng::timestamp_offset) {
            offset_seconds = static_cast<std::int64_t>(base::load_ordered<std::uint64_t>(value.data(), swapped));
        }
    }
    interface.side = by_name ? *by_name
                             : by_description.value_or(index == 0 ? packet::Side::outside : packet::Side::inside);
    interface.scale = TimestampScale{resolution, offset_seconds};
    return interface;
}

}  // namespace captures::file
