#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <tl/expected.hpp>

#include "dnat/nat_rule.hpp"

namespace dnat {

/// NAT rules in evaluation order, compiled for constant-time matching.
///
/// Theory of operation. A listener (destination, port, protocol) hashes to the rules that name it; among those
/// the first whose source matches wins. Sources are cut into disjoint intervals, each with the first rule that
/// covers it, so that a match is one hash look-up and one binary search however many rules there are. A range of
/// ports becomes a listener each; those with the same rules share their intervals, and `build` refuses rules that
/// together name more than 2,000,000 ports rather than making a table of unbounded size.
class RuleTable {
public:
    using RuleIndex = std::uint32_t;

    RuleTable() = default;

    /// `rules` in Azure's order of evaluation. The error names the rule and what is wrong with it.
    [[nodiscard]] static tl::expected<RuleTable, std::string> build(std::vector<NatRule> rules);

    struct Match {
        bool listening = false;         ///< some rule names this destination, port and protocol
        std::optional<RuleIndex> rule;  ///< the first whose source matches, too
    };
    [[nodiscard]] Match match(const Arrived& arrived) const noexcept;

    [[nodiscard]] const NatRule& rule(RuleIndex index) const noexcept { return rules_[index]; }
    [[nodiscard]] std::span<const NatRule> rules() const noexcept { return rules_; }
    [[nodiscard]] std::size_t listeners() const noexcept { return listeners_.size(); }

    struct Mapping {
        RuleIndex rule = 0;
        captures::Endpoint listener;
    };
    /// Where `source` must connect to reach `target`: the first rule that can take it there, and the rule's first port
    /// on which no earlier one takes it elsewhere. For connection information; not for the packet path.
    [[nodiscard]] std::optional<Mapping> mapping_to(captures::Endpoint target, captures::Protocol protocol,
                                                    captures::Ipv4Address source) const noexcept;

    /// Rules that no packet can match: earlier ones take all their sources on all their listeners, or they have none.
    [[nodiscard]] std::vector<RuleIndex> shadowed() const;

private:
    struct Interval {
        captures::Ipv4Address first;  ///< up to the next interval's first
        RuleIndex rule = no_rule;
    };
    using Intervals = std::vector<Interval>;

    static constexpr RuleIndex no_rule = 0xffffffff;

    [[nodiscard]] static Intervals intervals_of(const std::vector<RuleIndex>& candidates,
                                                const std::vector<NatRule>& rules);

    std::vector<NatRule> rules_;
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> listeners_;  ///< -> index into lists_
    std::vector<Intervals> lists_;
};

}  // namespace dnat
