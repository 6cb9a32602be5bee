#include "dnat/rule_table.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "dnat/rule_limits.hpp"

namespace dnat {

namespace {

using captures::base::Ipv4Address;
using captures::base::Protocol;

std::optional<std::string> error_in(const NatRule& rule) {
    if (rule.protocols.empty() && !rule.sources.empty()) return "no protocol";
    if (rule.destination_ports.empty()) return "no destination port";
    for (const auto& ports : rule.destination_ports) {
        if (ports.last < ports.first) return "destination ports run backwards";
    }
    for (const auto& range : rule.sources) {
        if (range.last < range.first) return "a source range runs backwards";
    }
    if (rule.translated.port == 0) return "translated port is 0";
    return {};
}

}  // namespace

tl::expected<RuleTable, std::string> RuleTable::build(std::vector<NatRule> rules) {
    RuleTable table;
    std::map<std::uint64_t, std::vector<RuleIndex>> candidates;
    std::size_t expanded = 0;
    for (RuleIndex index = 0; index < rules.size(); ++index) {
        const auto& rule = rules[index];
        if (const auto error = error_in(rule)) {
            return tl::unexpected("NAT rule " + to_string(rule.name) + ": " + *error);
        }
        for (const auto protocol : rule.protocols) {
            for (const auto& ports : rule.destination_ports) {
                expanded += std::size_t{ports.last} - ports.first + 1;
                if (expanded > most_listeners) {
                    return tl::unexpected("NAT rule " + to_string(rule.name) +
                                          ": all rules together listen on more than " + std::to_string(most_listeners) +
                                          " ports; name narrower ranges");
                }
                for (std::uint32_t port = ports.first; port <= ports.last; ++port) {
                    auto& list = candidates[key_of({{rule.destination, static_cast<std::uint16_t>(port)}, protocol})];
                    if (list.empty() || list.back() != index) list.push_back(index);
                }
            }
        }
    }
    std::map<std::vector<RuleIndex>, Intervals> shared;
    table.filter_ = Filter{candidates.size()};
    table.listeners_ = FlatTable<Listening>{candidates.size()};
    for (auto& [key, list] : candidates) {
        const auto [entry, is_new] = shared.try_emplace(list);
        auto& [begin, count] = entry->second;
        if (is_new) {
            const auto intervals = intervals_of(list, rules);
            begin = static_cast<std::uint32_t>(table.intervals_.size());
            count = static_cast<std::uint32_t>(intervals.size());
            table.intervals_.insert(table.intervals_.end(), intervals.begin(), intervals.end());
        }
        table.filter_.add(key);
        table.listeners_[key] = {key, entry->second, table.intervals_[begin]};
    }
    table.rules_ = std::move(rules);
    return table;
}

std::vector<RuleTable::Interval> RuleTable::intervals_of(const std::vector<RuleIndex>& candidates,
                                                         const std::vector<NatRule>& rules) {
    struct Edge {
        std::uint64_t at;  // 33 bits: a range may end at 255.255.255.255
        RuleIndex rule;
        bool begins;
    };
    std::vector<Edge> edges;
    for (const auto index : candidates) {
        for (const auto& range : rules[index].sources) {
            edges.push_back({range.first.value, index, true});
            edges.push_back({std::uint64_t{range.last.value} + 1, index, false});
        }
    }
    std::ranges::sort(edges, {}, &Edge::at);

    std::vector<Interval> intervals{{Ipv4Address{0}, no_rule, {}}};
    std::multiset<RuleIndex> covering;
    for (std::size_t next = 0; next < edges.size();) {
        const auto at = edges[next].at;
        for (; next < edges.size() && edges[next].at == at; ++next) {
            if (edges[next].begins) {
                covering.insert(edges[next].rule);
            } else {
                covering.erase(covering.find(edges[next].rule));
            }
        }
        if (at > 0xffffffff) break;
        const auto first_rule = covering.empty() ? no_rule : *covering.begin();
        if (intervals.back().rule == first_rule) continue;
        if (intervals.back().first.value == at) {
            intervals.back().rule = first_rule;
        } else {
            intervals.push_back({Ipv4Address{static_cast<std::uint32_t>(at)}, first_rule, {}});
        }
    }
    for (auto& interval : intervals) {
        if (interval.rule != no_rule) interval.target = rules[interval.rule].translated;
    }
    return intervals;
}

RuleTable::Match RuleTable::match(std::uint64_t key, Ipv4Address source) const noexcept {
    const auto* const listener = listeners_.find(key);
    if (listener == nullptr) return {};
    const auto* interval = &listener->first;
    if (const auto [begin, count] = listener->intervals; count > 1) {
        const auto* const all = &intervals_[begin];
        interval = std::upper_bound(all, all + count, source,
                                    [](Ipv4Address address, const Interval& one) { return address < one.first; }) -
                   1;
    }
    if (interval->rule == no_rule) return {true, {}, {}};
    return {true, interval->rule, interval->target};
}

std::vector<RuleTable::RuleIndex> RuleTable::shadowed() const {
    std::vector<bool> reachable(rules_.size(), false);
    for (const auto& interval : intervals_) {
        if (interval.rule != no_rule) reachable[interval.rule] = true;
    }
    std::vector<RuleIndex> found;
    for (RuleIndex index = 0; index < rules_.size(); ++index) {
        if (!reachable[index]) found.push_back(index);
    }
    return found;
}

}  // namespace dnat
