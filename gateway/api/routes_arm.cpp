#include <algorithm>
#include <array>
#include <utility>

#include "gateway/api/answers.hpp"
#include "gateway/api/arm_problems.hpp"
#include "gateway/api/http/text.hpp"
#include "gateway/api/json_policy.hpp"
#include "gateway/api/json_request.hpp"
#include "gateway/api/routes.hpp"
#include "gateway/api/routes_resources.hpp"
#include "gateway/config/values.hpp"
#include "policy/names.hpp"

namespace gateway::api {

namespace {

namespace action = policy::action;

constexpr std::string_view jit_versions = "2020-01-01, 2015-06-01-preview";
constexpr std::string_view jit_type = "locations/jitNetworkAccessPolicies";

/// What its caller may do nothing with looks the same wherever it is and whether it is: roles first.
std::optional<control_plane::Problem> elsewhere(const Call& call, std::string_view action) {
    const auto group = call.place("resourceGroupName");
    if (group.empty() || policy::same_name(group, call.config().firewall.resource_group)) return {};
    if (auto problem = call.control.unauthorized(call.caller, action, call.resource())) return problem;
    return arm::no_resource_group(group);
}

bool is_other_location(const Call& call) {
    return !policy::same_name(call.place("ascLocation"), call.config().firewall.location);
}

/// The policy's id without the action behind it, as the client wrote it.
std::string policy_id(const Call& call) {
    std::string id;
    constexpr std::size_t segments = 10;
    for (std::size_t at = 0; at < std::min(segments, call.request.path.size()); ++at) {
        id += '/' + call.request.path[at];
    }
    return id;
}

/// Refuses a body that cannot be read, but first whom it would have been refused to anyway.
tl::unexpected<control_plane::Problem> refuse_content(Call& call, std::string_view action, const std::string& error) {
    const auto id = policy_id(call);
    if (auto problem = call.control.unauthorized(call.caller, action, id)) {
        const auto& machines = call.config().machines;
        const bool anywhere = action == action::jit_initiate && std::ranges::any_of(machines, [&](const auto& machine) {
                                  return !call.control.unauthorized(call.caller, action,
                                                                    call.config().machine_id(machine.name));
                              });
        if (!anywhere) return call.refuse(action, id, std::move(*problem));
    }
    return call.refuse(action, id, arm::bad_content(error));
}

control_plane::Answer<http::Response> list_policies(Call& call) {
    if (auto problem = elsewhere(call, action::jit_read))
        return call.refuse(action::jit_read, call.resource(), *problem);
    auto start = page_start(call.request);
    if (!start) return tl::unexpected{start.error()};
    control_plane::ListScope scope;
    if (const auto group = call.place("resourceGroupName"); !group.empty()) scope.resource_group = std::string{group};
    if (const auto location = call.place("ascLocation"); !location.empty()) scope.location = std::string{location};
    scope.after = std::move(*start);
    scope.limit = page_size + 1;
    auto views = call.control.policies().list(call.caller, scope, call.now);
    if (!views) return tl::unexpected{views.error()};
    std::optional<std::string> last;
    if (views->size() > page_size) {
        views->resize(page_size);
        last = views->back().policy.name;
    }
    boost::json::array value;
    for (const auto& view : *views) value.push_back(policy_json(view, call.config()));
    return json_answer(200, page_json(call.request, std::move(value), last));
}

control_plane::Answer<http::Response> get_policy(Call& call) {
    if (auto problem = elsewhere(call, action::jit_read))
        return call.refuse(action::jit_read, call.resource(), *problem);
    if (is_other_location(call)) {
        auto problem = call.control.unauthorized(call.caller, action::jit_read, call.resource());
        return call.refuse(action::jit_read, call.resource(), problem.value_or(arm::no_policy(call.resource())));
    }
    const auto view = call.control.policies().policy(call.caller, call.place("jitNetworkAccessPolicyName"), call.now);
    if (!view) return tl::unexpected{view.error()};
    return json_answer(200, policy_json(*view, call.config()));
}

void put_policy(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    const auto name = call.place("jitNetworkAccessPolicyName");
    if (auto problem = elsewhere(call, action::jit_write))
        return call.reply(call.refuse(action::jit_write, policy_id(call), *problem));
    if (const auto parsed = config::parse_resource_name(name); !parsed) {
        auto problem = call.control.unauthorized(call.caller, action::jit_write, policy_id(call));
        return call.reply(call.refuse(action::jit_write, policy_id(call),
                                      problem.value_or(control_plane::Problem{
                                          400, "InvalidResourceName", "The policy's name: " + parsed.error()})));
    }
    if (is_other_location(call)) {
        auto problem = call.control.unauthorized(call.caller, action::jit_write, policy_id(call));
        return call.reply(
            call.refuse(action::jit_write, policy_id(call),
                        problem.value_or(arm::unsupported(call.place("ascLocation"), call.api_version, jit_type,
                                                          jit_versions, call.config().firewall.location))));
    }
    const auto draft = policy_draft(call.request.body);
    if (!draft) return call.reply(refuse_content(call, action::jit_write, draft.error()));
    call.control.policies().put(
        call.caller, name, *draft, call.now,
        Call::reply_with<control_plane::PolicyView>(shared, [&call](const control_plane::PolicyView& view) {
            return json_answer(200, policy_json(view, call.config()));
        }));
}

void delete_policy(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    if (auto problem = elsewhere(call, action::jit_delete)) {
        return call.reply(call.refuse(action::jit_delete, policy_id(call), *problem));
    }
    if (is_other_location(call)) {
        if (auto problem = call.control.unauthorized(call.caller, action::jit_delete, policy_id(call))) {
            return call.reply(call.refuse(action::jit_delete, policy_id(call), *problem));
        }
        return call.reply(http::Response{204, {}, {}});
    }
    call.control.policies().remove(call.caller, call.place("jitNetworkAccessPolicyName"), call.now,
                                   Call::reply_with<bool>(shared, [](bool existed) {
                                       return http::Response{existed ? 200 : 204, {}, {}};
                                   }));
}

void initiate(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    if (auto problem = elsewhere(call, action::jit_initiate)) {
        return call.reply(call.refuse(action::jit_initiate, policy_id(call), *problem));
    }
    auto request = initiate_request(call.request.body);
    if (!request) return call.reply(refuse_content(call, action::jit_initiate, request.error()));
    if (is_other_location(call)) {
        auto problem = call.control.unauthorized(call.caller, action::jit_initiate, policy_id(call));
        return call.reply(
            call.refuse(action::jit_initiate, policy_id(call), problem.value_or(arm::no_policy(policy_id(call)))));
    }
    request->fingerprint = call.fingerprint();
    call.control.requests().initiate(
        call.caller, call.place("jitNetworkAccessPolicyName"), std::move(*request), call.now,
        [shared,
         reply = Call::reply_with<control_plane::RequestView>(shared, [&call](const control_plane::RequestView& view) {
             return json_answer(202, initiated_json(view, call.config()));
         })](control_plane::Answer<control_plane::RequestView> view) {
            if (!view && view.error().code == policy::refusal_code::not_a_subset) {
                view = tl::unexpected{arm::not_a_subset(policy_id(*shared), view.error().message)};
            }
            reply(std::move(view));
        });
}

}  // namespace

std::span<const Route> arm_routes() {
    static constexpr auto routes = std::to_array<Route>({
        {"GET", "/subscriptions", at_once<list_subscriptions>, ""},
        {"GET", "/subscriptions/{subscriptionId}", at_once<get_subscription>, ""},
        {"GET", "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/virtualMachines", at_once<list_machines>,
         ""},
        {"GET",
         "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/"
         "virtualMachines",
         at_once<list_machines>, ""},
        {"GET",
         "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/"
         "virtualMachines/{vmName}",
         at_once<get_machine>, ""},
        {"GET", "/subscriptions/{subscriptionId}/providers/Microsoft.Security/locations", at_once<list_locations>,
         jit_versions},
        {"GET", "/subscriptions/{subscriptionId}/providers/Microsoft.Security/locations/{ascLocation}",
         at_once<get_location>, jit_versions},
        {"GET", "/subscriptions/{subscriptionId}/providers/Microsoft.Security/jitNetworkAccessPolicies",
         at_once<list_policies>, jit_versions},
        {"GET",
         "/subscriptions/{subscriptionId}/providers/Microsoft.Security/locations/{ascLocation}/"
         "jitNetworkAccessPolicies",
         at_once<list_policies>, jit_versions},
        {"GET",
         "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Security/"
         "jitNetworkAccessPolicies",
         at_once<list_policies>, jit_versions},
        {"GET",
         "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Security/"
         "locations/{ascLocation}/jitNetworkAccessPolicies",
         at_once<list_policies>, jit_versions},
        {"GET",
         "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Security/"
         "locations/{ascLocation}/jitNetworkAccessPolicies/{jitNetworkAccessPolicyName}",
         at_once<get_policy>, jit_versions},
        {"PUT",
         "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Security/"
         "locations/{ascLocation}/jitNetworkAccessPolicies/{jitNetworkAccessPolicyName}",
         put_policy, jit_versions},
        {"DELETE",
         "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Security/"
         "locations/{ascLocation}/jitNetworkAccessPolicies/{jitNetworkAccessPolicyName}",
         delete_policy, jit_versions},
        {"POST",
         "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Security/"
         "locations/{ascLocation}/jitNetworkAccessPolicies/{jitNetworkAccessPolicyName}/initiate",
         initiate, jit_versions},
    });
    return routes;
}

}  // namespace gateway::api
