#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "dnat/flat_table.hpp"
#include "dnat/nat_rule.hpp"

namespace dnat {

/// NAT rules in evaluation order, compiled for constant-time matching.
///
/// Theory of operation. A listener (destination, port, protocol) hashes to the rules that name it; among those
/// the first whose source matches wins. Sources are cut into disjoint intervals, each with the first rule that
/// covers it, so that a match is one hash look-up and one binary search however many rules there are. Where all sources
/// are alike, which is the rule, the listener's record says all in one cache line, and `prefetch` can load it early. Most of
/// what knocks has no listener at all; nearly always a filter of 16 bits a listener says so, which stays in the nearest cache. A
/// range of ports becomes a listener each; those with the same rules share their intervals, and `build` refuses rules that
/// together name more than 2,000,000 ports rather than making a table of unbounded size.
class RuleTable {
public:
    using RuleIndex = std::uint32_t;

    RuleTable() = default;

    /// `rules` in Azure's order of evaluation. The error names the rule and what is wrong with it.
    [[nodiscard]] static tl::expected<RuleTable, std::string> build(std::vector<NatRule> rules);

    struct Match {
        bool listening = false;           ///< some rule names this destination, port and protocol
        std::optional<RuleIndex> rule;    ///< the first whose source matches, too
        captures::base::Endpoint target;  ///< where that one leads
    };
    /// Starts loading what `match` will ask for.
    void prefetch(const Arrived& arrived) const noexcept {
        const auto key = key_of({arrived.tuple.destination, arrived.tuple.protocol});
        if (filter_.may_hold(key)) listeners_.prefetch(key);
    }
    [[nodiscard]] Match match(const Arrived& arrived) const noexcept {
        const auto key = key_of({arrived.tuple.destination, arrived.tuple.protocol});
        return filter_.may_hold(key) ? match(key, arrived.tuple.source.address) : Match{};
    }

    [[nodiscard]] const NatRule& rule(RuleIndex index) const noexcept { return rules_[index]; }
    [[nodiscard]] std::span<const NatRule> rules() const noexcept { return rules_; }
    [[nodiscard]] std::size_t listeners() const noexcept { return listeners_.size(); }

    /// Rules that no packet can match: earlier ones take all their sources on all their listeners, or they have none.
    [[nodiscard]] std::vector<RuleIndex> shadowed() const;

private:
    static constexpr RuleIndex no_rule = 0xffffffff;

    struct Interval {
        captures::base::Ipv4Address first;  ///< up to the next interval's first
        RuleIndex rule = no_rule;
        captures::base::Endpoint target;
    };
    struct Intervals {
        std::uint32_t begin = 0;  ///< in intervals_
        std::uint32_t count = 0;
    };
    struct Listening {
        std::uint64_t key = 0;
        Intervals intervals;
        Interval first;
    };
    static_assert(sizeof(Listening) == 32);

    /// A bit of each listener's key, which some other keys share.
    class Filter {
    public:
        Filter() : Filter{0} {}
        explicit Filter(std::size_t listeners)
            : words_(std::bit_ceil(listeners * 16 / 64 + 1)), shift_{58 - std::countr_zero(words_.size())} {}
        void add(std::uint64_t key) noexcept { words_[place_of(key) / 64] |= std::uint64_t{1} << place_of(key) % 64; }
        [[nodiscard]] bool may_hold(std::uint64_t key) const noexcept {
            return (words_[place_of(key) / 64] >> place_of(key) % 64 & 1) != 0;
        }

    private:
        [[nodiscard]] std::size_t place_of(std::uint64_t key) const noexcept {
            return key * 0x9e3779b97f4a7c15 >> shift_;
        }
        std::vector<std::uint64_t> words_;
        int shift_;
    };

    [[nodiscard]] static constexpr std::uint64_t key_of(const Listener& listener) noexcept {
        return std::uint64_t{listener.endpoint.address.value} << 24 | std::uint64_t{listener.endpoint.port} << 8 |
               static_cast<std::uint64_t>(listener.protocol);
    }
    [[nodiscard]] Match match(std::uint64_t key, captures::base::Ipv4Address source) const noexcept;
    [[nodiscard]] static std::vector<Interval> intervals_of(const std::vector<RuleIndex>& candidates,
                                                            const std::vector<NatRule>& rules);

    std::vector<NatRule> rules_;
    Filter filter_;
    FlatTable<Listening> listeners_;
    std::vector<Interval> intervals_;
};

}  // namespace dnat
