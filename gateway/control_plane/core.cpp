#include "gateway/control_plane/core.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "policy/names.hpp"

namespace gateway::control_plane {

using captures::base::Time;
using policy::AccessRecord;
using policy::AuditEvent;

Core::Core(config::Config from_file, std::unique_ptr<store::Store> store, std::function<void()> wake)
    : config{std::move(from_file)}, access{config}, ledger{std::move(store), std::move(wake)} {}

void Core::decide(std::vector<std::string> machines, Time now, std::function<void(const Turn&, Time)> use) {
    tick(now);
    turns.take(std::move(machines), [this, use = std::move(use)](const Turn& turn) { use(turn, latest); });
}

void Core::complete() {
    while (ledger.complete()) {
        tick(latest);
        turns.resume();
    }
}

void Core::tick(Time now) {
    latest = std::max(latest, now);
    if (const auto due = access.next_expiry(); !due || *due > now) return;
    auto change = access.plan_expiry(now);
    const auto is_taken = [this](const AccessRecord& record) {
        return turns.is_taken(policy::to_lower(record.machine));
    };
    std::erase_if(change.ends, [&](const policy::WindowEnd& end) { return is_taken(*access.record(end.id)); });
    std::erase_if(change.records, is_taken);
    if (change.records.empty()) return;
    store::Commit commit;
    for (const auto& record : change.records) {
        auto event = make_event(the_clock(), operation::expire, config.policy_id(record.policy), record.machine, now);
        event.sub_status = policy::to_string(record.status_reason);
        event.detail = describe(record);
        commit.events.push_back(std::move(event));
    }
    commit.records = change.records;
    counts.expired += change.records.size();
    carry_out(std::move(change), now);
    ledger.keep(std::move(commit));
}

void Core::carry_out(access::AccessChange change, Time now) noexcept {
    const auto delta = access.commit(std::move(change));
    if (enforcer != nullptr) enforcer->apply(delta, now);
}

void Core::load_enforcer(Time now) const noexcept {
    if (enforcer != nullptr) enforcer->load(config, access.state(), now);
}

bool Core::allows(const Caller& caller, std::string_view action, std::string_view resource) const {
    return access.authorization().allows(caller.principal, action, resource);
}

std::string Core::group_id() const {
    return fmt::format("/subscriptions/{}/resourceGroups/{}", config.firewall.subscription,
                       config.firewall.resource_group);
}

bool Core::sees(const Caller& caller, bool reads_policy, std::string_view machine) const {
    return reads_policy || allows(caller, policy::action::jit_read, config.machine_id(machine));
}

bool Core::may_know(const Caller& caller, const AccessRecord& record) const {
    return policy::same_name(record.requestor, caller.principal) ||
           allows(caller, policy::action::connection_read, config.machine_id(record.machine));
}

Problem Core::no_machine(std::string_view machine) const {
    return {
        404, "ResourceNotFound",
        fmt::format("The Resource 'Microsoft.Compute/virtualMachines/{}' under resource group '{}' was not found. For "
                    "more details please go to https://aka.ms/ARMResourceNotFoundFix",
                    machine, config.firewall.resource_group)};
}

std::string Core::id_of(std::string_view machine) const {
    return machine.starts_with('/') ? std::string{machine} : config.machine_id(machine);
}

std::string_view Core::name_of(std::string_view machine) const {
    if (!machine.starts_with('/')) return machine;
    const auto* known = access.directory().machine_of_id(machine);
    return known == nullptr ? machine : std::string_view{known->name};
}

const policy::JitPolicy* Core::policy(std::string_view name) const {
    const auto found = std::ranges::find_if(
        config.jit_policies, [&](const policy::JitPolicy& one) { return policy::same_name(one.name, name); });
    return found == config.jit_policies.end() ? nullptr : &*found;
}

void Core::refuse(AuditEvent event, Problem problem, std::function<void(Problem)> then) {
    event.status = "Failed";
    event.sub_status = problem.code;
    event.detail = clipped(problem.message);
    ++counts.refused;
    store::Commit commit;
    commit.events.push_back(event);
    ledger.submit(std::move(commit), [this, event = std::move(event), problem = std::move(problem),
                                      then = std::move(then)](const std::optional<Problem>& failure) {
        if (failure) ledger.note(event);
        then(problem);
    });
}

void Core::note_refusal(AuditEvent event, const Problem& problem) {
    event.status = "Failed";
    event.sub_status = problem.code;
    event.detail = clipped(problem.message);
    ++counts.refused;
    ledger.note(std::move(event));
}

AuditEvent make_event(const Caller& caller, std::string_view operation, std::string resource, std::string machine,
                      Time now) {
    AuditEvent event;
    event.time = now;
    event.operation = operation;
    event.status = "Succeeded";
    event.caller = caller.principal;
    event.caller_address = caller.address;
    event.resource = clipped(std::move(resource));
    event.machine = clipped(std::move(machine));
    event.correlation_id = caller.correlation_id;
    event.client_request_id = caller.client_request_id;
    return event;
}

const Caller& the_clock() {
    static const Caller clock{"portcullis", {}, {}, {}, {}};
    return clock;
}

Problem forbidden(const Caller& caller, std::string_view action, std::string_view scope) {
    return problem_of(access::not_authorized(caller.principal, action, scope));
}

Problem no_policy(std::string_view id) {
    return {404, std::string{policy::refusal_code::policy_not_found},
            fmt::format("Just-In-Time Network Access Policy '{}' does not exist.", id)};
}

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

std::string clipped(std::string text) {
    constexpr std::size_t longest = 1024;
    constexpr std::string_view mark = "...";
    if (text.size() <= longest) return text;
    auto end = longest - mark.size();
    const auto is_within_character = [&] { return (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U; };
    while (end > 0 && is_within_character()) --end;
    return text.replace(end, text.size(), mark);
}

}  // namespace gateway::control_plane
