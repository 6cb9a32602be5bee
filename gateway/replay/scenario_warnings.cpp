#include "gateway/replay/scenario_warnings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "gateway/config/values.hpp"
#include "policy/names.hpp"

namespace gateway::replay {

using captures::base::to_iso8601;
using policy::same_name;

namespace {

/// Judges events against one configuration; at most one finding an event.
class EventCheck {
public:
    explicit EventCheck(const config::Config& config)
        : config_(&config), authorization_(config.roles, config.role_assignments) {}

    [[nodiscard]] std::string error_in(const Event& event) const {
        if (const auto* request = std::get_if<RequestEvent>(&event.what)) return error_in(*request, event.at);
        if (const auto* extend = std::get_if<ExtendEvent>(&event.what)) return error_in(*extend);
        if (const auto* revoke = std::get_if<RevokeEvent>(&event.what)) return error_in(*revoke);
        return {};
    }

private:
    [[nodiscard]] std::string error_in(const RequestEvent& event, const Moment& at) const;
    [[nodiscard]] std::string error_in(const ExtendEvent& event) const;
    [[nodiscard]] std::string error_in(const RevokeEvent& event) const;

    /// About who asks, and for which machine; what all events have.
    [[nodiscard]] std::string complaint_about_names(std::string_view by, std::string_view machine) const;
    [[nodiscard]] const policy::JitMachine* rules_of(std::string_view machine) const;

    const config::Config* config_;
    policy::Authorization authorization_;
};

}  // namespace

config::Findings check_scenario(const Scenario& scenario, const config::Config& config) {
    constexpr std::size_t most_named = 100;
    const EventCheck check{config};
    config::Findings findings;
    for (const auto& event : scenario.events) {
        if (std::holds_alternative<ReloadEvent>(event.what) || findings.size() == most_named) break;
        auto error_in = check.error_in(event);
        if (!error_in.empty())
            findings.push_back({config::Finding::Severity::warning, event.place, std::move(error_in)});
    }
    return findings;
}

namespace {

bool has_end_time(const policy::RequestedPort& port) noexcept { return port.end_time.has_value(); }

std::string EventCheck::error_in(const RequestEvent& event, const Moment& at) const {
    const auto& request = event.request;
    if (auto error_in = complaint_about_names(request.requestor, request.machine); !error_in.empty()) return error_in;
    // How far an end time is ahead is known only where the event, too, has a time of day.
    const auto* const time = std::get_if<captures::base::Time>(&at);
    if (time == nullptr && std::ranges::any_of(request.ports, has_end_time)) return {};
    const auto now = time != nullptr ? *time : captures::base::Time{};
    const auto approved = policy::validate(request, *config_->policy_of(request.machine), now);
    return approved ? std::string{} : "the request will be refused: " + approved.error().message;
}

std::string EventCheck::error_in(const ExtendEvent& event) const {
    if (auto error_in = complaint_about_names(event.by, event.machine); !error_in.empty()) return error_in;
    const auto& ports = rules_of(event.machine)->ports;
    const auto of_port = [&](const policy::JitPort& port) { return port.number == event.port; };
    const auto rule = std::ranges::find_if(ports, of_port);
    if (rule == ports.end()) {
        return fmt::format("port {} of machine {} is under no JIT policy, so there is nothing to extend", event.port,
                           config::in_quotes(event.machine));
    }
    if (event.duration <= rule->max_duration) return {};
    return fmt::format("the extension will be refused: {} is longer than the policy's {}", to_iso8601(event.duration),
                       to_iso8601(rule->max_duration));
}

std::string EventCheck::error_in(const RevokeEvent& event) const {
    if (auto error_in = complaint_about_names(event.by, event.machine); !error_in.empty()) return error_in;
    const auto of_port = [&](const policy::JitPort& port) { return port.number == event.port; };
    if (std::ranges::any_of(rules_of(event.machine)->ports, of_port)) return {};
    return fmt::format("port {} of machine {} is under no JIT policy, so there is nothing to revoke", event.port,
                       config::in_quotes(event.machine));
}

std::string EventCheck::complaint_about_names(std::string_view by, std::string_view machine) const {
    const auto is_asking = [by](const policy::Principal& one) { return same_name(one.name, by); };
    if (std::ranges::none_of(config_->principals, is_asking)) {
        return fmt::format("no principal {} is configured, so this will be refused", config::in_quotes(by));
    }
    if (config_->machine(machine) == nullptr) {
        return fmt::format("no virtual_machine {} is configured, so this will be refused", config::in_quotes(machine));
    }
    if (rules_of(machine) == nullptr) {
        return fmt::format("machine {} is under no JIT policy, so this will be refused", config::in_quotes(machine));
    }
    const auto resource = config_->machine_id(machine);
    if (authorization_.allows(by, policy::action::jit_initiate, resource) ||
        authorization_.allows(by, policy::action::jit_write, resource)) {
        return {};
    }
    return fmt::format("no role_assignment gives {} the right to ask for machine {}, so this will be refused",
                       config::in_quotes(by), config::in_quotes(machine));
}

const policy::JitMachine* EventCheck::rules_of(std::string_view machine) const {
    const auto* const policy = config_->policy_of(machine);
    return policy == nullptr ? nullptr : policy->machine(machine);
}

}  // namespace

}  // namespace gateway::replay
