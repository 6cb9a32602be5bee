#include "gateway/control_plane/machines.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/compile.h>

#include "gateway/control_plane/policies.hpp"
#include "policy/names.hpp"

namespace gateway::control_plane {

using captures::base::Time;

namespace {

std::string plain_name(std::string_view machine) { return std::string{machine.substr(machine.rfind('/') + 1)}; }

bool is_management_port(std::uint16_t port) { return port == 22 || port == 3389 || port == 5985 || port == 5986; }

/// Machines by their addresses.
struct Reach {
    std::set<std::uint32_t> reachable;         ///< by some NAT rule
    std::map<std::uint32_t, bool> management;  ///< a management port of it is reachable: from anywhere?
};

Reach reach_of(const std::vector<dnat::NatRule>& rules) {
    Reach reach;
    for (const auto& rule : rules) {
        reach.reachable.insert(rule.translated.address.value);
        if (!is_management_port(rule.translated.port)) continue;
        const bool anywhere = std::ranges::any_of(
            rule.sources, [](const auto& range) { return range.first.value == 0 && range.last.value == ~0U; });
        reach.management[rule.translated.address.value] |= anywhere;
    }
    return reach;
}

/// Of a machine that no policy guards.
void tell_exposure(MachineView& view, const std::map<std::uint32_t, bool>& management,
                   captures::base::Ipv4Address address) {
    const auto exposed = management.find(address.value);
    view.state = MachineView::State::not_configured;
    if (exposed == management.end()) {
        view.severity = "Healthy";
        view.reason = "No NAT rule leads to a management port of this machine; JIT is unnecessary.";
    } else if (exposed->second) {
        view.severity = "High";
        view.reason = "A NAT rule leads from anywhere to a management port of this machine.";
    } else {
        view.severity = "Low";
        view.reason = "A NAT rule leads from some sources to a management port of this machine.";
    }
}

}  // namespace

std::string_view to_string(MachineView::State state) noexcept {
    switch (state) {
        case MachineView::State::configured: return "Configured";
        case MachineView::State::not_configured: return "NotConfigured";
        case MachineView::State::unsupported: return "Unsupported";
    }
    return "";
}

Answer<std::vector<ConnectionView>> Machines::connections(const Caller& caller, std::optional<std::string> machine,
                                                          std::optional<std::uint16_t> port, Time now) {
    core_.tick(now);
    if (auto problem = core_.ledger.problem()) return tl::unexpected{std::move(*problem)};
    const auto& directory = core_.access.directory();
    const auto* known = !machine                              ? nullptr
                        : machine->find('/') == machine->npos ? directory.machine(*machine)
                                                              : directory.machine_of_id(*machine);
    std::vector<ConnectionView> views;
    if (!machine || known != nullptr) {
        const auto name = known == nullptr ? std::nullopt : std::optional<std::string_view>{known->name};
        for (const auto* record : core_.access.open_records(name, now)) {
            if ((port && *port != record->port) || !core_.may_know(caller, *record)) continue;
            if (auto view = requests_.connection_view(*record)) views.push_back(std::move(*view));
        }
    }
    auto event = make_event(caller, policy::action::connection_read,
                            machine ? core_.config.machine_id(plain_name(*machine)) : core_.group_id(),
                            known == nullptr ? std::string{} : known->name, now);
    event.detail = fmt::format(FMT_COMPILE("{} connection{} told"), views.size(), views.size() == 1 ? "" : "s");
    const auto reads = [&] {
        return known != nullptr &&
               core_.allows(caller, policy::action::connection_read, core_.config.machine_id(known->name));
    };
    if (machine && views.empty() && !reads()) {
        auto problem = core_.no_machine(plain_name(*machine));
        event.status = "Failed";
        event.sub_status = problem.code;
        core_.ledger.note(std::move(event));
        return tl::unexpected{std::move(problem)};
    }
    core_.ledger.note(std::move(event));
    return views;
}

Answer<std::vector<MachineView>> Machines::list(const Caller& caller, Time now) {
    core_.tick(now);
    const auto& config = core_.config;
    std::map<std::string, MachineView, NameLess> views;
    const auto [reachable, management] = reach_of(config.nat_rules);
    for (const auto& machine : config.machines) {
        const auto id = config.machine_id(machine.name);
        if (!core_.allows(caller, policy::action::machine_read, id)) continue;
        MachineView view;
        view.name = machine.name;
        view.id = id;
        view.os = machine.os;
        const auto coverage = core_.access.directory().coverage(machine.name);
        const bool guardable = !machine.nsg.empty() || reachable.contains(machine.private_ip.value) ||
                               config.jit.mapped_ports;
        if (coverage.policy != nullptr) {
            view.state = MachineView::State::configured;
            const auto policy_id = config.policy_id(coverage.policy->name);
            if (core_.sees(caller, core_.allows(caller, policy::action::jit_read, policy_id), machine.name)) {
                view.policy = coverage.policy->name;
                view.ports = coverage.machine->ports;
            }
        } else if (!guardable) {
            view.reason =
                "Missing NSG and Azure Firewall: no network security group is on this machine, no NAT rule leads "
                "to it, and mapped_ports is off.";
        } else {
            tell_exposure(view, management, machine.private_ip);
        }
        views.emplace(machine.name, std::move(view));
    }
    std::size_t told = 0;
    std::set<std::pair<std::string_view, std::string_view>> counted;  // machine, request
    for (const auto& record : core_.access.records()) {
        const auto view = views.find(record.machine);
        if (view == views.end() || record.start < now - history || !core_.may_know(caller, record)) continue;
        if (counted.emplace(record.machine, record.request).second) ++view->second.approved_requests;
        view->second.last_access = record.start;
        view->second.last_user = record.requestor;
        if (!record.is_open(now)) continue;
        auto connection = requests_.connection_view(record);
        if (!connection) continue;
        view->second.connections.push_back(std::move(*connection));
        ++told;
    }
    if (told > 0) {
        if (auto problem = core_.ledger.problem()) return tl::unexpected{std::move(*problem)};
        auto event = make_event(caller, policy::action::connection_read, core_.group_id(), {}, now);
        event.detail = fmt::format(FMT_COMPILE("machines, with {} connection{}"), told, told == 1 ? "" : "s");
        core_.ledger.note(std::move(event));
    }
    std::vector<MachineView> all;
    all.reserve(views.size());
    for (auto& [name, view] : views) all.push_back(std::move(view));
    return all;
}

}  // namespace gateway::control_plane
