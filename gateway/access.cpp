#include "gateway/access.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "policy/names.hpp"

namespace gateway {

using captures::Duration;
using captures::Time;
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

/// The rule of the policy that still stands for what the record has opened.
const policy::JitPort* rule_of(const policy::JitMachine& machine, const AccessRecord& record) {
    const auto rule = std::ranges::find_if(machine.ports, [&](const policy::JitPort& one) {
        return one.number == record.port && (!one.protocol || one.protocol == record.protocol);
    });
    return rule == machine.ports.end() ? nullptr : &*rule;
}

}  // namespace

Access::Access(const Config& config) { use(config); }

void Access::use(const Config& config) {
    config_ = &config;
    authorization_ = policy::Authorization{config.roles, config.role_assignments};
    windows_.clear();
    for (const auto& policy : config.jit_policies) {
        for (const auto& jit : policy.machines) {
            const auto* machine = config.machine(jit.name);
            if (machine == nullptr) continue;
            for (const auto& port : jit.ports) windows_.guard({machine->private_ip, port.number}, port.protocol);
        }
    }
    for (const auto& open : open_) enter(records_[open.id - 1]);
}

tl::expected<std::vector<WindowId>, Refusal> Access::request(const policy::AccessRequest& request, Time now) {
    if (auto refusal = unauthorized(request.requestor, policy::action::jit_initiate, request.machine)) {
        return tl::unexpected{*refusal};
    }
    if (auto refusal = policy::malformed(request)) return tl::unexpected{*refusal};
    const auto policy = policy_of(request.machine);
    if (!policy) return tl::unexpected{policy.error()};
    const auto approved = policy::validate(request, **policy, now);
    if (!approved) return tl::unexpected{approved.error()};

    for (const auto& port : request.ports) {
        for (const auto id : open_windows(request.machine, port.number, request.requestor, now)) {
            close(records_[id - 1], now, StatusReason::newer_request_initiated);
        }
    }
    std::vector<WindowId> ids;
    for (const auto& port : *approved) {
        AccessRecord record;
        record.id = static_cast<WindowId>(records_.size() + 1);
        record.requestor = principal(request.requestor)->name;
        record.machine = config_->machine(request.machine)->name;
        record.policy = (*policy)->name;
        record.justification = request.justification;
        record.port = port.rule.number;
        record.protocol = port.rule.protocol;
        record.sources = port.sources;
        record.start = now;
        record.end = port.end;
        record.on_expiry = (*policy)->on_expiry;
        ids.push_back(record.id);
        open(records_.emplace_back(std::move(record)));
    }
    return ids;
}

tl::expected<WindowId, Refusal> Access::extend(std::string_view by, std::string_view machine, std::uint16_t port,
                                               Duration duration, Time now) {
    if (auto refusal = unauthorized(by, policy::action::jit_initiate, machine)) return tl::unexpected{*refusal};
    const auto policy = policy_of(machine);
    if (!policy) return tl::unexpected{policy.error()};
    const auto ids = open_windows(machine, port, by, now);
    if (ids.empty()) {
        return tl::unexpected{refused(refusal_code::request_not_found,
                                      "Nothing is open for '{}' on port {} of machine '{}', so there is nothing to "
                                      "extend: request access anew.",
                                      by, port, machine)};
    }
    std::vector<AccessRecord> extended;
    for (const auto id : ids) {
        auto record = records_[id - 1];
        const auto* rule = rule_of(*(*policy)->machine(machine), record);
        if (rule == nullptr) {
            return tl::unexpected{
                refused(refusal_code::not_a_subset, "port {} is no longer in the policy of machine {}", port, machine)};
        }
        if (const auto done = record.extend(now, policy::later(now, duration), *rule); !done) {
            return tl::unexpected{done.error()};
        }
        extended.push_back(std::move(record));
    }
    for (auto& record : extended) {
        leave(records_[record.id - 1]);
        open(records_[record.id - 1] = std::move(record));
    }
    return ids.front();
}

tl::expected<std::vector<WindowEnd>, Refusal> Access::revoke(std::string_view by, std::string_view machine,
                                                             std::uint16_t port, bool cut, Time now) {
    const bool anybodys = !unauthorized(by, policy::action::jit_write, machine);
    if (!anybodys) {
        if (auto refusal = unauthorized(by, policy::action::jit_initiate, machine)) return tl::unexpected{*refusal};
    }
    std::vector<WindowEnd> ends;
    for (const auto id : open_windows(machine, port, anybodys ? std::optional<std::string_view>{} : by, now)) {
        close(records_[id - 1], now, StatusReason::user_requested);
        ends.push_back({id, cut});
    }
    if (!ends.empty()) return ends;
    if (config_->machine(machine) == nullptr) return tl::unexpected{policy_of(machine).error()};
    return tl::unexpected{refused(refusal_code::request_not_found,
                                  "Nothing is open{} on port {} of machine '{}', so there is nothing to revoke.",
                                  anybodys ? std::string{} : fmt::format(" for '{}'", by), port, machine)};
}

