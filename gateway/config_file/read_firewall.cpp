#include <fmt/format.h>
#include <boost/unordered/unordered_flat_set.hpp>

#include "gateway/config_file/draft.hpp"

namespace gateway::config_file {

using captures::base::Ipv4Address;

namespace {

constexpr std::size_t most_public_ips = 250;  // azure/firewall: limits
constexpr std::size_t most_machines = 10'000;
constexpr std::size_t longest_firewall_name = 50;
constexpr std::size_t longest_machine_name = 64;
constexpr std::size_t most_nsgs_of_machine = 2;  // the subnet's, the NIC's

config::Parsed<config::Tier> parse_tier(std::string_view text) {
    if (policy::same_name(text, "Basic")) return config::Tier::basic;
    if (policy::same_name(text, "Standard")) return config::Tier::standard;
    if (policy::same_name(text, "Premium")) return config::Tier::premium;
    return tl::unexpected{fmt::format("{} is not a tier; write Basic, Standard or Premium", config::in_quotes(text))};
}

config::Parsed<std::string> parse_os(std::string_view text) {
    if (text == "linux" || text == "windows") return std::string{text};
    return tl::unexpected{
        fmt::format("{} is not an operating system; write linux or windows", config::in_quotes(text))};
}

config::Parsed<std::string> parse_firewall_name(std::string_view text) {
    if (text.size() <= longest_firewall_name) return config::parse_resource_name(text);
    return tl::unexpected{
        fmt::format("{} is longer than {} characters", config::in_quotes(text), longest_firewall_name)};
}

config::Parsed<std::string> parse_machine_name(std::string_view text) {
    if (text.size() <= longest_machine_name) return config::parse_resource_name(text);
    return tl::unexpected{
        fmt::format("{} is longer than {} characters", config::in_quotes(text), longest_machine_name)};
}

void read_public_ips(TomlTable& table, config::FirewallConfig& firewall) {
    if (table.is_empty_array("public_ips")) table.error("public_ips", "is empty; give at least one address");
    boost::unordered_flat_set<std::uint32_t> seen;
    for (const auto& [address, at] : table.values("public_ips", config::parse_unicast_address)) {
        if (!seen.insert(address.value).second) {
            table.error("public_ips", at, fmt::format("{} is listed twice; remove one", to_string(address)));
        } else if (seen.size() == most_public_ips + 1) {
            table.error("public_ips", at, fmt::format("more than {} addresses; Azure allows no more", most_public_ips));
        } else {
            firewall.public_ips.push_back(address);
        }
    }
}

/// Each of the firewall's addresses has one role.
void check_own_addresses(TomlTable& table, const config::FirewallConfig& firewall) {
    const auto is_public = [&](Ipv4Address address) {
        return std::ranges::find(firewall.public_ips, address) != firewall.public_ips.end();
    };
    if (is_public(firewall.instance_ip)) {
        table.error("instance_ip", "is also one of public_ips; VMs see an address of the firewall's subnet instead");
    }
    if (!firewall.private_ip) return;
    if (is_public(*firewall.private_ip)) {
        table.error("private_ip", "is also one of public_ips; give the firewall's address inside");
    }
    if (firewall.private_ip == firewall.instance_ip) {
        table.error("private_ip",
                    "is also instance_ip; behind Azure's private_ip stand instances with other addresses");
    }
}

}  // namespace

void read_firewall(TomlTable& root, Draft& draft) {
    auto table = root.table("firewall", "firewall");
    if (!table) {
        if (!root.has("firewall")) {
            root.error("needs a table [firewall] with public_ips and instance_ip; add it");
        }
        return;
    }
    auto& firewall = draft.config.firewall;
    table->require({"public_ips", "instance_ip"});
    assign(firewall.name, table->value("name", parse_firewall_name));
    assign(firewall.subscription, table->value("subscription", config::parse_subscription));
    assign(firewall.resource_group, table->value("resource_group", config::parse_resource_group));
    assign(firewall.location, table->value("location", config::parse_location));
    assign(firewall.tier, table->value("tier", parse_tier));
    assign(firewall.instance_ip, table->value("instance_ip", config::parse_unicast_address));
    if (const auto address = table->value("private_ip", config::parse_unicast_address))
        firewall.private_ip = address->value;
    read_public_ips(*table, firewall);
    check_own_addresses(*table, firewall);
    firewall.network_deny_overrides = table->boolean("network_deny_overrides").value_or(false);
    draft.multiple_destination_ports = table->boolean("multiple_destination_ports").value_or(false);
    table->refuse_unknown_keys();
}

namespace {

void read_nsgs_of(TomlTable& table, Draft& draft, config::VirtualMachine& machine) {
    for (auto& [name, at] : table.texts("nsg")) {
        if (!draft.nsgs.find(name)) {
            table.error("nsg", at,
                        fmt::format("there is no network_security_group {}{}", config::in_quotes(name),
                                    draft.hint(draft.nsgs, name)));
        } else if (machine.nsg.size() == most_nsgs_of_machine) {
            table.error("nsg", at, "more than two; a packet passes the subnet's and the NIC's");
        } else {
            machine.nsg.push_back(std::move(name));
        }
    }
}

bool is_firewalls(Ipv4Address address, const config::FirewallConfig& firewall) {
    return address == firewall.instance_ip || address == firewall.private_ip ||
           std::ranges::find(firewall.public_ips, address) != firewall.public_ips.end();
}

}  // namespace

void read_virtual_machines(TomlTable& root, Draft& draft) {
    boost::unordered_flat_set<std::uint32_t> addresses;
    auto tables = root.tables("virtual_machine", "virtual machine");
    if (tables.size() > most_machines) {
        root.error("virtual_machine", tables[most_machines].position(),
                   fmt::format("more than {} machines; leave out those that no rule names", most_machines));
        tables.erase(tables.begin() + most_machines, tables.end());
    }
    for (auto& table : tables) {
        config::VirtualMachine machine;
        machine.place = draft.problems.place(table.position());
        table.require({"name", "private_ip"});
        assign(machine.os, table.value("os", parse_os));
        read_nsgs_of(table, draft, machine);
        if (const auto address = table.value("private_ip", config::parse_unicast_address)) {
            machine.private_ip = address->value;
            if (is_firewalls(machine.private_ip, draft.config.firewall)) {
                table.error("private_ip", "is the firewall's own address; give the machine's");
            } else if (!addresses.insert(machine.private_ip.value).second) {
                table.error("private_ip", "another machine has this address; addresses are unique");
            }
        }
        if (auto name = table.value("name", parse_machine_name)) {
            machine.name = std::move(name->value);
            if (!draft.machines.add(machine.name)) {
                table.error("name", fmt::format("there is another machine {}; names are unique",
                                                config::in_quotes(machine.name)));
            }
        }
        table.refuse_unknown_keys();
        draft.config.machines.push_back(std::move(machine));
    }
}

void read_timeouts(TomlTable& root, Draft& draft) {
    auto table = root.table("timeouts", "timeouts");
    if (!table) return;
    const auto read = [&](std::string_view key, std::optional<captures::base::Duration>& target) {
        constexpr captures::base::Duration shortest = std::chrono::milliseconds{1};
        constexpr captures::base::Duration longest = std::chrono::hours{24 * 7};
        const auto duration = table->value(key, config::parse_span);
        if (!duration) return;
        target = duration->value;
        if (*target < shortest || *target > longest) table->error(key, "is out of range; give 1ms to 7d");
    };
    auto& timeouts = draft.config.timeouts;
    read("tcp_idle", timeouts.tcp_idle);
    read("tcp_idle_east_west", timeouts.tcp_idle_east_west);
    read("tcp_transitory", timeouts.tcp_transitory);
    read("udp_idle", timeouts.udp_idle);
    read("fragment", timeouts.fragment);
    table->refuse_unknown_keys();
}

void read_limits(TomlTable& root, Draft& draft) {
    auto table = root.table("limits", "limits");
    if (!table) return;
    const auto read = [&](std::string_view key, std::uint32_t& target, std::uint32_t most) {
        if (const auto count = table->integer(key, 1, most)) target = static_cast<std::uint32_t>(*count);
    };
    auto& limits = draft.config.limits;
    read("flows", limits.flows, 1U << 25);  // 6 GiB
    read("fragmented_datagrams", limits.fragmented_datagrams, 1U << 20);
    read("held_fragments", limits.held_fragments, 1U << 16);
    table->refuse_unknown_keys();
}

}  // namespace gateway::config_file
