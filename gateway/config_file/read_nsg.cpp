#include <fmt/format.h>

#include "gateway/config_file/draft.hpp"

namespace gateway::config_file {

using captures::base::AddressRange;
using captures::base::PortRange;
using policy::SecurityRule;

namespace {

constexpr std::size_t most_nsgs = 5000;  // virtual-network: limits
constexpr std::size_t most_rules_of_nsg = 1000;
constexpr std::size_t most_ranges_of_tag = 5000;
constexpr std::int64_t least_nsg_priority = 100;
constexpr std::int64_t most_nsg_priority = 4096;

enum class Direction : std::uint8_t { inbound, outbound };
enum class RuleProtocol : std::uint8_t { any, tcp, udp, neither };  ///< neither: Icmp, Esp, Ah

config::Parsed<Direction> parse_direction(std::string_view text) {
    if (policy::same_name(text, "Inbound")) return Direction::inbound;
    if (policy::same_name(text, "Outbound")) return Direction::outbound;
    return tl::unexpected{fmt::format("{} is not a direction; write Inbound or Outbound", config::in_quotes(text))};
}

config::Parsed<policy::Access> parse_access(std::string_view text) {
    if (policy::same_name(text, "Allow")) return policy::Access::allow;
    if (policy::same_name(text, "Deny")) return policy::Access::deny;
    return tl::unexpected{fmt::format("{} is not an access; write Allow or Deny", config::in_quotes(text))};
}

config::Parsed<RuleProtocol> parse_rule_protocol(std::string_view text) {
    if (text == "*") return RuleProtocol::any;
    if (policy::same_name(text, "Tcp")) return RuleProtocol::tcp;
    if (policy::same_name(text, "Udp")) return RuleProtocol::udp;
    for (const auto* const other : {"Icmp", "Esp", "Ah"}) {
        if (policy::same_name(text, other)) return RuleProtocol::neither;
    }
    return tl::unexpected{
        fmt::format("{} is not a protocol; write Tcp, Udp, Icmp, Esp, Ah or *", config::in_quotes(text))};
}

std::optional<captures::base::Protocol> protocol_of(RuleProtocol protocol) noexcept {
    if (protocol == RuleProtocol::tcp) return captures::base::Protocol::tcp;
    if (protocol == RuleProtocol::udp) return captures::base::Protocol::udp;
    return {};
}

/// Exports carry an empty plural beside the singular; both with values would contradict each other.
std::vector<Located<std::string>> read_either(TomlTable& table, std::string_view singular, std::string_view plural,
                                              Accept accept) {
    const bool has_plural = table.has(plural) && !table.is_empty_array(plural);
    if (has_plural && table.has(singular)) {
        table.error(plural, fmt::format("{} is given, too; give one of them", singular));
    }
    if (has_plural) return table.texts(plural, accept);
    if (!table.has(singular)) table.error(fmt::format("needs {0} or {1}; write {0} = \"*\" for any", singular, plural));
    if (auto text = table.text(singular, accept)) return {std::move(*text)};
    return {};
}

std::vector<AddressRange> read_prefixes(TomlTable& table, std::string_view singular, std::string_view plural,
                                        Draft& draft) {
    return resolve_addresses(table, singular, read_either(table, singular, plural, Accept::text), draft);
}

std::vector<PortRange> read_ports(TomlTable& table, std::string_view singular, std::string_view plural) {
    std::vector<PortRange> ranges;
    for (const auto& [text, at] : read_either(table, singular, plural, Accept::text_or_number)) {
        if (const auto range = config::parse_port_range(text)) {
            ranges.push_back(*range);
        } else {
            table.error(singular, at, range.error());
        }
    }
    return ranges;
}

/// Everything is checked in every rule, but only inbound rules for TCP or UDP can ever decide here.
std::optional<SecurityRule> read_security_rule(TomlTable& table, Names& names, Names& priorities, Draft& draft) {
    table.require({"name", "priority", "direction", "access", "protocol"});
    SecurityRule rule;
    if (auto name = table.value("name", config::parse_resource_name)) {
        rule.name = std::move(name->value);
        if (!names.add(rule.name)) {
            table.error("name", fmt::format("there is another rule {} in this group; names are unique",
                                            config::in_quotes(rule.name)));
        }
    }
    const auto direction = table.value("direction", parse_direction);
    if (const auto access = table.value("access", parse_access)) rule.access = access->value;
    const auto protocol = table.value("protocol", parse_rule_protocol);
    if (const auto priority = table.integer("priority", least_nsg_priority, most_nsg_priority)) {
        rule.priority = static_cast<std::uint16_t>(*priority);
        const bool outbound = direction && direction->value == Direction::outbound;
        if (!priorities.add(fmt::format("{}{}", outbound ? "out" : "in", rule.priority))) {
            table.error("priority", "another rule of this group and direction has it; priorities are unique");
        }
    }
    rule.sources = read_prefixes(table, "source_address_prefix", "source_address_prefixes", draft);
    rule.source_ports = read_ports(table, "source_port_range", "source_port_ranges");
    rule.destinations = read_prefixes(table, "destination_address_prefix", "destination_address_prefixes", draft);
    rule.destination_ports = read_ports(table, "destination_port_range", "destination_port_ranges");
    static_cast<void>(table.text("description"));
    table.refuse_unknown_keys();
    if (!direction || direction->value == Direction::outbound) return {};
    if (!protocol || protocol->value == RuleProtocol::neither) return {};
    rule.protocol = protocol_of(protocol->value);
    return rule;
}

}  // namespace

void read_service_tags(TomlTable& root, Draft& draft) {
    auto table = root.table("service_tags", "service tags");
    if (!table) return;
    const auto read = [&](std::string_view tag, std::vector<AddressRange>& target) {
        if (!table->has(tag)) return;
        target.clear();
        for (const auto& range : table->values(tag, config::parse_range)) target.push_back(range.value);
        if (target.size() <= most_ranges_of_tag) return;
        table->error(tag, fmt::format("more than {} ranges; join them", most_ranges_of_tag));
        target.clear();
    };
    read("VirtualNetwork", draft.config.service_tags.virtual_network);
    read("AzureLoadBalancer", draft.config.service_tags.load_balancer);
    table->refuse_unknown_keys();
}

void read_nsgs(TomlTable& root, Draft& draft) {
    auto tables = root.tables("network_security_group", "network security group");
    if (tables.size() > most_nsgs) {
        root.error("network_security_group", tables[most_nsgs].position(),
                   fmt::format("more than {} groups; Azure allows no more", most_nsgs));
        return;
    }
    for (auto& table : tables) {
        table.require({"name"});
        const auto name = table.value("name", config::parse_resource_name);
        const bool flush = table.boolean("flush_connection").value_or(false);
        std::vector<SecurityRule> rules;
        Names names;
        Names priorities;
        auto rule_tables = table.tables("security_rule", "security rule");
        if (rule_tables.size() > most_rules_of_nsg) {
            table.error("security_rule", rule_tables[most_rules_of_nsg].position(),
                        fmt::format("more than {} rules; Azure allows no more", most_rules_of_nsg));
            rule_tables.clear();
        }
        for (auto& rule_table : rule_tables) {
            if (auto rule = read_security_rule(rule_table, names, priorities, draft)) rules.push_back(std::move(*rule));
        }
        table.refuse_unknown_keys();
        if (!name) continue;
        if (!draft.nsgs.add(name->value)) {
            table.error("name",
                        fmt::format("there is another group {}; names are unique", config::in_quotes(name->value)));
            continue;
        }
        draft.config.nsgs.emplace_back(name->value, std::move(rules), flush, draft.config.service_tags);
    }
}

}  // namespace gateway::config_file