std::vector<WindowEnd> Access::expire(Time now) {
    std::vector<WindowEnd> ends;
    while (!expiries_.empty() && expiries_.begin()->first <= now) {
        auto& record = records_[expiries_.begin()->second - 1];
        close(record, now, StatusReason::expired);
        ends.push_back({record.id, record.on_expiry == policy::OnExpiry::cut});
    }
    return ends;
}

std::optional<Time> Access::next_expiry() const noexcept {
    if (expiries_.empty()) return {};
    return expiries_.begin()->first;
}

const AccessRecord* Access::record(WindowId id) const noexcept {
    return id >= 1 && id <= records_.size() ? &records_[id - 1] : nullptr;
}

const policy::Principal* Access::principal(std::string_view name) const noexcept {
    const auto found = std::ranges::find_if(
        config_->principals, [name](const policy::Principal& one) { return policy::same_name(one.name, name); });
    return found == config_->principals.end() ? nullptr : &*found;
}

std::optional<Refusal> Access::unauthorized(std::string_view name, std::string_view action,
                                            std::string_view machine) const {
    const auto scope = config_->machine_id(machine);
    const bool known = principal(name) != nullptr;
    if (known && authorization_.allows(name, action, scope)) return {};
    return refused(refusal_code::not_authorized,
                   "The client '{0}' with object id '{0}' does not have authorization to perform action '{1}' over "
                   "scope '{2}' or the scope is invalid. {3}",
                   name, action, scope,
                   known ? "If access was recently granted, please refresh your credentials."
                         : "No principal of that name is configured.");
}

tl::expected<const policy::JitPolicy*, Refusal> Access::policy_of(std::string_view machine) const {
    if (config_->machine(machine) == nullptr) {
        return tl::unexpected{refused(refusal_code::policy_not_found,
                                      "Machine '{}' does not exist, and so no Just-In-Time Network Access Policy for "
                                      "it: name a configured virtual machine.",
                                      machine)};
    }
    const auto* policy = config_->policy_of(machine);
    if (policy == nullptr || policy->machine(machine) == nullptr) {
        return tl::unexpected{refused(refusal_code::policy_not_found,
                                      "A Just-In-Time Network Access Policy for machine '{}' does not exist: its "
                                      "ports are not under just-in-time access until a jit_policy lists it.",
                                      machine)};
    }
    return policy;
}

std::vector<WindowId> Access::open_windows(std::string_view machine, std::uint16_t port,
                                           std::optional<std::string_view> requestor, Time now) const {
    const OpenWindow from{policy::to_lower(machine), port, policy::to_lower(requestor.value_or("")), 0};
    std::vector<WindowId> ids;
    for (auto at = open_.lower_bound(from); at != open_.end(); ++at) {
        if (at->machine != from.machine || at->port != port || (requestor && at->requestor != from.requestor)) break;
        if (records_[at->id - 1].is_open(now)) ids.push_back(at->id);
    }
    std::ranges::sort(ids);
    return ids;
}

void Access::open(AccessRecord& record) {
    enter(record);
    open_.insert(OpenWindow::of(record));
    expiries_.emplace(record.end, record.id);
    record.initiate();
}

void Access::close(AccessRecord& record, Time now, StatusReason reason) {
    leave(record);
    record.revoke(now, reason);
}

/// The window stands where its port is guarded: after a change of configuration that may be for one protocol only,
/// or nowhere.
void Access::enter(const AccessRecord& record) {
    auto window = window_of(record);
    if (!window) return;
    for (const auto protocol : {captures::Protocol::tcp, captures::Protocol::udp}) {
        if (record.protocol.value_or(protocol) != protocol || !windows_.guarded(window->target, protocol)) continue;
        window->protocol = protocol;
        windows_.open(*window);
    }
}

void Access::leave(const AccessRecord& record) {
    if (const auto window = window_of(record)) windows_.close(*window);
    open_.erase(OpenWindow::of(record));
    expiries_.erase({record.end, record.id});
}

std::optional<policy::Window> Access::window_of(const AccessRecord& record) const {
    const auto* machine = config_->machine(record.machine);
    if (machine == nullptr) return {};
    return policy::Window{.id = record.id,
                          .target = {machine->private_ip, record.port},
                          .protocol = record.protocol,
                          .sources = record.sources,
                          .start = record.start,
                          .end = record.end};
}

Access::OpenWindow Access::OpenWindow::of(const AccessRecord& record) {
    return {policy::to_lower(record.machine), record.port, policy::to_lower(record.requestor), record.id};
}

}  // namespace gateway
