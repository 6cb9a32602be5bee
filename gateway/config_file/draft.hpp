#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "gateway/config/config.hpp"
#include "gateway/config_file/toml_table.hpp"
#include "policy/names.hpp"

namespace gateway::config_file {

/// Names that have been used, without regard to case, each with its index in order of definition.
class Names {
public:
    /// False if the name is taken.
    bool add(std::string_view name) {
        const auto is_new = indices_.emplace(name, indices_.size()).second;
        if (is_new) names_.emplace_back(name);
        return is_new;
    }
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const {
        const auto found = indices_.find(name);
        return found == indices_.end() ? std::nullopt : std::optional{found->second};
    }
    [[nodiscard]] const std::vector<std::string>& all() const noexcept { return names_; }

private:
    policy::NameMap<std::size_t> indices_;
    std::vector<std::string> names_;
};

/// Where a rule collection stands in Azure's order of evaluation (azure/firewall: rule-processing): the parent policy's
/// groups first, then by priority of group, then of collection; classic collections are before all groups.
struct Rank {
    enum class Level : std::uint8_t { classic, parent, child };

    Level level = Level::classic;
    std::int64_t group_priority = 0;
    std::size_t group = 0;
    std::int64_t priority = 0;

    auto operator<=>(const Rank&) const = default;
};

/// What NAT and network rule collections have in common.
struct CollectionHead {
    std::string name;
    std::string group;
    std::string policy;
    Rank rank;
};

struct RuleCollectionGroup {
    std::string name;
    std::string policy;
    bool parent = false;
    std::int64_t priority = 0;
};

/// A rule with what decides when its turn comes; the stable sort keeps the order of the file where ranks are equal.
template <class Rule>
struct RankedRule {
    Rank rank;
    Rule rule;
    config::Position at;
};

template <class Rule>
void sort_by_rank(std::vector<RankedRule<Rule>>& rules) {
    std::ranges::stable_sort(rules, {}, &RankedRule<Rule>::rank);
}

/// A configuration in the making: what its sections share while they are read, in the order of `parse_config`.
struct Draft {
    explicit Draft(std::string file) : problems(std::move(file)) {}

    config::Config config;
    config::Problems problems;

    bool multiple_destination_ports = false;
    Names machines;
    Names nsgs;
    Names ip_groups;
    std::vector<std::vector<captures::base::AddressRange>> ip_group_ranges;  ///< parallel to ip_groups
    Names groups;
    std::vector<RuleCollectionGroup> group_list;  ///< parallel to groups
    Names principals;
    Names roles;             ///< custom ones
    std::size_t ranges = 0;  ///< addresses that rules name, IP groups and tags expanded; see spend_ranges

    /// did_you_mean, unless the message would only be counted: a search for each would take a hostile file minutes.
    [[nodiscard]] std::string hint(const Names& names, std::string_view name) const {
        return problems.has_most_errors() ? std::string{} : config::did_you_mean(name, names.all());
    }

    /// Counts expanded addresses, which a few bytes in a file can make many of. False, once reported, beyond the bound.
    bool spend_ranges(std::size_t count, TomlTable& where);
    [[nodiscard]] bool can_spend() const noexcept;
};

// The sections, each in config_<section>.cpp. They report to draft.problems and go on after each mistake.
void read_firewall(TomlTable& root, Draft& draft);
void read_virtual_machines(TomlTable& root, Draft& draft);
void read_timeouts(TomlTable& root, Draft& draft);
void read_limits(TomlTable& root, Draft& draft);
void read_rule_collection_groups(TomlTable& root, Draft& draft);
void read_ip_groups(TomlTable& root, Draft& draft);
void read_nat_rules(TomlTable& root, Draft& draft);
void read_network_rules(TomlTable& root, Draft& draft);
void read_service_tags(TomlTable& root, Draft& draft);
void read_nsgs(TomlTable& root, Draft& draft);
void read_jit_policies(TomlTable& root, Draft& draft);
void read_principals(TomlTable& root, Draft& draft);
void read_roles(TomlTable& root, Draft& draft);
void read_role_assignments(TomlTable& root, Draft& draft);
void read_import(TomlTable& root, Draft& draft);
/// `[jit]`, `[store]` and `[api]`.
void read_service_settings(TomlTable& root, Draft& draft);
/// `[live]`; after the firewall.
void read_live(TomlTable& root, Draft& draft);

// What several sections need.

/// Name (for messages, where there is none, "?"), priority, action and group of a rule collection. Warns of duplicates.
class CollectionHeads {
public:
    explicit CollectionHeads(Draft& draft) : draft_(&draft) {}
    [[nodiscard]] CollectionHead read(TomlTable& table);

private:
    Draft* draft_;
    Names names_;
    boost::unordered_flat_map<std::string, std::string> priorities_;  ///< group and priority -> name
    bool has_grouped_ = false;
    bool has_classic_ = false;
    bool warned_of_mix_ = false;
};

/// The union of the `protocols` of a rule, TCP first.
[[nodiscard]] std::vector<captures::base::Protocol> read_protocols(TomlTable& rule);
/// The ranges of the IP groups that a key names.
[[nodiscard]] std::vector<captures::base::AddressRange> read_ip_group_ranges(TomlTable& rule, std::string_view key,
                                                                             Draft& draft);
/// Addresses, CIDR blocks, ranges, `*` and service tags.
[[nodiscard]] std::vector<captures::base::AddressRange> resolve_addresses(
    TomlTable& rule, std::string_view key, const std::vector<Located<std::string>>& texts, Draft& draft);

}  // namespace gateway::config_file
