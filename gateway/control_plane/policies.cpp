#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "gateway/control_plane/state.hpp"
#include "policy/names.hpp"

namespace gateway::control_plane {

using captures::base::Time;
using policy::JitMachine;
using policy::JitPolicy;
using policy::JitPort;
using policy::same_name;

namespace {

constexpr std::size_t most_told_requests = 200;  // of a policy; older ones are in the activity log

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

Answer<std::vector<PolicyView>> ControlPlane::list_policies(const Caller& caller, const ListScope& scope, Time now) {
    const auto& config = state_->config;
    const auto subscription = fmt::format("/subscriptions/{}", config.firewall.subscription);
    const bool elsewhere = (scope.resource_group &&
                            !same_name(*scope.resource_group, config.firewall.resource_group)) ||
                           (scope.location && !same_name(*scope.location, config.firewall.location));
    std::vector<const JitPolicy*> visible;
    bool sees_any = state_->allows(caller, policy::action::jit_read,
                                   scope.resource_group ? state_->group_id() : subscription);
    for (const auto& policy : config.jit_policies) {
        const bool sees_all = state_->allows(caller, policy::action::jit_read, config.policy_id(policy.name));
        const auto is_seen = [&](const JitMachine& machine) { return state_->sees(caller, sees_all, machine.name); };
        const bool sees_some = std::ranges::any_of(policy.machines, is_seen);
        sees_any |= sees_some;
        if (sees_some || sees_all) visible.push_back(&policy);
    }
    if (!sees_any && visible.empty()) {
        const auto where = scope.resource_group ? state_->group_id() : subscription;
        auto problem = State::forbidden(caller, policy::action::jit_read, where);
        note_refusal(caller, policy::action::jit_read, where, problem, now);
        return tl::unexpected{std::move(problem)};
    }
    std::vector<PolicyView> views;
    if (elsewhere) return views;
    std::ranges::sort(visible, NameLess{}, &JitPolicy::name);
    for (const auto* policy : visible) {
        if (!scope.after.empty() && !NameLess{}(scope.after, policy->name)) continue;
        if (views.size() == scope.limit) break;
        views.push_back(state_->view(caller, *policy, now));
    }
    return views;
}

Answer<PolicyView> ControlPlane::policy(const Caller& caller, std::string_view name, Time now) {
    const auto id = state_->config.policy_id(name);
    const auto* policy = state_->policy(name);
    const bool reads_all = state_->allows(caller, policy::action::jit_read, id);
    if (policy != nullptr) {
        auto view = state_->view(caller, *policy, now);
        if (reads_all || !view.policy.machines.empty()) return view;
    }
    if (!reads_all) {
        auto problem = State::forbidden(caller, policy::action::jit_read, id);
        note_refusal(caller, policy::action::jit_read, id, problem, now);
        return tl::unexpected{std::move(problem)};
    }
    return tl::unexpected{State::no_policy(id)};
}

Answer<PolicyView> ControlPlane::put_policy(const Caller& caller, std::string_view name, const PolicyDraft& draft,
                                            Time now) {
    auto& state = *state_;
    const auto id = state.config.policy_id(name);
    const auto refused = [&](Problem problem) -> Answer<PolicyView> {
        return tl::unexpected{
            state.refuse(State::event(caller, policy::action::jit_write, id, {}, now), std::move(problem))};
    };
    if (!state.allows(caller, policy::action::jit_write, id)) {
        return refused(State::forbidden(caller, policy::action::jit_write, id));
    }
    const auto* before = state.policy(name);
    JitPolicy policy;
    policy.name = before != nullptr ? before->name : std::string{name};
    policy.on_expiry = draft.on_expiry.value_or(before != nullptr ? before->on_expiry : policy.on_expiry);
    policy.justification_required = draft.justification_required.value_or(before != nullptr &&
                                                                          before->justification_required);
    if (auto problem = state.may_not_leave_out(caller, before, draft)) return refused(std::move(*problem));
    for (const auto& [machine_id, ports] : draft.machines) {
        const auto* machine = state.access.directory().machine_of_id(machine_id);
        const auto* as_before = before == nullptr || machine == nullptr ? nullptr : before->machine(machine->name);
        const bool changes = as_before == nullptr || as_before->ports != ports;
        if (changes && !state.allows(caller, policy::action::machine_write, machine_id)) {
            return refused(State::forbidden(caller, policy::action::machine_write, machine_id));
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
        const auto covered = state.access.directory().coverage(machine->name);
        if (covered.policy != nullptr && !same_name(covered.policy->name, name)) {
            return refused({409, "MachineInOtherPolicy",
                            fmt::format("Machine '{}' is under {} already: remove it there first.", machine->name,
                                        state.policy_as_seen(caller, covered))});
        }
        policy.machines.push_back(entry);
    }
    return state.replace(caller, std::move(policy), now);
}

Answer<bool> ControlPlane::delete_policy(const Caller& caller, std::string_view name, Time now) {
    const auto id = state_->config.policy_id(name);
    if (!state_->allows(caller, policy::action::jit_delete, id)) {
        return tl::unexpected{state_->refuse(State::event(caller, policy::action::jit_delete, id, {}, now),
                                             State::forbidden(caller, policy::action::jit_delete, id))};
    }
    const auto* policy = state_->policy(name);
    if (policy == nullptr) return false;
    return state_->remove(caller, JitPolicy{*policy}, now);
}

/// To take a machine out of its policy opens its ports: that is a change of its entry, too.
std::optional<Problem> ControlPlane::State::may_not_leave_out(const Caller& caller, const JitPolicy* before,
                                                              const PolicyDraft& draft) const {
    if (before == nullptr) return {};
    std::set<std::string_view, NameLess> kept;
    for (const auto& [machine_id, ports] : draft.machines) {
        if (const auto* machine = access.directory().machine_of_id(machine_id)) kept.emplace(machine->name);
    }
    const auto policy_id = config.policy_id(before->name);
    const bool reads_policy = allows(caller, policy::action::jit_read, policy_id);
    for (const auto& machine : before->machines) {
        const auto id = config.machine_id(machine.name);
        if (kept.contains(machine.name) || allows(caller, policy::action::machine_write, id)) continue;
        const bool is_hidden = !sees(caller, reads_policy, machine.name);
        return forbidden(caller, policy::action::machine_write, is_hidden ? policy_id : id);
    }
    return {};
}

std::string ControlPlane::State::policy_as_seen(const Caller& caller,
                                                const config::Directory::Coverage& coverage) const {
    const auto& name = coverage.policy->name;
    const bool reads_policy = allows(caller, policy::action::jit_read, config.policy_id(name));
    return sees(caller, reads_policy, coverage.machine->name) ? fmt::format("policy '{}'", name) : "another policy";
}

const JitPolicy* ControlPlane::State::policy(std::string_view name) const {
    const auto found = std::ranges::find_if(config.jit_policies,
                                            [&](const JitPolicy& one) { return same_name(one.name, name); });
    return found == config.jit_policies.end() ? nullptr : &*found;
}

void ControlPlane::State::apply_policies() noexcept {
    config.jit_policies = merge(config, file_policies, changed_policies);
    for (auto& mapped : access.use(config)) late.mapped_ports.push_back(std::move(mapped));
}

/// The store's policies stand in the place of the file's of the same name; a machine that two would cover belongs to
/// the store's.
std::vector<JitPolicy> ControlPlane::State::merge(const config::Config& all, const std::vector<JitPolicy>& file,
                                                  const StoredPolicies& stored) {
    const config::Directory directory{all};
    std::vector<JitPolicy> policies;
    std::set<std::string_view, NameLess> taken;
    for (const auto& [name, changed] : stored) {
        if (changed.deleted) continue;
        policies.push_back(changed.policy);
        std::erase_if(policies.back().machines,
                      [&](const JitMachine& one) { return directory.machine(one.name) == nullptr; });
        for (const auto& machine : changed.policy.machines) taken.emplace(machine.name);
    }
    for (const auto& policy : file) {
        if (stored.contains(policy::to_lower(policy.name))) continue;
        policies.push_back(policy);
        std::erase_if(policies.back().machines, [&](const JitMachine& one) { return taken.contains(one.name); });
    }
    return policies;
}

Answer<PolicyView> ControlPlane::State::replace(const Caller& caller, JitPolicy policy, Time now) {
    auto event = ControlPlane::State::event(caller, policy::action::jit_write, config.policy_id(policy.name), {}, now);
    std::string machines;
    for (const auto& machine : policy.machines) machines += fmt::format(" {}", machine.name);
    event.detail = fmt::format("policy {} now covers{}", policy.name, machines.empty() ? " no machine" : machines);
    const auto name = policy.name;
    if (auto problem = keep(caller, {std::move(policy), false, now, caller.principal}, std::move(event))) {
        return tl::unexpected{std::move(*problem)};
    }
    auto answer = view(caller, *this->policy(name), now);
    answer.provisioning_state = "Updating";
    return answer;
}

Answer<bool> ControlPlane::State::remove(const Caller& caller, const JitPolicy& policy, Time now) {
    auto event = ControlPlane::State::event(caller, policy::action::jit_delete, config.policy_id(policy.name), {}, now);
    event.detail = fmt::format("policy {} is deleted: its ports are open to whom rules and NSGs let in", policy.name);
    JitPolicy nothing;
    nothing.name = policy.name;
    if (auto problem = keep(caller, {std::move(nothing), true, now, caller.principal}, std::move(event))) {
        return tl::unexpected{std::move(*problem)};
    }
    return true;
}

std::optional<Problem> ControlPlane::State::keep(const Caller& caller, store::StoredPolicy changed,
                                                 policy::AuditEvent event) {
    static_cast<void>(settle());
    const auto now = changed.changed;
    auto stored = changed_policies;
    stored[policy::to_lower(changed.policy.name)] = changed;
    auto orphans = access.plan_policies(merge(config, file_policies, stored), now);
    store::Commit commit{orphans.records, {std::move(changed)}, {}, {}, {std::move(event)}};
    std::ranges::move(events_of(orphans, caller, now), std::back_inserter(commit.events));
    if (auto problem = write(std::move(commit))) return problem;
    carry_out(std::move(orphans), now);
    changed_policies = std::move(stored);
    apply_policies();
    load_enforcer(now);
    return {};
}

std::vector<policy::AuditEvent> ControlPlane::State::events_of(const access::AccessChange& orphans,
                                                               const Caller& caller, Time now) const {
    std::vector<policy::AuditEvent> events;
    for (const auto& record : orphans.records) {
        auto& one = events.emplace_back(
            event(caller, operation::revoke, config.machine_id(record.machine), record.machine, now));
        one.sub_status = policy::to_string(record.status_reason);
        one.detail = fmt::format("{} of {}: policy {} no longer grants it", describe(record), record.requestor,
                                 record.policy);
    }
    return events;
}

PolicyView ControlPlane::State::view(const Caller& caller, const JitPolicy& policy, Time now) const {
    PolicyView view;
    view.id = config.policy_id(policy.name);
    view.provisioning_state = "Succeeded";
    view.policy = policy;
    const bool sees_all = allows(caller, policy::action::jit_read, view.id);
    std::erase_if(view.policy.machines,
                  [&](const JitMachine& machine) { return !sees(caller, sees_all, machine.name); });
    for (const auto& machine : view.policy.machines) view.public_ips.push_back(public_ip(caller, machine.name, now));
    const auto ids = request_ids.find(policy::to_lower(policy.name));
    if (ids == request_ids.end()) return view;
    for (auto id = ids->second.rbegin(); id != ids->second.rend() && view.requests.size() < most_told_requests; ++id) {
        if (auto request = request_view(caller, *id)) view.requests.push_back(std::move(*request));
    }
    std::ranges::reverse(view.requests);
    return view;
}

/// One address stands for all of a machine's mapped ports: there is none to tell where its windows are on several, or, without
/// windows, the firewall has several.
std::optional<captures::base::Ipv4Address> ControlPlane::State::public_ip(const Caller& caller,
                                                                          std::string_view machine, Time now) const {
    std::set<captures::base::Ipv4Address> addresses;
    for (const auto* record : access.open_records(machine, now)) {
        if (record->listener && may_know(caller, *record)) addresses.insert(record->listener->address);
    }
    if (addresses.empty() && allows(caller, policy::action::connection_read, config.machine_id(machine))) {
        addresses.insert(config.firewall.public_ips.begin(), config.firewall.public_ips.end());
    }
    return addresses.size() == 1 ? std::optional{*addresses.begin()} : std::nullopt;
}

bool ControlPlane::State::allows(const Caller& caller, std::string_view action, std::string_view resource) const {
    return access.authorization().allows(caller.principal, action, resource);
}

std::string ControlPlane::State::group_id() const {
    return fmt::format("/subscriptions/{}/resourceGroups/{}", config.firewall.subscription,
                       config.firewall.resource_group);
}

bool ControlPlane::State::sees(const Caller& caller, bool reads_policy, std::string_view machine) const {
    return reads_policy || allows(caller, policy::action::jit_read, config.machine_id(machine));
}

Problem ControlPlane::State::forbidden(const Caller& caller, std::string_view action, std::string_view scope) {
    return problem_of(access::not_authorized(caller.principal, action, scope));
}

Problem ControlPlane::State::no_policy(std::string_view id) {
    return {404, std::string{policy::refusal_code::policy_not_found},
            fmt::format("Just-In-Time Network Access Policy '{}' does not exist.", id)};
}

}  // namespace gateway::control_plane
