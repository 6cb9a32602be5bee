#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace policy {

/// All numbers of 32 bits cut into intervals, each with a value.
///
/// Theory of operation. A static search tree of cache lines. A leaf has eight intervals, starts and values together; the
/// lines above have the first starts of sixteen lines below, up to one line that leads to all. A search reads one line a
/// level and counts the starts in it that are not beyond the number, without a branch to mispredict: four lines for 30,000
/// intervals, where a binary search would wait for memory some ten times.
class IntervalIndex {
public:
    /// Interval n begins at `starts[n]` and has `values[n]`. Precondition: as many of both; the starts ascend from 0.
    IntervalIndex(const std::vector<std::uint32_t>& starts, const std::vector<std::uint32_t>& values);

    [[nodiscard]] std::uint32_t value_at(std::uint32_t number) const noexcept {
        if (number == unused) return last_;
        std::size_t at = 0;
        for (const auto first_line : levels_) at = at * fanout + place_in(lines_[first_line + at].starts, number);
        const auto& leaf = leaves_[at];
        return leaf.values[place_in(leaf.starts, number)];
    }

    /// Of memory.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return lines_.size() * sizeof(Line) + leaves_.size() * sizeof(Leaf);
    }

private:
    static constexpr std::size_t fanout = 16;
    static constexpr std::size_t leaf_size = 8;
    static constexpr std::uint32_t unused =
        0xffffffff;  ///< start of what a line does not have, beyond all numbers but itself
    struct alignas(64) Line {
        std::array<std::uint32_t, fanout> starts;
    };
    struct alignas(64) Leaf {
        std::array<std::uint32_t, leaf_size> starts;
        std::array<std::uint32_t, leaf_size> values;
    };

    template <std::size_t size>
    [[nodiscard]] static std::size_t place_in(const std::array<std::uint32_t, size>& starts,
                                              std::uint32_t number) noexcept {
        std::uint32_t begun = 0;
        for (const auto start : starts) begun += start <= number ? 1 : 0;
        return begun - 1;
    }

    std::vector<std::size_t> levels_;  ///< first lines of the levels above the leaves, the highest level first
    std::vector<Line> lines_;
    std::vector<Leaf> leaves_;
    std::uint32_t last_;  ///< value at the highest number
};

}  // namespace policy
