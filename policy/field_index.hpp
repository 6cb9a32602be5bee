#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "policy/interval_index.hpp"
#include "policy/rule_sets.hpp"

namespace policy {

/// Which rules a packet can match, as far as one of its fields decides: an address, a port or the like, taken as a number.
///
/// Theory of operation. The numbers are cut wherever a rule begins or ends to match, so that within an interval all
/// numbers have the same set of rules. If all those sets took more memory than allowed, neighbouring intervals share
/// one set, which has the rules of them all. Such an index is not exact: a rule that it names may not match.
class FieldIndex {
public:
    struct Interval {
        std::uint32_t first = 0;
        std::uint32_t last = 0;  ///< included

        auto operator<=>(const Interval&) const = default;
    };
    /// The numbers that a rule lets match: in any order, perhaps overlapping. One that runs backwards is empty.
    using Intervals = std::vector<Interval>;

    /// `wanted[n]` is of rule n; `greatest` is the greatest number of the field; the sets take `most_bytes`, or little more.
    /// Nothing where each rule matches every number.
    [[nodiscard]] static std::optional<FieldIndex> build(std::vector<Intervals> wanted, std::uint32_t greatest,
                                                         std::size_t most_bytes);

    /// At least those rules that `number` lets match.
    [[nodiscard]] RuleSets::Set find(std::uint32_t number) const noexcept { return index_.value_at(number); }
    [[nodiscard]] const RuleSets& sets() const noexcept { return sets_; }
    [[nodiscard]] bool is_exact() const noexcept { return is_exact_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return index_.bytes() + sets_.bytes(); }  ///< of memory

private:
    FieldIndex(IntervalIndex index, RuleSets sets, bool is_exact)
        : index_(std::move(index)), sets_(std::move(sets)), is_exact_(is_exact) {}

    IntervalIndex index_;  ///< of sets
    RuleSets sets_;
    bool is_exact_;
};

}  // namespace policy
