#include "gateway/control_plane/requests.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "gateway/control_plane/guid.hpp"
#include "policy/names.hpp"

namespace gateway::control_plane {

using access::AccessChange;
using captures::base::Time;
using policy::AccessRecord;
using policy::same_name;

namespace {

constexpr std::size_t most_told_requests = 200;  // of a policy; older ones are in the activity log

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

/// To whom a problem is told as the outcome.
template <class T>
auto refused_to(const Done<T>& done) {
    return [done](Problem problem) { done(tl::unexpected{std::move(problem)}); };
}

}  // namespace

void Requests::restore(const std::vector<AccessRecord>& records, const std::vector<store::StoredRequest>& requests) {
    for (const auto& request : requests) {
        if (!request.client_key.empty()) repeated_.emplace(request.client_key, request.id);
    }
    for (const auto& record : records) remember(record);
}

void Requests::initiate(const Caller& caller, std::string_view policy, InitiateRequest request, Time now,
                        Done<RequestView> done) {
    std::vector<std::string> machines;
    for (const auto& one : request.machines) machines.push_back(policy::to_lower(core_.name_of(one.machine_id)));
    if (machines.empty()) machines.emplace_back();  // of no machine
    core_.decide(std::move(machines), now,
                 [this, caller, name = std::string{policy}, request = std::move(request), done = std::move(done)](
                     const Turn& turn, Time time) { initiate(turn, caller, name, request, time, done); });
}

void Requests::initiate(const Turn& turn, const Caller& caller, const std::string& policy_name,
                        const InitiateRequest& request, Time now, const Done<RequestView>& done) {
    const auto policy_id = core_.config.policy_id(policy_name);
    const auto& directory = core_.access.directory();
    const auto refuse = [&](Problem problem) {
        const auto* machine = request.machines.size() == 1
                                  ? directory.machine_of_id(request.machines.front().machine_id)
                                  : nullptr;
        auto event = make_event(caller, policy::action::jit_initiate, policy_id,
                                machine == nullptr ? std::string{} : machine->name, now);
        core_.refuse(std::move(event), std::move(problem), refused_to(done));
    };
    for (const auto& machine : request.machines) {
        if (!core_.allows(caller, policy::action::jit_initiate, machine.machine_id)) {
            return refuse(forbidden(caller, policy::action::jit_initiate, machine.machine_id));
        }
    }
    if (request.machines.empty()) {
        if (!core_.allows(caller, policy::action::jit_initiate, policy_id)) {
            return refuse(forbidden(caller, policy::action::jit_initiate, policy_id));
        }
        return refuse({400, std::string{policy::refusal_code::invalid_input}, "The request names no virtual machine."});
    }
    const auto key = client_key(caller, request);
    if (const auto before = repeated_.find(key); !key.empty() && before != repeated_.end()) {
        if (auto known = view(caller, before->second)) return done(std::move(*known));
    }

    const auto requests = requests_of(caller, request, directory);
    if (!requests) return refuse(requests.error());
    const auto* policy = core_.policy(policy_name);
    if (policy == nullptr) return refuse(no_policy(policy_id));
    for (const auto& one : *requests) {
        if (policy->machine(one.machine) != nullptr) continue;
        return refuse({400, std::string{policy::refusal_code::not_a_subset},
                       fmt::format("machine '{}' is not in policy '{}'", one.machine, policy->name)});
    }
    auto change = core_.access.plan_request(*requests, now);
    if (!change) return refuse(problem_of(change.error()));

    RequestView view{new_ordered_guid(now), caller.principal, request.justification, now, {}};
    store::Commit commit;
    for (auto i = change->replaced; i < change->records.size(); ++i) {
        auto& record = change->records[i];
        record.request = view.id;
        view.records.push_back(record);
        auto event = make_event(caller, policy::action::jit_initiate, policy_id, record.machine, now);
        event.status = "Accepted";
        event.detail = describe(record);
        if (!record.justification.empty()) event.detail += ": " + record.justification;
        commit.events.push_back(std::move(event));
    }
    commit.records = change->records;
    commit.mapped_ports = change->mapped_ports;
    commit.requests.push_back({view.id, key, now});
    core_.access.reserve(*change);
    core_.ledger.submit(std::move(commit), [this, turn, key, now, done, view = std::move(view),
                                            change = std::move(*change)](std::optional<Problem> failure) {
        if (failure) {
            core_.access.release(change);
            return done(tl::unexpected{std::move(*failure)});
        }
        for (const auto& record : view.records) remember(record);
        core_.carry_out(change, now);
        if (!key.empty()) repeated_.emplace(key, view.id);
        ++core_.counts.approved;
        done(view);
    });
}

void Requests::extend(const Caller& caller, std::string_view machine, std::uint16_t port,
                      captures::base::Duration duration, Time now, Done<ConnectionView> done) {
    core_.decide(
        {policy::to_lower(core_.name_of(machine))}, now,
        [this, caller, machine = std::string{machine}, port, duration, done = std::move(done)](const Turn& turn,
                                                                                               Time time) {
            auto event = event_about(caller, operation::extend, machine, time);
            const auto id = core_.id_of(machine);
            if (!core_.allows(caller, policy::action::jit_initiate, id)) {
                return core_.refuse(std::move(event), forbidden(caller, policy::action::jit_initiate, id),
                                    refused_to(done));
            }
            auto change = core_.access.plan_extend(caller.principal, core_.name_of(machine), port, duration, time);
            if (!change) {
                return core_.refuse(std::move(event), problem_of(change.error()), refused_to(done));
            }
            event.detail = describe(change->records.front());
            store::Commit commit{change->records, {}, {}, {}, {std::move(event)}};
            core_.ledger.submit(std::move(commit),
                                [this, turn, time, done, change = std::move(*change)](std::optional<Problem> failure) {
                                    if (failure) return done(tl::unexpected{std::move(*failure)});
                                    core_.carry_out(change, time);
                                    const auto& record = change.records.front();
                                    done(connection_view(record).value_or(ConnectionView{record, {}, {}}));
                                });
        });
}

void Requests::revoke(const Caller& caller, std::string_view machine, std::uint16_t port, bool cut, Time now,
                      Done<std::vector<AccessRecord>> done) {
    core_.decide(
        {policy::to_lower(core_.name_of(machine))}, now,
        [this, caller, machine = std::string{machine}, port, cut, done = std::move(done)](const Turn& turn, Time time) {
            auto event = event_about(caller, operation::revoke, machine, time);
            const auto id = core_.id_of(machine);
            if (!core_.allows(caller, policy::action::jit_initiate, id) &&
                !core_.allows(caller, policy::action::jit_write, id)) {
                return core_.refuse(std::move(event), forbidden(caller, policy::action::jit_initiate, id),
                                    refused_to(done));
            }
            auto change = core_.access.plan_revoke(caller.principal, core_.name_of(machine), port, cut, time);
            if (!change) {
                return core_.refuse(std::move(event), problem_of(change.error()), refused_to(done));
            }
            store::Commit commit;
            commit.records = change->records;
            for (const auto& record : change->records) {
                auto& one = commit.events.emplace_back(event);
                one.sub_status = policy::to_string(record.status_reason);
                one.detail = fmt::format("{} of {}{}", describe(record), record.requestor,
                                         cut ? ", with its connections" : "");
            }
            core_.ledger.submit(std::move(commit),
                                [this, turn, time, done, change = std::move(*change)](std::optional<Problem> failure) {
                                    if (failure) return done(tl::unexpected{std::move(*failure)});
                                    core_.counts.revoked += change.records.size();
                                    core_.carry_out(change, time);
                                    done(change.records);
                                });
        });
}

Answer<RequestView> Requests::request(const Caller& caller, const std::string& id, Time now) {
    auto event = make_event(caller, policy::action::connection_read, core_.group_id(), {}, now);
    event.detail = "status of a request";
    if (auto known = view(caller, id)) {
        if (same_name(known->requestor, caller.principal)) return *known;  // was told when it was approved
        if (auto problem = core_.ledger.problem()) return tl::unexpected{std::move(*problem)};
        event.detail += " of " + known->requestor;
        core_.ledger.note(std::move(event));
        return *known;
    }
    const Problem unknown{404, std::string{policy::refusal_code::request_not_found},
                          "There is no such access request, or it is older than a week."};
    event.status = "Failed";
    event.sub_status = unknown.code;
    core_.ledger.note(std::move(event));
    return tl::unexpected{unknown};
}

std::vector<RequestView> Requests::of_policy(const Caller& caller, std::string_view policy) const {
    std::vector<RequestView> views;
    const auto ids = of_policy_.find(policy::to_lower(policy));
    if (ids == of_policy_.end()) return views;
    for (auto id = ids->second.rbegin(); id != ids->second.rend() && views.size() < most_told_requests; ++id) {
        if (auto request = view(caller, *id)) views.push_back(std::move(*request));
    }
    std::ranges::reverse(views);
    return views;
}

std::optional<ConnectionView> Requests::connection_view(const AccessRecord& record) const {
    const auto* machine = core_.access.directory().machine(record.machine);
    if (machine == nullptr) return {};
    return ConnectionView{record, core_.access.connection_of(record), machine->os};
}

void Requests::forget(Time before) {
    core_.access.forget(before);
    for (auto request = records_.begin(); request != records_.end();) {
        std::erase_if(request->second, [this](auto id) { return core_.access.record(id) == nullptr; });
        request = request->second.empty() ? records_.erase(request) : std::next(request);
    }
    for (auto& [name, ids] : of_policy_) {
        std::erase_if(ids, [this](const auto& id) { return !records_.contains(id); });
    }
    std::erase_if(repeated_, [this](const auto& one) { return !records_.contains(one.second); });
}

void Requests::remember(const AccessRecord& record) {
    if (record.request.empty()) return;
    auto& ids = records_[record.request];
    if (ids.empty()) of_policy_[policy::to_lower(record.policy)].push_back(record.request);
    ids.push_back(record.id);
}

std::optional<RequestView> Requests::view(const Caller& caller, const std::string& id) const {
    const auto found = records_.find(id);
    if (found == records_.end()) return {};
    RequestView view;
    for (const auto record_id : found->second) {
        const auto* record = core_.access.record(record_id);
        if (record == nullptr || !core_.may_know(caller, *record)) continue;
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

policy::AuditEvent Requests::event_about(const Caller& caller, std::string_view operation, const std::string& machine,
                                         Time now) const {
    const auto* known = core_.access.directory().machine(core_.name_of(machine));
    return make_event(caller, operation, core_.id_of(machine), known == nullptr ? std::string{} : known->name, now);
}

}  // namespace gateway::control_plane
