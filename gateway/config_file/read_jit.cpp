#include <fmt/format.h>

#include "gateway/config_file/draft.hpp"

namespace gateway::config_file {

using captures::base::Protocol;
using policy::JitMachine;
using policy::JitPolicy;
using policy::JitPort;
using policy::OnExpiry;

namespace {

constexpr std::string_view one_source = "allowed_source_address_prefix";
constexpr std::string_view sources = "allowed_source_address_prefixes";
constexpr std::string_view longest = "max_request_access_duration";

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

void read_allowed_sources(TomlTable& table, JitPort& port) {
    if (table.has(one_source) && table.has(sources)) {
        table.error(sources, fmt::format("{} is given, too; give one of them", one_source));
    }
    if (const auto prefix = table.value(one_source, config::parse_prefix))
        port.allowed_sources.push_back(prefix->value);
    for (const auto& prefix : table.values(sources, config::parse_prefix)) port.allowed_sources.push_back(prefix.value);
}

/// The table of each port of `machine`. Ports without a number are reported and left out.
std::vector<TomlTable> read_ports(TomlTable& table, JitMachine& machine) {
    std::vector<TomlTable> read;
    for (auto& port_table : table.tables("ports", "JIT port")) {
        JitPort port;
        port_table.require({"number"});
        const auto number = port_table.value("number", config::parse_port_number, Accept::text_or_number);
        if (const auto protocol = port_table.value("protocol", parse_jit_protocol)) {
            port.protocol = protocol->value.protocol;
        }
        read_allowed_sources(port_table, port);
        if (const auto duration = port_table.value(longest, config::parse_span)) port.max_duration = duration->value;
        port_table.refuse_unknown_keys();
        if (!number) continue;
        port.number = number->value;
        machine.ports.push_back(std::move(port));
        read.push_back(port_table);
    }
    return read;
}

/// A list that is empty because its values are wrong has been reported.
void report_no_sources(TomlTable& port) {
    if (port.is_empty_array(sources)) {
        port.error(sources, "is empty, so that nobody could ask; write [\"*\"] for everybody");
    } else if (!port.has(one_source) && !port.has(sources)) {
        port.error(fmt::format("needs {0} or {1}; write {0} = \"*\" for everybody", one_source, sources));
    }
}

void report(const policy::JitFault& fault, const JitMachine& machine, const JitPolicy& policy, TomlTable& table,
            std::vector<TomlTable>& ports) {
    using Kind = policy::JitFault::Kind;
    switch (fault.kind) {
        case Kind::no_ports:
            if (table.is_empty_array("ports")) table.error("ports", "names none; give at least one port");
            break;
        case Kind::too_many_ports:
            table.error("ports", ports[fault.port].position(),
                        fmt::format("more than {} ports of a machine", policy::most_ports));
            break;
        case Kind::no_sources: report_no_sources(ports[fault.port]); break;
        case Kind::duration_out_of_range:
            ports[fault.port].error(longest,
                                    fmt::format("{} is out of range; give 5 minutes (PT5M) to 1 day (P1D)",
                                                captures::base::to_iso8601(machine.ports[fault.port].max_duration)));
            break;
        case Kind::port_listed_twice:
            ports[fault.port].error("number", fmt::format("port {} of this machine is listed before; remove one",
                                                          machine.ports[fault.port].number));
            break;
        case Kind::machine_listed_twice: break;  // reported with those that another policy covers
        case Kind::names_too_long:
            table.error("name", fmt::format("the names of policy and machine have {} characters; together at most {}",
                                            policy.name.size() + machine.name.size(), policy::longest_names));
            break;
    }
}

/// `covered` are the machines of all policies.
void read_machine(TomlTable& table, JitPolicy& policy, Names& covered, Draft& draft) {
    table.require({"name", "ports"});
    JitMachine machine;
    auto ports = read_ports(table, machine);
    const auto name = table.text("name");
    table.refuse_unknown_keys();
    if (name) machine.name = name->value;
    for (const auto& fault : policy::faults_of(machine, policy)) report(fault, machine, policy, table, ports);
    if (!name) return;
    if (!draft.machines.find(machine.name)) {
        table.error("name", fmt::format("there is no virtual_machine {}{}", config::in_quotes(machine.name),
                                        draft.hint(draft.machines, machine.name)));
    } else if (!covered.add(machine.name)) {
        table.error("name",
                    fmt::format("machine {} is under a policy already; list it once", config::in_quotes(machine.name)));
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
