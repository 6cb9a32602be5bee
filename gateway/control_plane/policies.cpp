#include "gateway/control_plane/policies.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "policy/names.hpp"

namespace gateway::control_plane {

using captures::base::Time;
using policy::JitMachine;
using policy::JitPolicy;
using policy::JitPort;
using policy::same_name;

namespace {

Problem invalid(std::string message) { return {400, "InvalidPolicy", std::move(message)}; }

Problem invalid(const policy::JitFault& fault, const JitMachine& machine) {
    using Kind = policy::JitFault::Kind;
    const auto& name = machine.name;
    const auto port = [&]() -> const JitPort& { return machine.ports[fault.port]; };
    switch (fault.kind) {
        case Kind::no_ports: return invalid(fmt::format("Machine '{}' has no ports: give at least one.", name));
        case Kind::too_many_ports:
            return invalid(fmt::format("Machine '{}' has more than {} ports.", name, policy::most_ports));
        case Kind::no_sources:
            return invalid(
                fmt::format("Port {} of machine '{}' needs allowedSourceAddressPrefix or allowedSourceAddressPrefixes.",
                            port().number, name));
        case Kind::duration_out_of_range:
            return invalid(
                fmt::format("Port {} of machine '{}': maxRequestAccessDuration {} is out of range; give PT5M to P1D.",
                            port().number, name, captures::base::to_iso8601(port().max_duration)));
        case Kind::port_listed_twice:
            return invalid(fmt::format("Port {} of machine '{}' is listed twice.", port().number, name));
        case Kind::machine_listed_twice: return invalid(fmt::format("Machine '{}' is listed twice.", name));
        case Kind::names_too_long: break;
    }
    return invalid(fmt::format("The names of policy and machine '{}' have together more than {} characters.", name,
                               policy::longest_names));
}

}  // namespace

bool NameLess::operator()(std::string_view a, std::string_view b) const { return policy::is_before(a, b); }

Policies::Policies(Core& core, const Requests& requests)
    : core_{core}, requests_{requests}, of_file_{core.config.jit_policies} {}

Answer<std::vector<PolicyView>> Policies::list(const Caller& caller, const ListScope& scope, Time now) {
    const auto& config = core_.config;
    const auto subscription = fmt::format("/subscriptions/{}", config.firewall.subscription);
    const bool elsewhere = (scope.resource_group &&
                            !same_name(*scope.resource_group, config.firewall.resource_group)) ||
                           (scope.location && !same_name(*scope.location, config.firewall.location));
    std::vector<const JitPolicy*> visible;
    bool sees_any = core_.allows(caller, policy::action::jit_read,
                                 scope.resource_group ? core_.group_id() : subscription);
    for (const auto& policy : config.jit_policies) {
        const bool sees_all = core_.allows(caller, policy::action::jit_read, config.policy_id(policy.name));
        const auto is_seen = [&](const JitMachine& machine) { return core_.sees(caller, sees_all, machine.name); };
        const bool sees_some = std::ranges::any_of(policy.machines, is_seen);
        sees_any |= sees_some;
        if (sees_some || sees_all) visible.push_back(&policy);
    }
    if (!sees_any && visible.empty()) {
        const auto where = scope.resource_group ? core_.group_id() : subscription;
        auto problem = forbidden(caller, policy::action::jit_read, where);
        core_.note_refusal(make_event(caller, policy::action::jit_read, where, {}, now), problem);
        return tl::unexpected{std::move(problem)};
    }
    std::vector<PolicyView> views;
    if (elsewhere) return views;
    std::ranges::sort(visible, NameLess{}, &JitPolicy::name);
    for (const auto* policy : visible) {
        if (!scope.after.empty() && !NameLess{}(scope.after, policy->name)) continue;
        if (views.size() == scope.limit) break;
        views.push_back(view(caller, *policy, now));
    }
    return views;
}

Answer<PolicyView> Policies::policy(const Caller& caller, std::string_view name, Time now) {
    const auto id = core_.config.policy_id(name);
    const auto* policy = core_.policy(name);
    const bool reads_all = core_.allows(caller, policy::action::jit_read, id);
    if (policy != nullptr) {
        auto seen = view(caller, *policy, now);
        if (reads_all || !seen.policy.machines.empty()) return seen;
    }
    if (!reads_all) {
        auto problem = forbidden(caller, policy::action::jit_read, id);
        core_.note_refusal(make_event(caller, policy::action::jit_read, id, {}, now), problem);
        return tl::unexpected{std::move(problem)};
    }
    return tl::unexpected{no_policy(id)};
}

Answer<JitPolicy> Policies::drawn(const Caller& caller, std::string_view name, const PolicyDraft& draft) const {
    const auto refused = [](Problem problem) { return tl::unexpected{std::move(problem)}; };
    const auto* before = core_.policy(name);
    JitPolicy policy;
    policy.name = before != nullptr ? before->name : std::string{name};
    policy.on_expiry = draft.on_expiry.value_or(before != nullptr ? before->on_expiry : policy.on_expiry);
    policy.justification_required = draft.justification_required.value_or(before != nullptr &&
                                                                          before->justification_required);
    if (auto problem = may_not_leave_out(caller, before, draft)) return tl::unexpected{std::move(*problem)};
    for (const auto& [machine_id, ports] : draft.machines) {
        const auto* machine = core_.access.directory().machine_of_id(machine_id);
        const auto* as_before = before == nullptr || machine == nullptr ? nullptr : before->machine(machine->name);
        const bool changes = as_before == nullptr || as_before->ports != ports;
        if (changes && !core_.allows(caller, policy::action::machine_write, machine_id)) {
            return refused(forbidden(caller, policy::action::machine_write, machine_id));
        }
        if (machine == nullptr) {
            return refused(invalid(
                fmt::format("Just-In-Time Network Access Policy: '{}' contains non-existent virtual machines: {}", name,
                            machine_id)));
        }
        const JitMachine entry{machine->name, ports};
        if (const auto faults = policy::faults_of(entry, policy); !faults.empty()) {
            return refused(invalid(faults.front(), entry));
        }
        const auto covered = core_.access.directory().coverage(machine->name);
        if (covered.policy != nullptr && !same_name(covered.policy->name, name)) {
            return refused({409, "MachineInOtherPolicy",
                            fmt::format("Machine '{}' is under {} already: remove it there first.", machine->name,
                                        as_seen(caller, covered))});
        }
        policy.machines.push_back(entry);
    }
    return policy;
}

/// To take a machine out of its policy opens its ports: that is a change of its entry, too.
std::optional<Problem> Policies::may_not_leave_out(const Caller& caller, const JitPolicy* before,
                                                   const PolicyDraft& draft) const {
    if (before == nullptr) return {};
    std::set<std::string_view, NameLess> kept;
    for (const auto& [machine_id, ports] : draft.machines) {
        if (const auto* machine = core_.access.directory().machine_of_id(machine_id)) kept.emplace(machine->name);
    }
    const auto policy_id = core_.config.policy_id(before->name);
    const bool reads_policy = core_.allows(caller, policy::action::jit_read, policy_id);
    for (const auto& machine : before->machines) {
        const auto id = core_.config.machine_id(machine.name);
        if (kept.contains(machine.name) || core_.allows(caller, policy::action::machine_write, id)) continue;
        const bool is_hidden = !core_.sees(caller, reads_policy, machine.name);
        return forbidden(caller, policy::action::machine_write, is_hidden ? policy_id : id);
    }
    return {};
}

std::string Policies::as_seen(const Caller& caller, const config::Directory::Coverage& coverage) const {
    const auto& name = coverage.policy->name;
    const bool reads_policy = core_.allows(caller, policy::action::jit_read, core_.config.policy_id(name));
    return core_.sees(caller, reads_policy, coverage.machine->name) ? fmt::format("policy '{}'", name)
                                                                    : "another policy";
}

PolicyView Policies::view(const Caller& caller, const JitPolicy& policy, Time now) const {
    PolicyView view;
    view.id = core_.config.policy_id(policy.name);
    view.provisioning_state = "Succeeded";
    view.policy = policy;
    const bool sees_all = core_.allows(caller, policy::action::jit_read, view.id);
    std::erase_if(view.policy.machines,
                  [&](const JitMachine& machine) { return !core_.sees(caller, sees_all, machine.name); });
    for (const auto& machine : view.policy.machines) view.public_ips.push_back(public_ip(caller, machine.name, now));
    view.requests = requests_.of_policy(caller, policy.name);
    return view;
}

/// One address stands for all of a machine's mapped ports: there is none to tell where its windows are on several, or, without
/// windows, the firewall has several.
std::optional<captures::base::Ipv4Address> Policies::public_ip(const Caller& caller, std::string_view machine,
                                                               Time now) const {
    std::set<captures::base::Ipv4Address> addresses;
    for (const auto* record : core_.access.open_records(machine, now)) {
        if (record->listener && core_.may_know(caller, *record)) addresses.insert(record->listener->address);
    }
    if (addresses.empty() && core_.allows(caller, policy::action::connection_read, core_.config.machine_id(machine))) {
        addresses.insert(core_.config.firewall.public_ips.begin(), core_.config.firewall.public_ips.end());
    }
    return addresses.size() == 1 ? std::optional{*addresses.begin()} : std::nullopt;
}

}  // namespace gateway::control_plane
