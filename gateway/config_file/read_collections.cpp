#include <fmt/format.h>

#include "gateway/config_file/draft.hpp"

namespace gateway::config_file {

using captures::base::AddressRange;
using captures::base::Protocol;

namespace {

constexpr std::int64_t least_priority = 100;  // of collections and groups (API: InclusiveMinimum, InclusiveMaximum)
constexpr std::int64_t most_priority = 65000;
constexpr std::size_t most_ip_groups = 200;  // azure/firewall: limits
constexpr std::size_t most_ip_group_entries = 5000;
constexpr std::size_t most_ranges = 4'000'000;  // 32 MiB

}  // namespace

bool Draft::spend_ranges(std::size_t count, TomlTable& where) {
    const bool was_within = ranges <= most_ranges;
    ranges += count;
    if (ranges <= most_ranges) return true;
    if (was_within) {
        where.error(
            fmt::format("all rules up to this one name more than {} addresses, IP groups and tags expanded; "
                        "use wider blocks or fewer rules",
                        most_ranges));
    }
    return false;
}

bool Draft::can_spend() const noexcept { return ranges <= most_ranges; }

void read_rule_collection_groups(TomlTable& root, Draft& draft) {
    boost::unordered_flat_map<std::string, std::string> priorities;
    for (auto& table : root.tables("rule_collection_group", "rule collection group")) {
        table.require({"name", "priority"});
        RuleCollectionGroup group;
        const auto name = table.value("name", config::parse_resource_name);
        if (const auto policy = table.value("firewall_policy", config::parse_resource_name))
            group.policy = policy->value;
        group.parent = table.boolean("parent").value_or(false);
        group.priority = table.integer("priority", least_priority, most_priority).value_or(most_priority);
        table.refuse_unknown_keys();
        if (!name) continue;
        group.name = name->value;
        if (!draft.groups.add(group.name)) {
            table.error("name",
                        fmt::format("there is another group {}; names are unique", config::in_quotes(group.name)));
            continue;
        }
        const auto key = fmt::format("{} {} {}", group.parent, group.priority, policy::to_lower(group.policy));
        if (const auto [other, is_new] = priorities.emplace(key, group.name); !is_new) {
            table.warn(table.position("priority"),
                       fmt::format("group {} has the priority of {}; Azure wants each of a policy's groups to have its "
                                   "own. Here the order of the file decides",
                                   config::in_quotes(group.name), config::in_quotes(other->second)));
        }
        draft.group_list.push_back(std::move(group));
    }
}

void read_ip_groups(TomlTable& root, Draft& draft) {
    for (auto& table : root.tables("ip_group", "IP group")) {
        table.require({"name", "ip_addresses"});
        std::vector<AddressRange> ranges;
        for (const auto& range : table.values("ip_addresses", config::parse_range)) ranges.push_back(range.value);
        if (ranges.size() > most_ip_group_entries) {
            table.error("ip_addresses",
                        fmt::format("more than {} entries; Azure allows no more", most_ip_group_entries));
            ranges.clear();
        }
        const auto name = table.value("name", config::parse_resource_name);
        table.refuse_unknown_keys();
        if (!name) continue;
        if (!draft.ip_groups.add(name->value)) {
            table.error("name",
                        fmt::format("there is another IP group {}; names are unique", config::in_quotes(name->value)));
            continue;
        }
        draft.ip_group_ranges.push_back(std::move(ranges));
        if (draft.ip_group_ranges.size() == most_ip_groups + 1) {
            table.error(fmt::format("more than {} IP groups; Azure allows no more", most_ip_groups));
        }
    }
}

CollectionHead CollectionHeads::read(TomlTable& table) {
    CollectionHead head{.name = "?", .group = {}, .policy = {}, .rank = {}};
    table.require({"name", "priority"});
    const auto name = table.value("name", config::parse_resource_name);
    if (name) head.name = name->value;
    const auto priority = table.integer("priority", least_priority, most_priority);
    head.rank.priority = priority.value_or(most_priority);
    if (const auto group_name = table.text("rule_collection_group")) {
        if (const auto index = draft_->groups.find(group_name->value)) {
            const auto& group = draft_->group_list[*index];
            head.group = group.name;
            head.policy = group.policy;
            head.rank = {.level = group.parent ? Rank::Level::parent : Rank::Level::child,
                         .group_priority = group.priority,
                         .group = *index,
                         .priority = head.rank.priority};
        } else {
            table.error("rule_collection_group",
                        fmt::format("there is no rule_collection_group {}{}", config::in_quotes(group_name->value),
                                    draft_->hint(draft_->groups, group_name->value)));
        }
    }
    (head.rank.level == Rank::Level::classic ? has_classic_ : has_grouped_) = true;
    if (has_grouped_ && has_classic_ && !std::exchange(warned_of_mix_, true)) {
        table.warn(table.position(),
                   "some rule collections are in a rule_collection_group and some are not; Azure has "
                   "one or the other. Here those without are evaluated first");
    }
    if (!name || !priority) return head;
    if (!names_.add(fmt::format("{}/{}", head.group, head.name))) {
        table.warn(table.position("name"),
                   fmt::format("there is another rule collection {}; logs cannot tell them apart",
                               config::in_quotes(head.name)));
    }
    const auto key = fmt::format("{} {}", head.rank.priority, policy::to_lower(head.group));
    if (const auto [other, is_new] = priorities_.emplace(key, head.name); !is_new) {
        table.warn(table.position("priority"),
                   fmt::format("rule collection {} has the priority of {}; Azure wants each to have its own. Here the "
                               "order of the file decides",
                               config::in_quotes(head.name), config::in_quotes(other->second)));
    }
    return head;
}

std::vector<Protocol> read_protocols(TomlTable& rule) {
    bool tcp = false;
    bool udp = false;
    for (const auto& [protocols, at] : rule.values("protocols", config::parse_protocols)) {
        for (const auto protocol : protocols) (protocol == Protocol::tcp ? tcp : udp) = true;
    }
    if (rule.is_empty_array("protocols")) rule.error("protocols", "names none; write TCP, UDP or both");
    std::vector<Protocol> result;
    if (tcp) result.push_back(Protocol::tcp);
    if (udp) result.push_back(Protocol::udp);
    return result;
}

std::vector<AddressRange> read_ip_group_ranges(TomlTable& rule, std::string_view key, Draft& draft) {
    std::vector<AddressRange> ranges;
    for (const auto& [name, at] : rule.texts(key)) {
        const auto index = draft.ip_groups.find(name);
        if (!index) {
            rule.error(
                key, at,
                fmt::format("there is no ip_group {}{}", config::in_quotes(name), draft.hint(draft.ip_groups, name)));
            continue;
        }
        const auto& group = draft.ip_group_ranges[*index];
        if (draft.spend_ranges(group.size(), rule)) ranges.insert(ranges.end(), group.begin(), group.end());
    }
    return ranges;
}

std::vector<AddressRange> resolve_addresses(TomlTable& rule, std::string_view key,
                                            const std::vector<Located<std::string>>& texts, Draft& draft) {
    std::vector<AddressRange> ranges;
    for (const auto& [text, at] : texts) {
        if (!draft.can_spend()) break;
        const auto resolved = draft.config.service_tags.resolve(text);
        if (!resolved) {
            // Digits begin an address, anything else would be a tag.
            const bool is_tag = !text.empty() &&
                                text.find_first_not_of("0123456789abcdefABCDEF.:/-") != std::string::npos;
            rule.error(key, at,
                       is_tag ? fmt::format("{} is no known service tag; known are VirtualNetwork, AzureLoadBalancer "
                                            "and Internet, others must be given as addresses",
                                            config::in_quotes(text))
                              : config::parse_range(text).error());
            continue;
        }
        if (draft.spend_ranges(resolved->size(), rule)) ranges.insert(ranges.end(), resolved->begin(), resolved->end());
    }
    return ranges;
}

}  // namespace gateway::config_file
