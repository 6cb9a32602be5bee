#include "policy/field_index.hpp"

#include <algorithm>
#include <span>

#include <boost/unordered/unordered_flat_map.hpp>

namespace policy {

namespace {

using Interval = FieldIndex::Interval;
using Intervals = FieldIndex::Intervals;

/// Rules that want the same numbers, as those that name one IP group do.
struct Group {
    Intervals intervals;  ///< ascending, with a gap between two
    std::vector<std::uint32_t> rules;
};

struct Hash {
    std::size_t operator()(const Intervals& intervals) const noexcept {
        std::uint64_t hash = intervals.size();
        for (const auto& [first, last] : intervals) {
            hash = (hash ^ (std::uint64_t{first} << 32 | last)) * 0x9e3779b97f4a7c15;
            hash ^= hash >> 29;
        }
        return hash;
    }
};

void join(Intervals& intervals) {
    std::erase_if(intervals, [](const Interval& one) { return one.last < one.first; });
    std::ranges::sort(intervals);
    std::size_t kept = 0;
    for (const auto& next : intervals) {
        if (kept > 0 && next.first <= std::uint64_t{intervals[kept - 1].last} + 1) {
            intervals[kept - 1].last = std::max(intervals[kept - 1].last, next.last);
        } else {
            intervals[kept++] = next;
        }
    }
    intervals.resize(kept);
}

std::vector<Group> groups_of(std::vector<Intervals> wanted) {
    boost::unordered_flat_map<Intervals, std::vector<std::uint32_t>, Hash> rules;
    for (std::uint32_t rule = 0; rule < wanted.size(); ++rule) rules[std::move(wanted[rule])].push_back(rule);
    std::vector<Group> groups;
    for (auto& [intervals, of] : rules) groups.push_back({intervals, std::move(of)});
    for (auto& group : groups) join(group.intervals);
    return groups;
}

/// Where a group begins or ceases to match. One number, so that sorting is quick.
class Edge {
public:
    Edge(std::uint32_t at, bool begins, std::uint32_t group) noexcept
        : packed_{std::uint64_t{at} << 32 | (begins ? 1U : 0U) << 31 | group} {}
    [[nodiscard]] std::uint32_t at() const noexcept { return static_cast<std::uint32_t>(packed_ >> 32); }
    [[nodiscard]] bool begins() const noexcept { return (packed_ >> 31 & 1) != 0; }
    [[nodiscard]] std::uint32_t group() const noexcept { return packed_ & 0x7fffffff; }
    auto operator<=>(const Edge&) const = default;

private:
    std::uint64_t packed_;
};

std::vector<Edge> edges_of(std::span<const Group> groups, std::uint32_t greatest) {
    std::vector<Edge> edges;
    for (std::uint32_t index = 0; index < groups.size(); ++index) {
        for (const auto& [first, last] : groups[index].intervals) {
            edges.emplace_back(first, true, index);
            if (last < greatest) edges.emplace_back(last + 1, false, index);
        }
    }
    std::ranges::sort(edges);
    return edges;
}

/// Walks over the numbers and gathers a set for each `width` intervals.
class Sweep {
public:
    Sweep(std::span<const Group> groups, RuleSets& sets, std::size_t width)
        : groups_(groups),
          sets_(&sets),
          width_(width),
          bits_(RuleSets::no_bits(sets.blocks() * RuleSets::rules_of_block)),
          changed_(sets.blocks()) {}

    /// False once the sets take more than `most_bytes`.
    [[nodiscard]] bool run(std::span<const Edge> edges, std::size_t most_bytes) {
        std::uint32_t at = 0;
        std::size_t intervals = 1;  // of those that share a set
        for (const auto& edge : edges) {
            if (edge.at() != at) {
                at = edge.at();
                if (++intervals > width_) {
                    finish_set();
                    if (sets_->bytes() > most_bytes) return false;
                    begin_ = at;
                    intervals = 1;
                }
            }
            last_group_ = edge.group();
            ++edges_;
            if (edge.begins()) {
                if (std::erase(ended_, edge.group()) == 0) set(edge.group(), true);
            } else if (at == begin_) {
                set(edge.group(), false);
            } else {
                ended_.push_back(edge.group());
            }
        }
        finish_set();
        return true;
    }
    [[nodiscard]] IntervalIndex index() const { return {starts_, values_}; }

private:
    void finish_set() {
        if (width_ == 1 && edges_ == 1) {
            const auto [step, is_new] = steps_.try_emplace(std::uint64_t{set_} << 32 | last_group_);
            if (is_new) step->second = sets_->add(bits_, set_, changed_);
            set_ = step->second;
        } else {
            set_ = sets_->add(bits_, set_, changed_);
        }
        edges_ = 0;
        std::ranges::fill(changed_, std::uint8_t{0});
        if (values_.empty() || values_.back() != set_) {
            starts_.push_back(begin_);
            values_.push_back(set_);
        }
        for (const auto group : ended_) set(group, false);
        ended_.clear();
    }
    void set(std::uint32_t group, bool matches) {
        for (const auto rule : groups_[group].rules) {
            const auto bit = std::uint64_t{1} << rule % 64;
            if (matches) {
                bits_[rule / 64] |= bit;
            } else {
                bits_[rule / 64] &= ~bit;
            }
            changed_[rule / RuleSets::rules_of_block] = 1;
        }
    }

    std::span<const Group> groups_;
    RuleSets* sets_;
    std::size_t width_;
    RuleSets::Bits bits_;                ///< of the rules that match from `begin_` on
    std::vector<std::uint8_t> changed_;  ///< blocks of `bits_` that differ from `set_`
    RuleSets::Set set_ = RuleSets::least;
    std::vector<std::uint32_t> ended_;  ///< groups of `bits_` that match no longer, but did at or after `begin_`
    std::uint32_t begin_ = 0;
    std::size_t edges_ = 0;  ///< at or after `begin_`
    std::uint32_t last_group_ = 0;
    boost::unordered_flat_map<std::uint64_t, RuleSets::Set>
        steps_;  ///< by set and the one group that begins or ends there
    std::vector<std::uint32_t> starts_;
    std::vector<std::uint32_t> values_;
};

}  // namespace

std::optional<FieldIndex> FieldIndex::build(std::vector<Intervals> wanted, std::uint32_t greatest,
                                            std::size_t most_bytes) {
    const auto rules = wanted.size();
    auto groups = groups_of(std::move(wanted));
    const Intervals all{{0, greatest}};
    auto base = RuleSets::no_bits(rules);
    std::erase_if(groups, [&](const Group& group) {
        if (group.intervals != all) return false;
        for (const auto rule : group.rules) base[rule / 64] |= std::uint64_t{1} << rule % 64;
        return true;
    });
    if (groups.empty()) return {};
    const auto edges = edges_of(groups, greatest);
    for (std::size_t width = 1;; width *= 4) {
        RuleSets sets{base};
        Sweep sweep{groups, sets, width};
        if (!sweep.run(edges, most_bytes)) continue;  // once a set has all intervals, it always succeeds
        sets.finish();
        return FieldIndex{sweep.index(), std::move(sets), width == 1};
    }
}

}  // namespace policy
