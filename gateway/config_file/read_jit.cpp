#include <fmt/format.h>

#include "gateway/config_file/draft.hpp"

namespace gateway::config_file {

using captures::base::Protocol;
using policy::JitMachine;
using policy::JitPolicy;
using policy::JitPort;
using policy::OnExpiry;

namespace {

struct JitProtocol {
    std::optional<Protocol> protocol;
};

config::Parsed<JitProtocol> parse_jit_protocol(std::string_view text) {
    if (policy::same_name(text, "TCP")) return JitProtocol{Protocol::tcp};
    if (policy::same_name(text, "UDP")) return JitProtocol{Protocol::udp};
    if (text == "*") return JitProtocol{};
    return tl::unexpected{fmt::format("{} is not a protocol; write TCP, UDP or *", config::in_quotes(text))};
}

config::Parsed<OnExpiry> parse_on_expiry(std::string_view text) {
    if (text == "keep") return OnExpiry::keep;
    if (text == "cut") return OnExpiry::cut;
    return tl::unexpected{
        fmt::format("{} is unknown; write keep (established connections go on) or cut", config::in_quotes(text))};
}

config::Parsed<captures::base::Duration> parse_window(std::string_view text) {
    auto duration = config::parse_span(text);
    if (!duration) return duration;
    if (policy::shortest_window <= *duration && *duration <= policy::longest_window) return duration;
    return tl::unexpected{
        fmt::format("{} is out of range; give 5 minutes (PT5M) to 1 day (P1D)", config::in_quotes(text))};
}

void read_allowed_sources(TomlTable& table, JitPort& port) {
    constexpr std::string_view singular = "allowed_source_address_prefix";
    constexpr std::string_view plural = "allowed_source_address_prefixes";
    if (table.has(singular) && table.has(plural)) {
        table.error(plural, fmt::format("{} is given, too; give one of them", singular));
    }
    if (!table.has(singular) && !table.has(plural)) {
        table.error(fmt::format("needs {0} or {1}; write {0} = \"*\" for everybody", singular, plural));
    }
    if (table.is_empty_array(plural))
        table.error(plural, "is empty, so that nobody could ask; write [\"*\"] for everybody");
    if (const auto prefix = table.value(singular, config::parse_prefix)) port.allowed_sources.push_back(prefix->value);
    for (const auto& prefix : table.values(plural, config::parse_prefix)) port.allowed_sources.push_back(prefix.value);
}

void read_ports(TomlTable& table, JitMachine& machine) {
    auto tables = table.tables("ports", "JIT port");
    if (table.is_empty_array("ports")) table.error("ports", "names none; give at least one port");
    if (tables.size() > policy::most_ports) {
        table.error("ports", tables[policy::most_ports].position(),
                    fmt::format("more than {} ports of a machine", policy::most_ports));
        return;
    }
    for (auto& port_table : tables) {
        JitPort port;
        port_table.require({"number"});
        const auto number = port_table.value("number", config::parse_port_number, Accept::text_or_number);
        if (const auto protocol = port_table.value("protocol", parse_jit_protocol)) {
            port.protocol = protocol->value.protocol;
        }
        read_allowed_sources(port_table, port);
        if (const auto longest = port_table.value("max_request_access_duration", parse_window)) {
            port.max_duration = longest->value;
        }
        port_table.refuse_unknown_keys();
        if (!number) continue;
        port.number = number->value;
        if (std::ranges::any_of(machine.ports, [&](const JitPort& other) { return other.overlaps(port); })) {
            port_table.error("number",
                             fmt::format("port {} of this machine is listed before; remove one", port.number));
        }
        machine.ports.push_back(std::move(port));
    }
}

/// `covered` are the machines of all policies.
void read_machine(TomlTable& table, JitPolicy& policy, Names& covered, Draft& draft) {
    table.require({"name", "ports"});
    JitMachine machine;
    read_ports(table, machine);
    const auto name = table.text("name");
    table.refuse_unknown_keys();
    if (!name) return;
    machine.name = name->value;
    if (!draft.machines.find(machine.name)) {
        table.error("name", fmt::format("there is no virtual_machine {}{}", config::in_quotes(machine.name),
                                        draft.hint(draft.machines, machine.name)));
    } else if (!covered.add(machine.name)) {
        table.error("name",
                    fmt::format("machine {} is under a policy already; list it once", config::in_quotes(machine.name)));
    }
    if (policy.name.size() + machine.name.size() > policy::longest_names) {
        table.error("name", fmt::format("the names of policy and machine have {} characters; together at most {}",
                                        policy.name.size() + machine.name.size(), policy::longest_names));
    }
    policy.machines.push_back(std::move(machine));
}

}  // namespace

void read_jit_policies(TomlTable& root, Draft& draft) {
    Names names;
    Names covered;
    for (auto& table : root.tables("jit_policy", "JIT policy")) {
        JitPolicy policy;
        if (auto name = table.value("name", config::parse_resource_name)) policy.name = std::move(name->value);
        if (!names.add(policy.name)) {
            table.error("name",
                        fmt::format("there is another policy {}; names are unique", config::in_quotes(policy.name)));
        }
        if (const auto on_expiry = table.value("on_expiry", parse_on_expiry)) policy.on_expiry = on_expiry->value;
        policy.justification_required = table.boolean("justification_required").value_or(false);
        for (auto& machine : table.tables("virtual_machine", "JIT machine"))
            read_machine(machine, policy, covered, draft);
        table.refuse_unknown_keys();
        draft.config.jit_policy_places.push_back(draft.problems.place(table.position()));
        draft.config.jit_policies.push_back(std::move(policy));
    }
}

}  // namespace gateway::config_file
