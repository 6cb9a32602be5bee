#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "gateway/control_plane/guid.hpp"
#include "gateway/control_plane/state.hpp"
#include "policy/names.hpp"

namespace gateway::control_plane {

using captures::base::Time;
using policy::AccessRecord;
using policy::AuditEvent;
using policy::same_name;

namespace {

std::string client_key(const Caller& caller, const InitiateRequest& request) {
    if (caller.client_request_id.empty()) return {};
    return fmt::format("{}\n{}\n{}", policy::to_lower(caller.principal), caller.client_request_id, request.fingerprint);
}

/// One for each machine, under its name where there is such a machine.
Answer<std::vector<policy::AccessRequest>> requests_of(const Caller& caller, const InitiateRequest& request,
                                                       const config::Directory& directory) {
    std::vector<policy::AccessRequest> requests;
    for (const auto& [machine_id, ports] : request.machines) {
        const auto* machine = directory.machine_of_id(machine_id);
        policy::AccessRequest one{caller.principal, machine == nullptr ? machine_id : machine->name, ports,
                                  request.justification, caller.ipv4};
        if (const auto refusal = policy::malformed(one)) return tl::unexpected{problem_of(*refusal)};
        const auto is_same = [&](const policy::AccessRequest& other) { return same_name(other.machine, one.machine); };
        if (std::ranges::any_of(requests, is_same)) {
            return tl::unexpected{
                Problem{400, std::string{policy::refusal_code::invalid_input},
                        fmt::format("Machine '{}' is named twice: give all its ports together.", one.machine)}};
        }
        requests.push_back(std::move(one));
    }
    return requests;
}

}  // namespace

Problem problem_of(const policy::Refusal& refusal) {
    namespace code = policy::refusal_code;
    const int status = refusal.code == code::not_authorized      ? 403
                       : refusal.code == code::policy_not_found  ? 404
                       : refusal.code == code::request_not_found ? 404
                       : refusal.code == code::no_mapped_port    ? 409
                                                                 : 400;
    return {status, refusal.code, refusal.message};
}

std::string describe(const AccessRecord& record) {
    std::string sources;
    for (const auto& source : record.sources) {
        sources += sources.empty() ? "" : ", ";
        sources += to_string(source);
    }
    return fmt::format("port {} from {} until {}", record.port, sources, captures::base::to_rfc3339(record.end, 0));
}

Answer<RequestView> ControlPlane::initiate(const Caller& caller, std::string_view policy_name,
                                           const InitiateRequest& request, Time now) {
    auto& state = *state_;
    if (!request.can_wait || state.follows_gathered(request)) static_cast<void>(state.settle());
    tick(now);
    const auto policy_id = state.config.policy_id(policy_name);
    const auto& directory = state.access.directory();
    const auto refused = [&](Problem problem) -> Answer<RequestView> {
        const auto* machine = request.machines.size() == 1
                                  ? directory.machine_of_id(request.machines.front().machine_id)
                                  : nullptr;
        auto event = State::event(caller, policy::action::jit_initiate, policy_id,
                                  machine == nullptr ? std::string{} : machine->name, now);
        return tl::unexpected{state.refuse(std::move(event), std::move(problem))};
    };
    for (const auto& machine : request.machines) {
        if (!state.allows(caller, policy::action::jit_initiate, machine.machine_id)) {
            return refused(State::forbidden(caller, policy::action::jit_initiate, machine.machine_id));
        }
    }
    if (request.machines.empty()) {
        if (!state.allows(caller, policy::action::jit_initiate, policy_id)) {
            return refused(State::forbidden(caller, policy::action::jit_initiate, policy_id));
        }
        return refused(
            {400, std::string{policy::refusal_code::invalid_input}, "The request names no virtual machine."});
    }
    const auto key = client_key(caller, request);
    if (const auto before = state.repeated.find(key); !key.empty() && before != state.repeated.end()) {
        if (auto view = state.request_view(caller, before->second)) return *view;
    }

    const auto requests = requests_of(caller, request, directory);
    if (!requests) return refused(requests.error());
    const auto* policy = state.policy(policy_name);
    if (policy == nullptr) {
        return refused(State::no_policy(policy_id));
    }
    for (const auto& one : *requests) {
        if (policy->machine(one.machine) != nullptr) continue;
        return refused({400, std::string{policy::refusal_code::not_a_subset},
                        fmt::format("machine '{}' is not in policy '{}'", one.machine, policy->name)});
    }
    auto change = state.access.plan_request(*requests, now, state.gathered.ahead);
    if (!change) return refused(problem_of(change.error()));

    const auto id = new_ordered_guid(now);
    store::Commit commit;
    RequestView view{id, caller.principal, request.justification, now, {}, {}};
    for (auto i = change->replaced; i < change->records.size(); ++i) {
        auto& record = change->records[i];
        record.request = id;
        view.records.push_back(record);
        auto event = State::event(caller, policy::action::jit_initiate, policy_id, record.machine, now);
        event.status = "Accepted";
        event.detail = describe(record);
        if (!record.justification.empty()) event.detail += ": " + record.justification;
        commit.events.push_back(std::move(event));
    }
    commit.records = change->records;
    commit.mapped_ports = change->mapped_ports;
    commit.requests.push_back({id, key, now});
    const auto outcome = state.gather({id, key, std::move(*change)}, std::move(commit), now);
    if (request.can_wait) {
        view.settle = [&state, outcome] {
            if (*outcome == Gathered::Outcome::open) static_cast<void>(state.settle());
            return *outcome == Gathered::Outcome::written;
        };
    } else if (auto problem = state.settle()) {
        return tl::unexpected{std::move(*problem)};
    }
    return view;
}

bool ControlPlane::State::follows_gathered(const InitiateRequest& request) const {
    return std::ranges::any_of(request.machines, [this](const MachineRequest& one) {
        const auto* machine = access.directory().machine_of_id(one.machine_id);
        return machine != nullptr && gathered.machines.contains(policy::to_lower(machine->name));
    });
}

std::shared_ptr<Gathered::Outcome> ControlPlane::State::gather(Approval approval, store::Commit commit, Time now) {
    if (!gathered.outcome) gathered.outcome = std::make_shared<Gathered::Outcome>(Gathered::Outcome::open);
    const auto& change = approval.change;
    for (auto i = change.replaced; i < change.records.size(); ++i) {
        gathered.machines.insert(policy::to_lower(change.records[i].machine));
        ++gathered.ahead.windows;
    }
    std::ranges::copy(change.mapped_ports, std::back_inserter(gathered.ahead.mapped_ports));
    append(gathered.commit, std::move(commit));
    gathered.approvals.push_back(std::move(approval));
    gathered.now = now;
    return gathered.outcome;
}

std::optional<Problem> ControlPlane::State::settle() {
    if (!gathered.outcome) return {};
    auto [outcome, commit, approvals, machines, ahead, now] = std::exchange(gathered, {});
    auto problem = write(std::move(commit));
    *outcome = problem ? Gathered::Outcome::lost : Gathered::Outcome::written;
    if (problem) return problem;
    for (auto& [id, key, change] : approvals) {
        for (auto i = change.replaced; i < change.records.size(); ++i) remember(change.records[i]);
        carry_out(std::move(change), now);
        if (!key.empty()) repeated.emplace(key, id);
        ++numbers.approved;
    }
    return {};
}

Answer<ConnectionView> ControlPlane::extend(const Caller& caller, std::string_view machine, std::uint16_t port,
                                            captures::base::Duration duration, Time now) {
    auto& state = *state_;
    static_cast<void>(state.settle());
    tick(now);
    const auto id = state.id_of(machine);
    machine = state.name_of(machine);
    const auto* known = state.access.directory().machine(machine);
    auto event = State::event(caller, operation::extend, id, known == nullptr ? std::string{} : known->name, now);
    if (!state.allows(caller, policy::action::jit_initiate, id)) {
        return tl::unexpected{
            state.refuse(std::move(event), State::forbidden(caller, policy::action::jit_initiate, id))};
    }
    auto change = state.access.plan_extend(caller.principal, machine, port, duration, now);
    if (!change) return tl::unexpected{state.refuse(std::move(event), problem_of(change.error()))};
    const auto record = change->records.front();
    event.detail = describe(record);
    if (auto problem = state.write({change->records, {}, {}, {}, {std::move(event)}})) {
        return tl::unexpected{std::move(*problem)};
    }
    state.carry_out(std::move(*change), now);
    return state.connection_view(record).value_or(ConnectionView{record, {}, known->os});
}

Answer<std::vector<AccessRecord>> ControlPlane::revoke(const Caller& caller, std::string_view machine,
                                                       std::uint16_t port, bool cut, Time now) {
    auto& state = *state_;
    static_cast<void>(state.settle());
    tick(now);
    const auto id = state.id_of(machine);
    machine = state.name_of(machine);
    const auto* known = state.access.directory().machine(machine);
    const auto make_event = [&] {
        return State::event(caller, operation::revoke, id, known == nullptr ? std::string{} : known->name, now);
    };
    if (!state.allows(caller, policy::action::jit_initiate, id) &&
        !state.allows(caller, policy::action::jit_write, id)) {
        return tl::unexpected{state.refuse(make_event(), State::forbidden(caller, policy::action::jit_initiate, id))};
    }
    auto change = state.access.plan_revoke(caller.principal, machine, port, cut, now);
    if (!change) return tl::unexpected{state.refuse(make_event(), problem_of(change.error()))};
    store::Commit commit;
    commit.records = change->records;
    for (const auto& record : change->records) {
        auto event = make_event();
        event.sub_status = policy::to_string(record.status_reason);
        event.detail = fmt::format("{} of {}{}", describe(record), record.requestor,
                                   cut ? ", with its connections" : "");
        commit.events.push_back(std::move(event));
    }
    if (auto problem = state.write(std::move(commit))) return tl::unexpected{std::move(*problem)};
    auto ended = change->records;
    state.numbers.revoked += ended.size();
    state.carry_out(std::move(*change), now);
    return ended;
}

Answer<RequestView> ControlPlane::request(const Caller& caller, const std::string& id, Time now) {
    tick(now);
    auto event = State::event(caller, policy::action::connection_read, state_->group_id(), {}, now);
    event.detail = "status of a request";
    if (auto view = state_->request_view(caller, id)) {
        if (same_name(view->requestor, caller.principal)) return *view;  // was told when it was approved
        if (auto problem = state_->is_backlogged()) return tl::unexpected{std::move(*problem)};
        event.detail += " of " + view->requestor;
        state_->note(std::move(event));
        return *view;
    }
    const Problem unknown{404, std::string{policy::refusal_code::request_not_found},
                          "There is no such access request, or it is older than a week."};
    event.status = "Failed";
    event.sub_status = unknown.code;
    state_->note(std::move(event));
    return tl::unexpected{unknown};
}

std::string ControlPlane::State::id_of(std::string_view machine) const {
    return machine.starts_with('/') ? std::string{machine} : config.machine_id(machine);
}

std::string_view ControlPlane::State::name_of(std::string_view machine) const {
    if (!machine.starts_with('/')) return machine;
    const auto* known = access.directory().machine_of_id(machine);
    return known == nullptr ? machine : std::string_view{known->name};
}

void ControlPlane::State::remember(const AccessRecord& record) {
    if (record.request.empty()) return;
    auto& ids = requests[record.request];
    if (ids.empty()) request_ids[policy::to_lower(record.policy)].push_back(record.request);
    ids.push_back(record.id);
}

std::optional<RequestView> ControlPlane::State::request_view(const Caller& caller, const std::string& id) const {
    const auto found = requests.find(id);
    if (found == requests.end()) return {};
    RequestView view;
    for (const auto record_id : found->second) {
        const auto* record = access.record(record_id);
        if (record == nullptr || !may_know(caller, *record)) continue;
        view.records.push_back(*record);
    }
    if (view.records.empty()) return {};
    const auto& first = view.records.front();
    view.id = id;
    view.requestor = first.requestor;
    view.justification = first.justification;
    view.start = first.start;
    return view;
}

bool ControlPlane::State::may_know(const Caller& caller, const AccessRecord& record) const {
    return same_name(record.requestor, caller.principal) ||
           allows(caller, policy::action::connection_read, config.machine_id(record.machine));
}

}  // namespace gateway::control_plane
