#include <map>

#include <fmt/format.h>

#include "gateway/config/listener_limits.hpp"
#include "gateway/config_file/draft.hpp"
#include "policy/names.hpp"

namespace gateway::config_file {

using captures::base::AddressRange;
using captures::base::Ipv4Address;
using captures::base::PortRange;
using dnat::NatRule;

namespace {

constexpr std::size_t most_nat_rules = 200'000;
constexpr std::uint16_t largest_destination_port = 63999;  // azure/firewall: known issues
/// Listeners times sources, over all rules: what compiling them costs.
constexpr std::uint64_t most_work = 16'000'000;

/// Reads NAT rules one by one.
class NatRuleReader {
public:
    explicit NatRuleReader(Draft& draft) : draft_(&draft) {}

    [[nodiscard]] NatRule read(TomlTable& table, const CollectionHead& head);

private:
    std::vector<AddressRange> read_sources(TomlTable& table);
    Ipv4Address read_destination(TomlTable& table);
    std::vector<PortRange> read_destination_ports(TomlTable& table);
    static captures::base::Endpoint read_target(TomlTable& table);
    void count_listeners(TomlTable& table, const NatRule& rule);

    Draft* draft_;
    std::uint64_t listeners_ = 0;
    std::uint64_t work_ = 0;
};

}  // namespace

void read_nat_rules(TomlTable& root, Draft& draft) {
    CollectionHeads heads{draft};
    NatRuleReader reader{draft};
    std::vector<RankedRule<NatRule>> rules;
    std::map<std::string, std::string> groups;  // of names as decisions show them, in small letters
    for (auto& table : root.tables("nat_rule_collection", "NAT rule collection")) {
        const auto head = heads.read(table);
        Names names;
        for (auto& rule : table.tables("rule", "NAT rule")) {
            if (rules.size() == most_nat_rules) {
                rule.error(fmt::format("more than {} NAT rules; join rules, or use IP groups", most_nat_rules));
                break;
            }
            rules.push_back({head.rank, reader.read(rule, head), rule.position()});
            const auto& name = rules.back().rule.name;
            if (name.rule.empty()) continue;
            if (!names.add(name.rule)) {
                rule.warn(rule.position("name"), fmt::format("there is another NAT rule {} in this collection; logs "
                                                             "cannot tell them apart",
                                                             config::in_quotes(name.rule)));
            }
            const auto [other, is_new] = groups.try_emplace(policy::to_lower(to_string(name)), name.group);
            if (!is_new && other->second != name.group) {
                rule.warn(rule.position("name"),
                          fmt::format("group {} has a NAT rule {}, too; decisions and expectations cannot tell them "
                                      "apart, Azure's logs can",
                                      config::in_quotes(other->second), config::in_quotes(to_string(name))));
            }
        }
        table.refuse_unknown_keys();
    }
    sort_by_rank(rules);
    draft.config.nat_rules.reserve(rules.size());
    draft.config.nat_rule_places.reserve(rules.size());
    for (auto& [rank, rule, at] : rules) {
        draft.config.nat_rules.push_back(std::move(rule));
        draft.config.nat_rule_places.push_back(draft.problems.place(at));
    }
}

namespace {

NatRule NatRuleReader::read(TomlTable& table, const CollectionHead& head) {
    table.require({"name", "protocols", "destination_addresses", "destination_ports", "translated_port"});
    NatRule rule;
    rule.name = {.collection = head.name, .rule = {}, .group = head.group, .policy = head.policy};
    if (auto name = table.value("name", config::parse_rule_name)) rule.name.rule = std::move(name->value);
    rule.protocols = read_protocols(table);
    rule.sources = read_sources(table);
    rule.destination = read_destination(table);
    rule.destination_ports = read_destination_ports(table);
    rule.translated = read_target(table);
    static_cast<void>(table.text("description"));
    table.refuse_unknown_keys();
    count_listeners(table, rule);
    return rule;
}

/// Not both absent, but an IP group may be empty: then the rule has no source and is skipped, as in Azure.
std::vector<AddressRange> NatRuleReader::read_sources(TomlTable& table) {
    const bool names_groups = table.has("source_ip_groups") && !table.is_empty_array("source_ip_groups");
    if (!names_groups && (!table.has("source_addresses") || table.is_empty_array("source_addresses"))) {
        table.error("needs source_addresses or source_ip_groups; write source_addresses = [\"*\"] for everybody");
    }
    auto ranges = read_ip_group_ranges(table, "source_ip_groups", *draft_);
    const auto addresses = table.values("source_addresses", config::parse_range);
    if (draft_->spend_ranges(addresses.size(), table)) {
        for (const auto& address : addresses) ranges.push_back(address.value);
    }
    return ranges;
}

Ipv4Address NatRuleReader::read_destination(TomlTable& table) {
    constexpr std::string_view key = "destination_addresses";
    const auto texts = table.texts(key);
    if (table.is_empty_array(key) || texts.size() > 1) {
        table.error(key, "Azure takes exactly one destination address; write one, and a rule for each of the others");
    }
    if (texts.empty()) return {};
    const auto& [text, at] = texts.front();
    const auto address = config::parse_address(text);
    if (!address) {
        table.error(key, at, address.error());
        return {};
    }
    const auto& firewall = draft_->config.firewall;
    if (*address == firewall.private_ip) {
        if (firewall.tier == config::Tier::basic) {
            table.error(key, at,
                        "is the firewall's private_ip, which the Basic tier cannot translate; take Standard or "
                        "Premium, or a public IP");
        }
    } else if (!firewall.public_ips.empty() &&  // else that is the mistake, and told already
               std::ranges::find(firewall.public_ips, *address) == firewall.public_ips.end()) {
        table.error(key, at,
                    fmt::format("{} is neither one of firewall.public_ips nor firewall.private_ip; add it there "
                                "or name one of them",
                                config::in_quotes(text)));
    }
    return *address;
}

std::vector<PortRange> NatRuleReader::read_destination_ports(TomlTable& table) {
    constexpr std::string_view key = "destination_ports";
    std::vector<PortRange> ports;
    const auto texts = table.texts(key, Accept::text_or_number);
    if (table.is_empty_array(key)) table.error(key, "names none; give one port");
    const bool lenient = draft_->multiple_destination_ports;
    if (texts.size() > 1 && !lenient) {
        table.error(key, texts[1].at,
                    "Azure takes one destination port a rule; write a rule for each, or set "
                    "firewall.multiple_destination_ports = true");
    }
    for (const auto& [text, at] : texts) {
        const auto range = captures::base::PortRange::parse(text);
        if (!range || text == "*" || range->first == 0 || range->last > largest_destination_port) {
            table.error(key, at,
                        fmt::format("{} is no destination port of a NAT rule; give a number from 1 to {}",
                                    config::in_quotes(text), largest_destination_port));
        } else if (range->first != range->last && !lenient) {
            table.error(key, at,
                        fmt::format("{} is a range, and Azure takes one port a rule; write a rule for each, or "
                                    "set firewall.multiple_destination_ports = true",
                                    config::in_quotes(text)));
        } else {
            ports.push_back(*range);
        }
    }
    return ports;
}

captures::base::Endpoint NatRuleReader::read_target(TomlTable& table) {
    captures::base::Endpoint target;
    if (table.has("translated_fqdn")) {
        table.error("translated_fqdn", "a name cannot be resolved offline; give translated_address");
    } else {
        table.require({"translated_address"});
    }
    if (const auto address = table.value("translated_address", config::parse_unicast_address))
        target.address = address->value;
    if (const auto port = table.value("translated_port", config::parse_port_number, Accept::text_or_number)) {
        target.port = port->value;
    }
    return target;
}

/// Many-to-one ranges multiply with sources; a table of them must stay of a size that can be compiled in seconds.
void NatRuleReader::count_listeners(TomlTable& table, const NatRule& rule) {
    std::uint64_t ports = 0;
    for (const auto& range : rule.destination_ports) ports += std::uint64_t{range.last} - range.first + 1U;
    const auto listeners = ports * rule.protocols.size();
    const bool was_within = listeners_ <= config::most_configured_listeners && work_ <= most_work;
    listeners_ += listeners;
    work_ += listeners * rule.sources.size();
    if (!was_within) return;
    if (listeners_ > config::most_configured_listeners) {
        table.error("destination_ports",
                    fmt::format("all rules up to this one listen on more than {} ports; use narrower ranges",
                                config::most_configured_listeners));
    } else if (work_ > most_work) {
        table.error("destination_ports",
                    fmt::format("all rules up to this one have more than {} pairs of port and source; use narrower "
                                "ranges or wider blocks of addresses",
                                most_work));
    }
}

}  // namespace

}  // namespace gateway::config_file
