#include <fmt/format.h>

#include "gateway/config_file/draft.hpp"

namespace gateway::config_file {

using captures::base::AddressRange;
using policy::NetworkRule;

namespace {

constexpr std::size_t most_network_rules = 200'000;

config::Parsed<policy::Access> parse_network_action(std::string_view text) {
    if (policy::same_name(text, "Allow")) return policy::Access::allow;
    if (policy::same_name(text, "Deny")) return policy::Access::deny;
    return tl::unexpected{fmt::format("{} is not an action; write Allow or Deny", config::in_quotes(text))};
}

/// Addresses and IP groups together; at least one of either must be named.
std::vector<AddressRange> read_side(TomlTable& table, std::string_view addresses, std::string_view groups,
                                    Draft& draft) {
    const bool names_groups = table.has(groups) && !table.is_empty_array(groups);
    if (!names_groups && (!table.has(addresses) || table.is_empty_array(addresses))) {
        table.error(fmt::format("needs {0} or {1}; write {0} = [\"*\"] for any", addresses, groups));
    }
    auto ranges = resolve_addresses(table, addresses, table.texts(addresses), draft);
    const auto grouped = read_ip_group_ranges(table, groups, draft);
    ranges.insert(ranges.end(), grouped.begin(), grouped.end());
    if (names_groups && ranges.empty() && !draft.problems.has_errors()) {
        table.warn(table.position(groups),
                   "the IP groups are empty: the rule is skipped, it does not match everything");
    }
    return ranges;
}

NetworkRule read_rule(TomlTable& table, const CollectionHead& head, policy::Access access, Draft& draft) {
    table.require({"name", "protocols", "destination_ports"});
    NetworkRule rule;
    rule.collection = head.name;
    rule.group = head.group;
    rule.firewall_policy = head.policy;
    rule.access = access;
    if (auto name = table.value("name", config::parse_rule_name)) rule.name = std::move(name->value);
    rule.protocols = read_protocols(table);
    rule.sources = read_side(table, "source_addresses", "source_ip_groups", draft);
    rule.destinations = read_side(table, "destination_addresses", "destination_ip_groups", draft);
    if (table.is_empty_array("destination_ports"))
        table.error("destination_ports", "names none; write [\"*\"] for any");
    for (const auto& ports : table.values("destination_ports", config::parse_port_range, Accept::text_or_number)) {
        rule.destination_ports.push_back(ports.value);
    }
    static_cast<void>(table.text("description"));
    table.refuse_unknown_keys();
    return rule;
}

}  // namespace

void read_network_rules(TomlTable& root, Draft& draft) {
    CollectionHeads heads{draft};
    std::vector<RankedRule<NetworkRule>> rules;
    for (auto& table : root.tables("network_rule_collection", "network rule collection")) {
        const auto head = heads.read(table);
        table.require({"action"});
        const auto action = table.value("action", parse_network_action);
        Names names;
        for (auto& rule : table.tables("rule", "network rule")) {
            if (rules.size() == most_network_rules) {
                rule.error(fmt::format("more than {} network rules; join rules, or use IP groups", most_network_rules));
                break;
            }
            const auto access = action ? action->value : policy::Access::deny;
            rules.push_back({head.rank, read_rule(rule, head, access, draft), rule.position()});
            const auto& name = rules.back().rule.name;
            if (!name.empty() && !names.add(name)) {
                rule.warn(rule.position("name"),
                          fmt::format("there is another network rule {} in this collection; logs "
                                      "cannot tell them apart",
                                      config::in_quotes(name)));
            }
        }
        table.refuse_unknown_keys();
    }
    sort_by_rank(rules);
    std::vector<NetworkRule> sorted;
    sorted.reserve(rules.size());
    for (auto& ranked : rules) sorted.push_back(std::move(ranked.rule));
    draft.config.network_rules = policy::NetworkRules{std::move(sorted)};
}

}  // namespace gateway::config_file
