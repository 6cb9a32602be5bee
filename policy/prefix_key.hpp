#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "captures/base/address.hpp"

namespace policy {

/// A prefix of sources at one place that is asked for them, as a key of hash tables.
struct PrefixKey {
    std::uint64_t place = 0;   ///< never 0 in a key that is in a table
    std::uint64_t prefix = 0;  ///< address and length

    [[nodiscard]] static constexpr PrefixKey of(std::uint64_t place, const captures::base::Prefix& prefix) noexcept {
        return {place, std::uint64_t{prefix.address.value} << 8 | prefix.length};
    }
    bool operator==(const PrefixKey&) const = default;
    /// The finalizer of SplitMix64, which turns every bit of the input into about half of the output's.
    [[nodiscard]] constexpr std::uint64_t mixed() const noexcept {
        auto number = place * 0x9e3779b97f4a7c15 + prefix;
        number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
        number = (number ^ number >> 27) * 0x94d049bb133111eb;
        return number ^ number >> 31;
    }
};

struct PrefixKeyHash {
    using is_avalanching = void;
    [[nodiscard]] std::size_t operator()(const PrefixKey& key) const noexcept { return key.mixed(); }
};

/// Calls `visit` with each prefix that holds `address` and has one of these lengths: bit n of `lengths` stands for n.
template <class Visit>
void for_each_prefix_of(captures::base::Ipv4Address address, std::uint64_t lengths, Visit visit) {
    for (auto left = lengths; left != 0; left &= left - 1) {
        const auto length = static_cast<std::uint8_t>(std::countr_zero(left));
        visit(captures::base::Prefix{{address.value & captures::base::Prefix::mask(length)}, length});
    }
}

}  // namespace policy
