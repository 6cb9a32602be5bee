#include "gateway/access/access.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "policy/names.hpp"

namespace gateway::access {

using captures::base::Duration;
using captures::base::Time;
using policy::AccessRecord;
using policy::Refusal;
using policy::StatusReason;
using policy::WindowId;

namespace refusal_code = policy::refusal_code;

namespace {

template <class... Arguments>
Refusal refused(std::string_view code, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    return {std::string{code}, fmt::format(format, std::forward<Arguments>(arguments)...)};
}

/// Whether a machine's entry in its policy (null: there is none any more) grants an open window as it is: its port and
/// protocol, all its sources, and its whole length from its start, which is what an extension is held to, too.
bool still_granted(const AccessRecord& window, const policy::JitMachine* machine) {
    const auto* const port = machine == nullptr ? nullptr : machine->port(window.port, window.protocol);
    return port != nullptr && port->first_outside(window.sources) == nullptr &&
           window.end - window.start <= port->max_duration;
}

}  // namespace

Refusal not_authorized(std::string_view principal, std::string_view action, std::string_view scope,
                       std::string_view hint) {
    return refused(refusal_code::not_authorized,
                   "The client '{0}' with object id '{0}' does not have authorization to perform action '{1}' over "
                   "scope '{2}' or the scope is invalid. {3}",
                   principal, action, scope, hint);
}

Access::Access(const config::Config& config) { use(config); }

std::vector<policy::MappedPort> Access::use(const config::Config& config) {
    config_ = &config;
    directory_ = config::Directory{config};
    nat_lookup_ = NatLookup{dnat::RuleTable::build(config.nat_rules).value_or(dnat::RuleTable{}),
                            config.firewall.private_ip.value_or(captures::base::Ipv4Address{})};
    authorization_ = policy::Authorization{config.roles, config.role_assignments};
    return reconnect();
}

std::vector<policy::MappedPort> Access::restore(std::vector<AccessRecord> records, WindowId last_id,
                                                const std::vector<policy::MappedPort>& mapped_ports) {
    for (const auto& mapped : mapped_ports) mapped_ports_.add(mapped);
    commit({.records = std::move(records), .ends = {}, .mapped_ports = {}});
    last_id_ = std::max(last_id_, last_id);
    return reconnect();
}

tl::expected<std::vector<WindowId>, Refusal> Access::request(const policy::AccessRequest& request, Time now) {
    auto change = plan_request({&request, 1}, now);
    if (!change) return tl::unexpected{change.error()};
    std::vector<WindowId> ids;
    for (auto i = change->replaced; i < change->records.size(); ++i) ids.push_back(change->records[i].id);
    commit(std::move(*change));
    return ids;
}

tl::expected<WindowId, Refusal> Access::extend(std::string_view by, std::string_view machine, std::uint16_t port,
                                               Duration duration, Time now) {
    auto change = plan_extend(by, machine, port, duration, now);
    if (!change) return tl::unexpected{change.error()};
    const auto first = change->records.front().id;
    commit(std::move(*change));
    return first;
}

tl::expected<std::vector<policy::WindowEnd>, Refusal> Access::revoke(std::string_view by, std::string_view machine,
                                                                     std::uint16_t port, bool cut, Time now) {
    auto change = plan_revoke(by, machine, port, cut, now);
    if (!change) return tl::unexpected{change.error()};
    auto ends = change->ends;
    commit(std::move(*change));
    return ends;
}

std::vector<policy::WindowEnd> Access::expire(Time now) {
    auto change = plan_expiry(now);
    auto ends = change.ends;
    commit(std::move(change));
    return ends;
}

tl::expected<AccessChange, Refusal> Access::plan_request(std::span<const policy::AccessRequest> requests,
                                                         Time now) const {
    for (const auto& request : requests) {
        if (auto refusal = unauthorized(request.requestor, policy::action::jit_initiate, request.machine)) {
            return tl::unexpected{*refusal};
        }
    }
    for (const auto& request : requests) {
        if (auto refusal = policy::malformed(request)) return tl::unexpected{*refusal};
    }
    for (const auto& request : requests) {
        if (const auto coverage = coverage_of(request.machine); !coverage) return tl::unexpected{coverage.error()};
    }
    AccessChange change;
    Allocations allocations;
    for (const auto& mapped : reserved_ports_) allocations.all.add(mapped);
    std::vector<AccessRecord> opened;
    for (const auto& request : requests) {
        const auto& policy = *coverage_of(request.machine)->policy;
        const auto approved = policy::validate(request, policy, now);
        if (!approved) return tl::unexpected{approved.error()};
        for (const auto& port : request.ports) {
            for (const auto id : open_windows(request.machine, port.number, request.requestor, now)) {
                change.records.push_back(*record(id));
                change.records.back().revoke(now, StatusReason::newer_request_initiated);
            }
        }
        for (const auto& port : *approved) {
            auto one = new_record(request, policy, port, now);
            one.id = last_id_ + opened.size() + 1;
            if (auto refusal = connect(one, allocations)) return tl::unexpected{*refusal};
            opened.push_back(std::move(one));
        }
    }
    change.mapped_ports = std::move(allocations.own);
    change.replaced = change.records.size();
    std::ranges::move(opened, std::back_inserter(change.records));
    return change;
}

std::vector<policy::Adoption> adoptions_of(const AccessChange& change) {
    const auto split = change.records.begin() + static_cast<std::ptrdiff_t>(change.replaced);
    std::vector<policy::Adoption> adoptions;
    for (auto older = change.records.begin(); older != split; ++older) {
        const auto newer = std::find_if(split, change.records.end(), [&](const AccessRecord& one) {
            return one.machine == older->machine && one.port == older->port && one.requestor == older->requestor;
        });
        if (newer != change.records.end()) adoptions.push_back({older->id, newer->id});
    }
    return adoptions;
}

tl::expected<AccessChange, Refusal> Access::plan_extend(std::string_view by, std::string_view machine,
                                                        std::uint16_t port, Duration duration, Time now) const {
    if (auto refusal = unauthorized(by, policy::action::jit_initiate, machine)) return tl::unexpected{*refusal};
    const auto coverage = coverage_of(machine);
    if (!coverage) return tl::unexpected{coverage.error()};
    const auto ids = open_windows(machine, port, by, now);
    if (ids.empty()) {
        return tl::unexpected{refused(refusal_code::request_not_found,
                                      "Nothing is open for '{}' on port {} of machine '{}', so there is nothing to "
                                      "extend: request access anew.",
                                      by, port, machine)};
    }
    if (duration < policy::shortest_window) {
        return tl::unexpected{refused(refusal_code::invalid_input, "{} for port {} of machine {} is shorter than {}",
                                      captures::base::to_iso8601(std::max(duration, Duration{})), port, machine,
                                      captures::base::to_iso8601(policy::shortest_window))};
    }
    AccessChange change;
    for (const auto id : ids) {
        auto extended = *record(id);
        const auto* rule = coverage->machine->port(extended.port, extended.protocol);
        if (rule == nullptr) {
            return tl::unexpected{
                refused(refusal_code::not_a_subset, "port {} is no longer in the policy of machine {}", port, machine)};
        }
        if (const auto done = extended.extend(now, policy::later(now, duration), *rule); !done) {
            return tl::unexpected{done.error()};
        }
        change.records.push_back(std::move(extended));
    }
    return change;
}

tl::expected<AccessChange, Refusal> Access::plan_revoke(std::string_view by, std::string_view machine,
                                                        std::uint16_t port, bool cut, Time now) const {
    const bool anybodys = !unauthorized(by, policy::action::jit_write, machine);
    if (!anybodys) {
        if (auto refusal = unauthorized(by, policy::action::jit_initiate, machine)) return tl::unexpected{*refusal};
    }
    AccessChange change;
    for (const auto id : open_windows(machine, port, anybodys ? std::optional<std::string_view>{} : by, now)) {
        change.records.push_back(*record(id));
        change.records.back().revoke(now, StatusReason::user_requested);
        change.ends.push_back({id, cut});
    }
    if (!change.ends.empty()) return change;
    if (directory_.machine(machine) == nullptr) return tl::unexpected{coverage_of(machine).error()};
    return tl::unexpected{refused(refusal_code::request_not_found,
                                  "Nothing is open{} on port {} of machine '{}', so there is nothing to revoke.",
                                  anybodys ? std::string{} : fmt::format(" for '{}'", by), port, machine)};
}

AccessChange Access::plan_expiry(Time now) const {
    AccessChange change;
    for (auto due = expiries_.begin(); due != expiries_.end() && due->first <= now; ++due) {
        change.records.push_back(*record(due->second));
        auto& ended = change.records.back();
        ended.revoke(now, StatusReason::expired);
        change.ends.push_back({ended.id, ended.on_expiry == policy::OnExpiry::cut});
    }
    return change;
}

AccessChange Access::plan_policies(std::span<const policy::JitPolicy> policies, Time now) const {
    std::map<std::string, const policy::JitMachine*> granted;  // by policy and machine, in lower case
    const auto key = [](std::string_view policy, std::string_view machine) {
        return fmt::format("{}/{}", policy::to_lower(policy), policy::to_lower(machine));
    };
    for (const auto& policy : policies) {
        for (const auto& machine : policy.machines) granted.emplace(key(policy.name, machine.name), &machine);
    }
    AccessChange change;
    for (const auto& open : open_) {
        const auto& known = *record(open.id);
        const auto found = granted.find(key(known.policy, known.machine));
        if (still_granted(known, found == granted.end() ? nullptr : found->second)) continue;
        change.records.push_back(known);
        change.records.back().revoke(now, StatusReason::user_requested);
        change.ends.push_back({known.id, known.on_expiry == policy::OnExpiry::cut});
    }
    return change;
}

std::optional<Time> Access::next_expiry() const noexcept {
    if (expiries_.empty()) return {};
    return expiries_.begin()->first;
}

const AccessRecord* Access::record(WindowId id) const noexcept {
    const auto found = std::ranges::lower_bound(records_, id, {}, &AccessRecord::id);
    return found != records_.end() && found->id == id ? &*found : nullptr;
}

AccessRecord* Access::find(WindowId id) noexcept {
    const auto found = std::ranges::lower_bound(records_, id, {}, &AccessRecord::id);
    return found != records_.end() && found->id == id ? &*found : nullptr;
}

void Access::forget(Time time) {
    std::erase_if(records_, [time](const AccessRecord& record) {
        return record.status == policy::Status::revoked && record.end < time;
    });
}

std::optional<Refusal> Access::unauthorized(std::string_view name, std::string_view action,
                                            std::string_view machine) const {
    const auto scope = config_->machine_id(machine);
    const bool known = directory_.principal(name) != nullptr;
    if (known && authorization_.allows(name, action, scope)) return {};
    return known ? not_authorized(name, action, scope)
                 : not_authorized(name, action, scope, "No principal of that name is configured.");
}

tl::expected<config::Directory::Coverage, Refusal> Access::coverage_of(std::string_view machine) const {
    if (directory_.machine(machine) == nullptr) {
        return tl::unexpected{refused(refusal_code::policy_not_found,
                                      "Machine '{}' does not exist, and so no Just-In-Time Network Access Policy for "
                                      "it: name a configured virtual machine.",
                                      machine)};
    }
    const auto coverage = directory_.coverage(machine);
    if (coverage.policy == nullptr) {
        return tl::unexpected{refused(refusal_code::policy_not_found,
                                      "A Just-In-Time Network Access Policy for machine '{}' does not exist: its "
                                      "ports are not under just-in-time access until a jit_policy lists it.",
                                      machine)};
    }
    return coverage;
}

std::vector<WindowId> Access::open_windows(std::string_view machine, std::uint16_t port,
                                           std::optional<std::string_view> requestor, Time now) const {
    const OpenWindow from{policy::to_lower(machine), port, policy::to_lower(requestor.value_or("")), 0};
    std::vector<WindowId> ids;
    for (auto at = open_.lower_bound(from); at != open_.end(); ++at) {
        if (at->machine != from.machine || at->port != port || (requestor && at->requestor != from.requestor)) break;
        if (record(at->id)->is_open(now)) ids.push_back(at->id);
    }
    std::ranges::sort(ids);
    return ids;
}

AccessRecord Access::new_record(const policy::AccessRequest& request, const policy::JitPolicy& policy,
                                const policy::ApprovedPort& port, Time now) const {
    AccessRecord record;
    record.requestor = directory_.principal(request.requestor)->name;
    record.machine = directory_.machine(request.machine)->name;
    record.policy = policy.name;
    record.justification = request.justification;
    record.port = port.rule.number;
    record.protocol = port.rule.protocol;
    record.sources = port.sources;
    record.start = now;
    record.end = port.end;
    record.on_expiry = policy.on_expiry;
    record.initiate();
    return record;
}

Access::OpenWindow Access::OpenWindow::of(const AccessRecord& record) {
    return {policy::to_lower(record.machine), record.port, policy::to_lower(record.requestor), record.id};
}

}  // namespace gateway::access
