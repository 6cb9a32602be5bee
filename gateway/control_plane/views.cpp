#include <algorithm>
#include <set>
#include <utility>

#include <fmt/compile.h>

#include "gateway/control_plane/state.hpp"
#include "policy/names.hpp"

namespace gateway::control_plane {

using captures::base::Time;
using policy::AccessRecord;
using policy::JitPort;

namespace {

const char* const default_policy = "default";

std::string plain_name(std::string_view machine) { return std::string{machine.substr(machine.rfind('/') + 1)}; }

/// What `az vm` and the VM page propose (facts: defender-for-cloud/just-in-time-access-usage).
JitPort default_port(const config::VirtualMachine& machine) {
    return {static_cast<std::uint16_t>(machine.os == "windows" ? 3389 : 22), {}, {{{0}, 0}}, std::chrono::hours{3}};
}

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

Answer<std::vector<ConnectionView>> ControlPlane::connections(const Caller& caller, std::optional<std::string> machine,
                                                              std::optional<std::uint16_t> port, Time now) {
    auto& state = *state_;
    tick(now);
    if (auto problem = state.is_backlogged()) return tl::unexpected{std::move(*problem)};
    const auto& directory = state.access.directory();
    const auto* known = !machine                              ? nullptr
                        : machine->find('/') == machine->npos ? directory.machine(*machine)
                                                              : directory.machine_of_id(*machine);
    std::vector<ConnectionView> views;
    if (!machine || known != nullptr) {
        const auto name = known == nullptr ? std::nullopt : std::optional<std::string_view>{known->name};
        for (const auto* record : state.access.open_records(name, now)) {
            if ((port && *port != record->port) || !state.may_know(caller, *record)) continue;
            if (auto view = state.connection_view(*record)) views.push_back(std::move(*view));
        }
    }
    auto event = State::event(caller, policy::action::connection_read,
                              machine ? state.config.machine_id(plain_name(*machine)) : state.group_id(),
                              known == nullptr ? std::string{} : known->name, now);
    event.detail = fmt::format(FMT_COMPILE("{} connection{} told"), views.size(), views.size() == 1 ? "" : "s");
    const auto reads = [&] {
        return known != nullptr &&
               state.allows(caller, policy::action::connection_read, state.config.machine_id(known->name));
    };
    if (machine && views.empty() && !reads()) {
        auto problem = state.no_machine(plain_name(*machine));
        event.status = "Failed";
        event.sub_status = problem.code;
        state.note(std::move(event));
        return tl::unexpected{std::move(problem)};
    }
    state.note(std::move(event));
    return views;
}

Problem ControlPlane::State::no_machine(std::string_view machine) const {
    return {
        404, "ResourceNotFound",
        fmt::format("The Resource 'Microsoft.Compute/virtualMachines/{}' under resource group '{}' was not found. For "
                    "more details please go to https://aka.ms/ARMResourceNotFoundFix",
                    machine, config.firewall.resource_group)};
}

std::optional<ConnectionView> ControlPlane::State::connection_view(const AccessRecord& record) const {
    const auto* machine = access.directory().machine(record.machine);
    if (machine == nullptr) return {};
    return ConnectionView{record, access.connection_of(record), machine->os};
}

Answer<std::vector<MachineView>> ControlPlane::machines(const Caller& caller, Time now) {
    auto& state = *state_;
    tick(now);
    const auto& config = state.config;
    std::map<std::string, MachineView, NameLess> views;
    const auto [reachable, management] = reach_of(config.nat_rules);
    for (const auto& machine : config.machines) {
        const auto id = config.machine_id(machine.name);
        if (!state.allows(caller, policy::action::machine_read, id)) continue;
        MachineView view;
        view.name = machine.name;
        view.id = id;
        view.os = machine.os;
        const auto coverage = state.access.directory().coverage(machine.name);
        const bool guardable = !machine.nsg.empty() || reachable.contains(machine.private_ip.value) ||
                               config.jit.mapped_ports;
        if (coverage.policy != nullptr) {
            view.state = MachineView::State::configured;
            const auto policy_id = config.policy_id(coverage.policy->name);
            if (state.sees(caller, state.allows(caller, policy::action::jit_read, policy_id), machine.name)) {
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
    for (const auto& record : state.access.records()) {
        const auto view = views.find(record.machine);
        if (view == views.end() || record.start < now - history || !state.may_know(caller, record)) continue;
        if (counted.emplace(record.machine, record.request).second) ++view->second.approved_requests;
        view->second.last_access = record.start;
        view->second.last_user = record.requestor;
        if (!record.is_open(now)) continue;
        auto connection = state.connection_view(record);
        if (!connection) continue;
        view->second.connections.push_back(std::move(*connection));
        ++told;
    }
    if (told > 0) {
        if (auto problem = state.is_backlogged()) return tl::unexpected{std::move(*problem)};
        auto event = State::event(caller, policy::action::connection_read, state.group_id(), {}, now);
        event.detail = fmt::format(FMT_COMPILE("machines, with {} connection{}"), told, told == 1 ? "" : "s");
        state.note(std::move(event));
    }
    std::vector<MachineView> all;
    all.reserve(views.size());
    for (auto& [name, view] : views) all.push_back(std::move(view));
    return all;
}

Answer<PolicyView> ControlPlane::enable(const Caller& caller, std::string_view machine, std::vector<JitPort> ports,
                                        Time now) {
    auto& state = *state_;
    tick(now);
    const auto* known = state.access.directory().machine(machine);
    const auto id = state.config.machine_id(machine);
    if (known == nullptr || !state.allows(caller, policy::action::machine_read, id)) {
        return tl::unexpected{
            state.refuse(State::event(caller, policy::action::jit_write, id, {}, now), state.no_machine(machine))};
    }
    const auto refused = [&](Problem problem) {
        return tl::unexpected{
            state.refuse(State::event(caller, policy::action::jit_write, id, known->name, now), std::move(problem))};
    };
    const auto policy_id = state.config.policy_id(default_policy);
    if (!state.allows(caller, policy::action::jit_write, policy_id)) {
        return refused(State::forbidden(caller, policy::action::jit_write, policy_id));
    }
    if (!state.allows(caller, policy::action::machine_write, id)) {
        return refused(State::forbidden(caller, policy::action::machine_write, id));
    }
    if (const auto coverage = state.access.directory().coverage(machine); coverage.policy != nullptr) {
        return refused({409, "AlreadyConfigured",
                        fmt::format("Machine '{}' is under {} already: change that policy instead.", known->name,
                                    state.policy_as_seen(caller, coverage))});
    }
    if (ports.empty()) ports.push_back(default_port(*known));
    PolicyDraft draft;
    if (const auto* policy = state.policy(default_policy)) {
        for (const auto& other : policy->machines) {
            draft.machines.push_back({state.config.machine_id(other.name), other.ports});
        }
    }
    draft.machines.push_back({state.config.machine_id(known->name), std::move(ports)});
    return put_policy(caller, default_policy, draft, now);
}

Answer<PolicyView> ControlPlane::disable(const Caller& caller, std::string_view machine, Time now) {
    auto& state = *state_;
    tick(now);
    const auto coverage = state.access.directory().coverage(machine);
    const auto id = state.config.machine_id(machine);
    if (coverage.policy == nullptr || !state.allows(caller, policy::action::machine_read, id)) {
        return tl::unexpected{
            state.refuse(State::event(caller, policy::action::jit_write, id, {}, now), state.no_machine(machine))};
    }
    PolicyDraft draft;
    for (const auto& other : coverage.policy->machines) {
        if (policy::same_name(other.name, machine)) continue;
        draft.machines.push_back({state.config.machine_id(other.name), other.ports});
    }
    const auto name = coverage.policy->name;
    return put_policy(caller, name, draft, now);
}

Answer<std::vector<policy::AuditEvent>> ControlPlane::activity(const Caller& caller, const store::EventFilter& filter,
                                                               Time now) {
    auto& state = *state_;
    tick(now);
    flush(now);
    auto mine = filter;
    const bool reads_all = state.allows(caller, policy::action::activity_read, state.group_id());
    const auto machine_id = filter.machine.empty() ? std::string{} : state.id_of(filter.machine);
    mine.machine = state.name_of(filter.machine);
    const bool reads_machine = !mine.machine.empty() && state.allows(caller, policy::action::activity_read, machine_id);
    if (!reads_all && !reads_machine) {
        // That an event is of a hidden machine would say that there is one.
        if (!mine.machine.empty() && !state.allows(caller, policy::action::machine_read, machine_id)) {
            return std::vector<policy::AuditEvent>{};
        }
        if (!mine.caller.empty() && !policy::same_name(mine.caller, caller.principal)) {
            return std::vector<policy::AuditEvent>{};
        }
        mine.caller = caller.principal;
    }
    auto events = state.store->events(mine);
    if (!events) {
        return tl::unexpected{Problem{503, "StoreUnavailable", "The activity log cannot be read at the moment."}};
    }
    if (reads_all) return std::move(*events);
    for (auto& event : *events) {
        if (!state.allows(caller, policy::action::machine_read, state.config.machine_id(event.machine))) {
            event.machine.clear();
        }
    }
    return std::move(*events);
}

Answer<std::vector<policy::AuditEvent>> ControlPlane::audit_chain(const Caller& caller, std::uint64_t after,
                                                                  std::size_t limit, Time now) {
    auto& state = *state_;
    if (!state.allows(caller, policy::action::activity_read, state.group_id())) {
        auto problem = State::forbidden(caller, policy::action::activity_read, state.group_id());
        note_refusal(caller, policy::action::activity_read, state.group_id(), problem, now);
        return tl::unexpected{std::move(problem)};
    }
    tick(now);
    flush(now);
    store::EventFilter filter;
    filter.after = after;
    filter.limit = limit;
    auto events = state.store->events(filter);
    if (!events) {
        return tl::unexpected{Problem{503, "StoreUnavailable", "The audit cannot be read at the moment."}};
    }
    return std::move(*events);
}

const store::Store::Head& ControlPlane::audit_head() const {
    state_->finish_writing();
    return state_->store->head();
}

}  // namespace gateway::control_plane
