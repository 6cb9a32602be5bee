#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "gateway/control_plane/policies.hpp"
#include "gateway/pipeline/tables.hpp"
#include "policy/names.hpp"

namespace gateway::control_plane {

using captures::base::Time;
using policy::JitMachine;
using policy::JitPolicy;
using policy::JitPort;

namespace {

constexpr const char* default_policy = "default";

/// What `az vm` and the VM page propose (facts: defender-for-cloud/just-in-time-access-usage).
JitPort default_port(const config::VirtualMachine& machine) {
    return {static_cast<std::uint16_t>(machine.os == "windows" ? 3389 : 22), {}, {{{0}, 0}}, std::chrono::hours{3}};
}

}  // namespace

void Policies::restore(std::vector<store::StoredPolicy> policies) {
    for (auto& one : policies) stored_[policy::to_lower(one.policy.name)] = std::move(one);
    apply();
}

void Policies::end_orphans(Time now) {
    auto orphans = core_.access.plan_policies(core_.config.jit_policies, now);
    core_.ledger.keep({orphans.records, {}, {}, {}, events_of(orphans, the_clock(), now)});
    core_.access.commit(std::move(orphans));
}

void Policies::put(const Caller& caller, std::string_view name, PolicyDraft draft, Time now, Done<PolicyView> done) {
    core_.decide({}, now,
                 [this, caller, name = std::string{name}, draft = std::move(draft), done = std::move(done)](
                     const Turn& turn, Time time) { put(turn, caller, name, draft, time, done); });
}

void Policies::remove(const Caller& caller, std::string_view name, Time now, Done<bool> done) {
    core_.decide(
        {}, now, [this, caller, name = std::string{name}, done = std::move(done)](const Turn& turn, Time time) {
            const auto id = core_.config.policy_id(name);
            if (!core_.allows(caller, policy::action::jit_delete, id)) {
                return core_.refuse(make_event(caller, policy::action::jit_delete, id, {}, time),
                                    forbidden(caller, policy::action::jit_delete, id),
                                    [done](Problem problem) { done(tl::unexpected{std::move(problem)}); });
            }
            const auto* policy = core_.policy(name);
            if (policy == nullptr) return done(false);
            auto event = make_event(caller, policy::action::jit_delete, core_.config.policy_id(policy->name), {}, time);
            event.detail = fmt::format("policy {} is deleted: its ports are open to whom rules and NSGs let in",
                                       policy->name);
            JitPolicy nothing;
            nothing.name = policy->name;
            keep(turn, caller, {std::move(nothing), true, time, caller.principal}, std::move(event),
                 [done](std::optional<Problem> failure) {
                     if (failure) return done(tl::unexpected{std::move(*failure)});
                     done(true);
                 });
        });
}

void Policies::enable(const Caller& caller, std::string_view machine, std::vector<JitPort> ports, Time now,
                      Done<PolicyView> done) {
    core_.decide({}, now,
                 [this, caller, machine = std::string{machine}, ports = std::move(ports), done = std::move(done)](
                     const Turn& turn, Time time) { enable(turn, caller, machine, ports, time, done); });
}

void Policies::disable(const Caller& caller, std::string_view machine, Time now, Done<PolicyView> done) {
    core_.decide({}, now,
                 [this, caller, machine = std::string{machine}, done = std::move(done)](const Turn& turn, Time time) {
                     disable(turn, caller, machine, time, done);
                 });
}

void Policies::reload(config::Config config, const Caller* caller, Time now, std::function<void(Changes)> done) {
    core_.decide({}, now,
                 [this, config = std::move(config), who = caller == nullptr ? the_clock() : *caller,
                  done = std::move(done)](const Turn& turn, Time time) { reload(turn, config, who, time, done); });
}

void Policies::put(const Turn& turn, const Caller& caller, std::string_view name, const PolicyDraft& draft, Time now,
                   const Done<PolicyView>& done) {
    const auto id = core_.config.policy_id(name);
    auto policy = core_.allows(caller, policy::action::jit_write, id)
                      ? drawn(caller, name, draft)
                      : tl::unexpected{forbidden(caller, policy::action::jit_write, id)};
    if (!policy) {
        return core_.refuse(make_event(caller, policy::action::jit_write, id, {}, now), policy.error(),
                            [done](Problem problem) { done(tl::unexpected{std::move(problem)}); });
    }
    auto event = make_event(caller, policy::action::jit_write, core_.config.policy_id(policy->name), {}, now);
    std::string machines;
    for (const auto& machine : policy->machines) machines += fmt::format(" {}", machine.name);
    event.detail = fmt::format("policy {} now covers{}", policy->name, machines.empty() ? " no machine" : machines);
    const auto policy_name = policy->name;
    keep(turn, caller, {std::move(*policy), false, now, caller.principal}, std::move(event),
         [this, caller, policy_name, now, done](std::optional<Problem> failure) {
             if (failure) return done(tl::unexpected{std::move(*failure)});
             auto answer = view(caller, *core_.policy(policy_name), now);
             answer.provisioning_state = "Updating";
             done(std::move(answer));
         });
}

void Policies::enable(const Turn& turn, const Caller& caller, std::string_view machine, std::vector<JitPort> ports,
                      Time now, const Done<PolicyView>& done) {
    const auto* known = core_.access.directory().machine(machine);
    const auto id = core_.config.machine_id(machine);
    const auto refuse = [&](const std::string& name, Problem problem) {
        core_.refuse(make_event(caller, policy::action::jit_write, id, name, now), std::move(problem),
                     [done](Problem refused) { done(tl::unexpected{std::move(refused)}); });
    };
    if (known == nullptr || !core_.allows(caller, policy::action::machine_read, id)) {
        return refuse({}, core_.no_machine(machine));
    }
    const auto policy_id = core_.config.policy_id(default_policy);
    if (!core_.allows(caller, policy::action::jit_write, policy_id)) {
        return refuse(known->name, forbidden(caller, policy::action::jit_write, policy_id));
    }
    if (!core_.allows(caller, policy::action::machine_write, id)) {
        return refuse(known->name, forbidden(caller, policy::action::machine_write, id));
    }
    if (const auto coverage = core_.access.directory().coverage(machine); coverage.policy != nullptr) {
        return refuse(known->name, {409, "AlreadyConfigured",
                                    fmt::format("Machine '{}' is under {} already: change that policy instead.",
                                                known->name, as_seen(caller, coverage))});
    }
    if (ports.empty()) ports.push_back(default_port(*known));
    PolicyDraft draft;
    if (const auto* policy = core_.policy(default_policy)) {
        for (const auto& other : policy->machines) {
            draft.machines.push_back({core_.config.machine_id(other.name), other.ports});
        }
    }
    draft.machines.push_back({core_.config.machine_id(known->name), std::move(ports)});
    put(turn, caller, default_policy, draft, now, done);
}

void Policies::disable(const Turn& turn, const Caller& caller, std::string_view machine, Time now,
                       const Done<PolicyView>& done) {
    const auto coverage = core_.access.directory().coverage(machine);
    const auto id = core_.config.machine_id(machine);
    if (coverage.policy == nullptr || !core_.allows(caller, policy::action::machine_read, id)) {
        return core_.refuse(make_event(caller, policy::action::jit_write, id, {}, now), core_.no_machine(machine),
                            [done](Problem problem) { done(tl::unexpected{std::move(problem)}); });
    }
    PolicyDraft draft;
    for (const auto& other : coverage.policy->machines) {
        if (policy::same_name(other.name, machine)) continue;
        draft.machines.push_back({core_.config.machine_id(other.name), other.ports});
    }
    put(turn, caller, std::string{coverage.policy->name}, draft, now, done);
}

void Policies::reload(const Turn& turn, config::Config config, const Caller& caller, Time now,
                      const std::function<void(Changes)>& done) {
    if (const auto tables = pipeline::Tables::build(config); !tables) return done(tl::unexpected{tables.error()});
    auto of_file = config.jit_policies;
    config.jit_policies = merge(config, of_file, stored_);
    auto changes = changes_between(core_.config, config);  // in effect, whatever the file says of policies
    auto event = make_event(caller, policy::action::firewall_write, core_.config.firewall.resource_id(), {}, now);
    event.detail = fmt::format("the configuration was read anew, {} changes", changes.size());
    auto orphans = core_.access.plan_policies(config.jit_policies, now);
    store::Commit commit{orphans.records, {}, {}, {}, {std::move(event)}};
    std::ranges::move(events_of(orphans, caller, now), std::back_inserter(commit.events));
    core_.ledger.submit(std::move(commit), [this, turn, config = std::move(config), of_file = std::move(of_file),
                                            orphans = std::move(orphans), changes = std::move(changes), now,
                                            done](const std::optional<Problem>& failure) {
        if (failure) return done(tl::unexpected{failure->message});
        core_.carry_out(orphans, now);
        of_file_ = of_file;
        core_.config = config;
        apply();
        core_.load_enforcer(now);
        done(changes);
    });
}

void Policies::keep(const Turn& turn, const Caller& caller, store::StoredPolicy changed, policy::AuditEvent event,
                    std::function<void(std::optional<Problem>)> then) {
    const auto now = changed.changed;
    auto stored = stored_;
    stored[policy::to_lower(changed.policy.name)] = changed;
    auto orphans = core_.access.plan_policies(merge(core_.config, of_file_, stored), now);
    store::Commit commit{orphans.records, {std::move(changed)}, {}, {}, {std::move(event)}};
    std::ranges::move(events_of(orphans, caller, now), std::back_inserter(commit.events));
    core_.ledger.submit(std::move(commit), [this, turn, stored = std::move(stored), orphans = std::move(orphans), now,
                                            then = std::move(then)](const std::optional<Problem>& failure) {
        if (failure) return then(failure);
        core_.carry_out(orphans, now);
        stored_ = stored;
        apply();
        core_.load_enforcer(now);
        then({});
    });
}

void Policies::apply() noexcept {
    core_.config.jit_policies = merge(core_.config, of_file_, stored_);
    store::Commit commit;
    commit.mapped_ports = core_.access.use(core_.config);
    core_.ledger.keep(std::move(commit));
}

/// The store's policies stand in the place of the file's of the same name; a machine that two would cover belongs to
/// the store's.
std::vector<JitPolicy> Policies::merge(const config::Config& all, const std::vector<JitPolicy>& file,
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

std::vector<policy::AuditEvent> Policies::events_of(const access::AccessChange& orphans, const Caller& caller,
                                                    Time now) const {
    std::vector<policy::AuditEvent> events;
    for (const auto& record : orphans.records) {
        auto& one = events.emplace_back(
            make_event(caller, operation::revoke, core_.config.machine_id(record.machine), record.machine, now));
        one.sub_status = policy::to_string(record.status_reason);
        one.detail = fmt::format("{} of {}: policy {} no longer grants it", describe(record), record.requestor,
                                 record.policy);
    }
    return events;
}

}  // namespace gateway::control_plane
