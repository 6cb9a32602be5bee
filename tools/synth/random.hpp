#pragma once

#include <cstdint>

namespace tools {

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same numbers from every compiler and library, which the
/// standard distributions do not promise.
class Random {
public:
    explicit constexpr Random(std::uint64_t seed) noexcept : state_{seed} {}

    constexpr std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15;
        return mixed(state_);
    }

    /// 0 to `bound` - 1; `bound` is 1 to 2^32. Biased by at most bound / 2^32, which is nothing to test traffic.
    constexpr std::uint64_t below(std::uint64_t bound) noexcept { return (next() >> 32) * bound >> 32; }

    /// A number for a number, without any state.
    [[nodiscard]] static constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
        value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
        value = (value ^ value >> 27) * 0x94d049bb133111eb;
        return value ^ value >> 31;
    }

private:
    std::uint64_t state_;
};

}  // namespace tools
