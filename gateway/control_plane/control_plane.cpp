#include "gateway/control_plane/control_plane.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "gateway/control_plane/state.hpp"
#include "gateway/pipeline/tables.hpp"
#include "policy/names.hpp"
#include "policy/role.hpp"

namespace gateway::control_plane {

using captures::base::Time;
using policy::AccessRecord;
using policy::AuditEvent;
using store::StoreError;

namespace {

constexpr std::size_t most_late_events = 10'000;
/// So many are written even before the second is over, beside whoever is answered meanwhile.
constexpr std::size_t enough_late_events = 500;
/// So many more at most wait for that: a disk that takes a tenth of a second holds nobody up.
constexpr std::size_t patient_late_events = 8 * enough_late_events;

Problem unavailable(const StoreError& error) {
    const auto* const what = [&] {
        switch (error.kind) {
            case StoreError::Kind::full: return "its disk is full";
            case StoreError::Kind::read_only: return "it is read-only";
            case StoreError::Kind::in_use: return "another process has locked it";
            case StoreError::Kind::too_new:
            case StoreError::Kind::damaged:
            case StoreError::Kind::unavailable: break;
        }
        return "it does not answer";
    }();
    return {503, "StoreUnavailable",
            fmt::format("The store cannot be written: {}. Nothing was changed and no door was opened; try again when "
                        "its operator has seen to it.",
                        what)};
}

/// Keeps the memory for what comes next.
void clear(store::Commit& commit) {
    commit.records.clear();
    commit.policies.clear();
    commit.mapped_ports.clear();
    commit.requests.clear();
    commit.events.clear();
}

/// Nobody's doing but the clock's.
const Caller& the_clock() {
    static const Caller clock{"portcullis", {}, {}, {}, {}};
    return clock;
}

}  // namespace

tl::expected<std::unique_ptr<ControlPlane>, std::string> ControlPlane::start(config::Config config,
                                                                             std::unique_ptr<store::Store> store,
                                                                             Time now) {
    auto snapshot = store->load(now - history);
    if (!snapshot) return tl::unexpected{snapshot.error().message};
    auto state = std::make_unique<State>(std::move(config), std::move(store));
    for (auto& policy : snapshot->policies) {
        state->changed_policies[policy::to_lower(policy.policy.name)] = std::move(policy);
    }
    state->apply_policies();
    for (const auto& request : snapshot->requests) {
        if (!request.client_key.empty()) state->repeated.emplace(request.client_key, request.id);
    }
    for (const auto& record : snapshot->records) state->remember(record);
    state->late.mapped_ports = state->access.restore(std::move(snapshot->records), snapshot->last_id,
                                                     snapshot->mapped_ports);
    std::unique_ptr<ControlPlane> control{new ControlPlane{std::move(state)}};
    control->tick(now);
    control->state_->end_orphans(now);
    return control;
}

ControlPlane::ControlPlane(std::unique_ptr<State> state) : state_{std::move(state)} {}
ControlPlane::~ControlPlane() = default;

void ControlPlane::tick(Time now) {
    auto& state = *state_;
    if (const auto due = next_expiry(); due && *due <= now) static_cast<void>(state.settle());
    if (auto change = state.access.plan_expiry(now); !change.records.empty()) {
        for (const auto& record : change.records) {
            auto event = State::event(the_clock(), operation::expire, state.config.policy_id(record.policy),
                                      record.machine, now);
            event.sub_status = policy::to_string(record.status_reason);
            event.detail = describe(record);
            state.late.events.push_back(std::move(event));
            state.late.records.push_back(record);
        }
        state.numbers.expired += change.records.size();
        state.carry_out(std::move(change), now);
        flush(now);
    }
    if (now >= state.next_forget) {
        state.next_forget = now + std::chrono::hours{1};
        state.forget(now - history);
    }
}

std::optional<Time> ControlPlane::next_expiry() const noexcept { return state_->access.next_expiry(); }

bool ControlPlane::flush(Time now) {
    state_->finish_writing();
    auto& late = state_->late;
    // The event that tells of an outage is what the store is tried with, until it takes it.
    if (!state_->numbers.store_works && !std::exchange(state_->outage_noted, true)) {
        auto event = State::event(the_clock(), operation::store_outage, state_->group_id(), {}, now);
        event.status = "Failed";
        event.sub_status = "StoreUnavailable";
        event.detail = state_->outage;
        late.events.push_back(std::move(event));
    }
    if (late.events.empty() && late.records.empty() && late.mapped_ports.empty()) return true;
    return !state_->write({});
}

void ControlPlane::maintain() {
    state_->finish_writing();
    state_->store->maintain();
}

tl::expected<std::vector<config::ConfigChange>, std::string> ControlPlane::reload(config::Config config,
                                                                                  const Caller* caller, Time now) {
    auto& state = *state_;
    static_cast<void>(state.settle());
    tick(now);
    if (const auto tables = pipeline::Tables::build(config); !tables) return tl::unexpected{tables.error()};
    auto file_policies = config.jit_policies;
    config.jit_policies = State::merge(config, file_policies, state.changed_policies);
    auto changes = config::changes_between(state.config, config);  // in effect, whatever the file says of policies
    const auto& who = caller == nullptr ? the_clock() : *caller;
    auto event = State::event(who, policy::action::firewall_write, state.config.firewall.resource_id(), {}, now);
    event.detail = fmt::format("the configuration was read anew, {} changes", changes.size());
    auto orphans = state.access.plan_policies(config.jit_policies, now);
    store::Commit commit{orphans.records, {}, {}, {}, {std::move(event)}};
    std::ranges::move(state.events_of(orphans, who, now), std::back_inserter(commit.events));
    if (const auto problem = state.write(std::move(commit))) return tl::unexpected{problem->message};
    state.carry_out(std::move(orphans), now);
    state.file_policies = std::move(file_policies);
    state.config = std::move(config);
    state.apply_policies();
    state.load_enforcer(now);
    return changes;
}

void ControlPlane::note_reading(const Caller& caller, std::string_view operation, std::string detail, Time now) {
    auto event = State::event(caller, operation, state_->config.firewall.resource_id(), {}, now);
    event.detail = std::move(detail);
    state_->note(std::move(event));
}

std::optional<Problem> ControlPlane::note_change(const Caller& caller, std::string_view operation, std::string detail,
                                                 Time now) {
    auto event = State::event(caller, operation, state_->config.firewall.resource_id(), {}, now);
    event.detail = std::move(detail);
    return state_->write({.records = {}, .policies = {}, .mapped_ports = {}, .requests = {}, .events = {event}});
}

void ControlPlane::enforce_by(access::Enforcer& enforcer, Time now) {
    state_->enforcer = &enforcer;
    state_->load_enforcer(now);
}

ControlPlane::Numbers ControlPlane::numbers() const {
    auto numbers = state_->numbers;
    numbers.open_windows = state_->access.open_count();
    numbers.policies = state_->config.jit_policies.size();
    numbers.machines = state_->config.machines.size();
    return numbers;
}

const config::Config& ControlPlane::config() const noexcept { return state_->config; }

const config::Directory& ControlPlane::directory() const noexcept { return state_->access.directory(); }

std::optional<Problem> ControlPlane::unauthorized(const Caller& caller, std::string_view action,
                                                  std::string_view resource) const {
    if (state_->allows(caller, action, resource)) return {};
    return State::forbidden(caller, action, resource);
}

void ControlPlane::note_refusal(const Caller& caller, std::string_view operation, std::string_view resource,
                                const Problem& problem, Time now) {
    auto event = State::event(caller, operation, std::string{resource}, {}, now);
    event.status = "Failed";
    event.sub_status = problem.code;
    event.detail = problem.message;
    ++state_->numbers.refused;
    state_->note(std::move(event));
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

void append(store::Commit& to, store::Commit from) {
    const auto add = [](auto& parts, auto& more) { std::ranges::move(more, std::back_inserter(parts)); };
    add(to.records, from.records);
    add(to.policies, from.policies);
    add(to.mapped_ports, from.mapped_ports);
    add(to.requests, from.requests);
    add(to.events, from.events);
}

ControlPlane::State::State(config::Config from_file, std::unique_ptr<store::Store> opened)
    : config{std::move(from_file)}, file_policies{config.jit_policies}, store{std::move(opened)}, access{config} {}

void ControlPlane::State::forget(Time before) {
    access.forget(before);
    for (auto request = requests.begin(); request != requests.end();) {
        std::erase_if(request->second, [this](auto id) { return access.record(id) == nullptr; });
        request = request->second.empty() ? requests.erase(request) : std::next(request);
    }
    for (auto& [name, ids] : request_ids) {
        std::erase_if(ids, [this](const auto& id) { return !requests.contains(id); });
    }
    std::erase_if(repeated, [this](const auto& one) { return !requests.contains(one.second); });
}

AuditEvent ControlPlane::State::event(const Caller& caller, std::string_view operation, std::string resource,
                                      std::string machine, Time now) {
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

std::optional<Problem> ControlPlane::State::write(store::Commit commit) {
    finish_writing();
    auto whole = std::exchange(late, {});
    const std::array before{whole.records.size(), whole.policies.size(), whole.mapped_ports.size(),
                            whole.requests.size(), whole.events.size()};
    append(whole, std::move(commit));
    const auto written = store->commit(whole);
    if (written) {
        note_success();
        return {};
    }
    whole.records.resize(before[0]);
    whole.policies.resize(before[1]);
    whole.mapped_ports.resize(before[2]);
    whole.requests.resize(before[3]);
    whole.events.resize(before[4]);
    late = std::move(whole);
    return note_failure(written.error());
}

void ControlPlane::State::write_aside() {
    std::swap(aside, late);
    const auto commit = [this] { return store->commit(aside); };
    try {
        writing = std::async(std::launch::async, commit);
    } catch (const std::system_error&) {  // no thread is to be had
        writing = std::async(std::launch::deferred, commit);
    }
}

void ControlPlane::State::finish_writing() {
    if (!writing.valid()) return;
    const auto written = writing.get();
    if (written) {
        clear(aside);
        return note_success();
    }
    append(aside, std::exchange(late, {}));
    late = std::exchange(aside, {});
    static_cast<void>(note_failure(written.error()));
}

void ControlPlane::State::note_success() {
    numbers.store_works = true;
    outage_noted = false;
}

Problem ControlPlane::State::note_failure(const StoreError& error) {
    numbers.store_works = false;
    ++numbers.store_errors;
    auto problem = unavailable(error);
    outage = problem.message;
    return problem;
}

/// Of policies that the file has lost since the last run.
void ControlPlane::State::end_orphans(Time now) {
    auto orphans = access.plan_policies(config.jit_policies, now);
    append(late, {orphans.records, {}, {}, {}, events_of(orphans, the_clock(), now)});
    access.commit(std::move(orphans));
}

void ControlPlane::State::carry_out(access::AccessChange change, Time now) noexcept {
    const auto delta = access.commit(std::move(change));
    if (enforcer != nullptr) enforcer->apply(delta, now);
}

void ControlPlane::State::load_enforcer(Time now) noexcept {
    if (enforcer != nullptr) enforcer->load(config, access.state(), now);
}

Problem ControlPlane::State::refuse(AuditEvent event, Problem problem) {
    event.status = "Failed";
    event.sub_status = problem.code;
    event.detail = clipped(problem.message);
    ++numbers.refused;
    if (write({.records = {}, .policies = {}, .mapped_ports = {}, .requests = {}, .events = {event}})) {
        note(std::move(event));
    }
    return problem;
}

void ControlPlane::State::note(AuditEvent event) {
    event.detail = clipped(std::move(event.detail));
    if (late.events.size() < most_late_events) late.events.push_back(std::move(event));
    if (late.events.size() < enough_late_events || !numbers.store_works) return;
    const bool is_over = !writing.valid() || writing.wait_for(std::chrono::seconds{0}) != std::future_status::timeout;
    if (!is_over && late.events.size() < patient_late_events) return;
    finish_writing();
    if (numbers.store_works) write_aside();
}

std::optional<Problem> ControlPlane::State::is_backlogged() const {
    if (late.events.size() < most_late_events) return {};
    return Problem{503, "StoreUnavailable",
                   "The audit cannot be written, and nothing is told that it does not know of."};
}

}  // namespace gateway::control_plane
