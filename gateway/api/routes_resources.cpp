#include "gateway/api/routes_resources.hpp"

#include <algorithm>
#include <utility>

#include "gateway/api/answers.hpp"
#include "gateway/api/arm_problems.hpp"
#include "gateway/api/json_text.hpp"
#include "policy/names.hpp"

namespace gateway::api {

namespace {

constexpr std::string_view subscription_read = "Microsoft.Resources/subscriptions/read";
constexpr std::string_view location_read = "Microsoft.Security/locations/read";

std::string subscription_id(const Call& call) { return "/subscriptions/" + call.config().firewall.subscription; }

/// As in Azure: whoever has any role in a subscription sees that it is there.
bool has_a_role(const Call& call) {
    return std::ranges::any_of(call.config().role_assignments, [&](const policy::RoleAssignment& assignment) {
        return policy::same_name(assignment.principal, call.caller.principal);
    });
}

boost::json::object subscription_json(const Call& call) {
    const auto& config = call.config();
    return {{"id", subscription_id(call)},
            {"authorizationSource", "RoleBased"},
            {"managedByTenants", boost::json::array{}},
            {"subscriptionId", config.firewall.subscription},
            {"tenantId", config.api.tenant},
            {"displayName", config.firewall.name},
            {"state", "Enabled"},
            {"subscriptionPolicies", boost::json::object{{"locationPlacementId", "Public_2014-09-01"},
                                                         {"quotaId", "PayAsYouGo_2014-09-01"},
                                                         {"spendingLimit", "Off"}}}};
}

boost::json::object location_json(const Call& call) {
    const auto& location = call.config().firewall.location;
    return {{"id", subscription_id(call) + "/providers/Microsoft.Security/locations/" + location},
            {"name", location},
            {"type", "Microsoft.Security/locations"},
            {"properties", boost::json::object{{"homeRegionName", location}}}};
}

boost::json::object virtual_machine_json(const Call& call, const config::VirtualMachine& machine) {
    const auto& config = call.config();
    const bool is_windows = policy::same_name(machine.os, "windows");
    boost::json::object properties{
        {"storageProfile",
         boost::json::object{{"osDisk", boost::json::object{{"osType", is_windows ? "Windows" : "Linux"}}}}},
        {"osProfile", boost::json::object{{"computerName", machine.name}}},
        {"provisioningState", "Succeeded"}};
    return {{"name", machine.name},
            {"id", config.machine_id(machine.name)},
            {"type", "Microsoft.Compute/virtualMachines"},
            {"location", config.firewall.location},
            {"properties", std::move(properties)}};
}

bool reads(const Call& call, const config::VirtualMachine& machine) {
    return !call.control.unauthorized(call.caller, policy::action::machine_read,
                                      call.config().machine_id(machine.name));
}

}  // namespace

control_plane::Answer<http::Response> list_subscriptions(Call& call) {
    boost::json::array value;
    if (has_a_role(call)) value.push_back(subscription_json(call));
    auto page = page_json(call.request, std::move(value), {});
    const auto count = page["value"].as_array().size();
    page["count"] = boost::json::object{{"type", "Total"}, {"value", count}};
    return json_answer(200, page);
}

control_plane::Answer<http::Response> get_subscription(Call& call) {
    auto problem = call.control.unauthorized(call.caller, subscription_read, subscription_id(call));
    if (problem && !has_a_role(call)) return call.refuse(subscription_read, subscription_id(call), std::move(*problem));
    return json_answer(200, subscription_json(call));
}

control_plane::Answer<http::Response> list_locations(Call& call) {
    if (auto problem = call.control.unauthorized(call.caller, location_read, subscription_id(call))) {
        return call.refuse(location_read, subscription_id(call), std::move(*problem));
    }
    return json_answer(200, page_json(call.request, {location_json(call)}, {}));
}

control_plane::Answer<http::Response> get_location(Call& call) {
    if (auto problem = call.control.unauthorized(call.caller, location_read, subscription_id(call))) {
        return call.refuse(location_read, subscription_id(call), std::move(*problem));
    }
    const auto name = call.place("ascLocation");
    if (policy::same_name(name, call.config().firewall.location)) return json_answer(200, location_json(call));
    return tl::unexpected{arm::no_resource("Microsoft.Security/locations/" + std::string{name}, "")};
}

control_plane::Answer<http::Response> list_machines(Call& call) {
    const auto group = call.place("resourceGroupName");
    const auto scope = subscription_id(call) + (group.empty() ? "" : "/resourceGroups/" + std::string{group});
    auto forbidden = call.control.unauthorized(call.caller, policy::action::machine_read, scope);
    const bool is_elsewhere = !group.empty() && !policy::same_name(group, call.config().firewall.resource_group);
    if (is_elsewhere) {
        return call.refuse(policy::action::machine_read, scope, forbidden.value_or(arm::no_resource_group(group)));
    }
    const auto start = page_start(call.request);
    if (!start) return tl::unexpected{start.error()};

    const auto machines = call.control.directory().machines();
    auto at = std::ranges::upper_bound(machines, std::string_view{*start}, policy::is_before,
                                       &config::VirtualMachine::name);

    boost::json::array value;
    std::optional<std::string> last;
    for (std::string name; at != machines.end() && !last; ++at) {
        if (!reads(call, **at)) continue;
        if (value.size() == page_size) {
            last = name;
        } else {
            name = (*at)->name;
            value.push_back(virtual_machine_json(call, **at));
        }
    }
    if (forbidden && value.empty() && start->empty()) {
        return call.refuse(policy::action::machine_read, scope, std::move(*forbidden));
    }
    return json_answer(200, page_json(call.request, std::move(value), last));
}

control_plane::Answer<http::Response> get_machine(Call& call) {
    const auto group = call.place("resourceGroupName");
    if (auto problem = call.control.unauthorized(call.caller, policy::action::machine_read, call.resource())) {
        return call.refuse(policy::action::machine_read, call.resource(), std::move(*problem));
    }
    if (!policy::same_name(group, call.config().firewall.resource_group)) {
        return tl::unexpected{arm::no_resource_group(group)};
    }
    const auto name = call.place("vmName");
    if (const auto* machine = call.config().machine(name))
        return json_answer(200, virtual_machine_json(call, *machine));
    return tl::unexpected{arm::no_resource("Microsoft.Compute/virtualMachines/" + std::string{name}, group)};
}

}  // namespace gateway::api
