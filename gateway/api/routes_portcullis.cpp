#include <algorithm>
#include <array>
#include <utility>

#include "gateway/api/answers.hpp"
#include "gateway/api/arm_problems.hpp"
#include "gateway/api/http/text.hpp"
#include "gateway/api/json_access.hpp"
#include "gateway/api/json_policy.hpp"
#include "gateway/api/parameters.hpp"
#include "gateway/api/routes.hpp"
#include "gateway/api/routes_audit.hpp"
#include "gateway/api/routes_live.hpp"
#include "policy/names.hpp"

namespace gateway::api {

namespace {

namespace action = policy::action;

constexpr std::uint16_t rdp_port = 3389;

/// A machine by its name or, as ARM's clients know it, by its id.
std::string id_of(const Call& call, const std::string& machine) {
    return machine.starts_with('/') ? machine : call.config().machine_id(machine);
}

/// Refuses a body that cannot be read, but first whom it would have been refused to anyway: who may do none of the actions on
/// any machine. The first is the one that is missing.
tl::unexpected<control_plane::Problem> refuse_body(Call& call, std::initializer_list<std::string_view> actions,
                                                   const std::string& error) {
    const auto may = [&](std::string_view action, const std::string& resource) {
        return !call.control.unauthorized(call.caller, action, resource);
    };
    const auto may_any = [&](const config::VirtualMachine& machine) {
        const auto id = call.config().machine_id(machine.name);
        return std::ranges::any_of(actions, [&](std::string_view action) { return may(action, id); });
    };
    const auto action = *actions.begin();
    if (std::ranges::any_of(call.config().machines, may_any)) {
        return call.refuse(action, call.resource(), arm::bad_content(error));
    }
    auto problem = call.control.unauthorized(call.caller, action, call.resource());
    return call.refuse(action, call.resource(), problem.value_or(arm::bad_content(error)));
}

control_plane::Answer<http::Response> list_connections(Call& call) {
    if (auto problem = other_parameters(call, {"machine", "port"})) return tl::unexpected{*problem};
    const auto port = port_parameter(call);
    if (!port) return tl::unexpected{port.error()};
    std::optional<std::string> machine;
    if (const auto name = call.request.parameter("machine")) machine = std::string{*name};
    const auto views = call.control.machines().connections(call.caller, machine, *port, call.now);
    if (!views) return tl::unexpected{views.error()};
    return json_answer(200, connections_text(*views, call.config()));
}

control_plane::Answer<http::Response> list_guarded_machines(Call& call) {
    if (auto problem = other_parameters(call, {})) return tl::unexpected{*problem};
    const auto views = call.control.machines().list(call.caller, call.now);
    if (!views) return tl::unexpected{views.error()};
    boost::json::array value;
    for (const auto& view : *views) value.push_back(machine_json(view, call.config()));
    return json_answer(200, boost::json::object{{"value", std::move(value)}});
}

/// Fit for a file name and for a quoted string of a header.
std::string file_name(std::string_view machine, std::uint16_t port) {
    std::string name;
    for (const char letter : machine) {
        const char lower = policy::to_lower(letter);
        const bool is_plain = (lower >= 'a' && lower <= 'z') || (letter >= '0' && letter <= '9') || letter == '-';
        name += is_plain ? letter : '_';
    }
    return name + '-' + std::to_string(port) + ".rdp";
}

control_plane::Answer<http::Response> get_rdp_file(Call& call) {
    if (auto problem = other_parameters(call, {"port"})) return tl::unexpected{*problem};
    const auto port = port_parameter(call);
    if (!port) return tl::unexpected{port.error()};
    const auto views = call.control.machines().connections(call.caller, std::string{call.place("name")},
                                                           port->value_or(rdp_port), call.now);
    if (!views) return tl::unexpected{views.error()};
    if (views->empty()) {
        return tl::unexpected{
            control_plane::Problem{404, std::string{policy::refusal_code::request_not_found},
                                   "Nothing is open on that port of the machine: request access first."}};
    }
    const auto leads_there = [](const control_plane::ConnectionView& view) { return view.connection.has_value(); };
    const auto is_own = [&](const control_plane::ConnectionView& view) {
        return leads_there(view) && policy::same_name(view.record.requestor, call.caller.principal);
    };
    auto view = std::ranges::find_if(*views, is_own);
    if (view == views->end()) view = std::ranges::find_if(*views, leads_there);
    if (view == views->end()) {
        return tl::unexpected{control_plane::Problem{
            404, std::string{policy::refusal_code::request_not_found},
            "No address of the firewall leads to that port of the machine: ask its administrator for a NAT rule."}};
    }
    const auto name = file_name(view->record.machine, view->record.port);
    return http::Response{
        200,
        {{"Content-Type", "application/x-rdp"}, {"Content-Disposition", "attachment; filename=\"" + name + '"'}},
        access::rdp_file(*view->connection, view->record.machine)};
}

control_plane::Done<control_plane::PolicyView> with_policy(const std::shared_ptr<Call>& call) {
    return Call::reply_with<control_plane::PolicyView>(
        call, [&config = call->config()](const control_plane::PolicyView& view) {
            return json_answer(200, policy_json(view, config));
        });
}

void enable(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    auto ports = enable_body(call.request.body);
    if (!ports) {
        const auto policy_id = call.config().policy_id("default");
        auto problem = call.control.unauthorized(call.caller, action::jit_write, policy_id);
        return call.reply(call.refuse(action::jit_write, policy_id, problem.value_or(arm::bad_content(ports.error()))));
    }
    call.control.policies().enable(call.caller, call.place("name"), std::move(*ports), call.now, with_policy(shared));
}

void disable(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    call.control.policies().disable(call.caller, call.place("name"), call.now, with_policy(shared));
}

void request_access(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    auto body = access_body(call.request.body);
    if (!body) return call.reply(refuse_body(call, {action::jit_initiate}, body.error()));
    control_plane::InitiateRequest request;
    request.justification = std::move(body->justification);
    request.fingerprint = call.fingerprint();
    const auto id = id_of(call, body->machine);
    request.machines.push_back({id, std::move(body->ports)});
    // Whose policy it is stands in the refusal's event, too: not for those to whom the machine is hidden.
    const auto* machine = call.control.directory().machine_of_id(id);
    const bool is_hidden = call.control.unauthorized(call.caller, action::jit_initiate, id).has_value();
    const auto* policy = machine == nullptr || is_hidden ? nullptr : call.config().policy_of(machine->name);
    call.control.requests().initiate(
        call.caller, policy == nullptr ? "default" : policy->name, std::move(request), call.now,
        Call::reply_with<control_plane::RequestView>(shared, [](const control_plane::RequestView& view) {
            return json_answer(202, access_request_json(view));
        }));
}

control_plane::Answer<http::Response> get_request(Call& call) {
    const auto view = call.control.requests().request(call.caller, std::string{call.place("id")}, call.now);
    if (!view) return tl::unexpected{view.error()};
    return json_answer(200, access_request_json(*view));
}

void extend(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    const auto body = extend_body(call.request.body);
    if (!body) return call.reply(refuse_body(call, {action::jit_initiate}, body.error()));
    call.control.requests().extend(
        call.caller, body->machine, body->port, body->duration, call.now,
        Call::reply_with<control_plane::ConnectionView>(shared, [&call](const control_plane::ConnectionView& view) {
            return json_answer(200, connection_json(view, call.config()));
        }));
}

void revoke(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    const auto body = revoke_body(call.request.body);
    if (!body) return call.reply(refuse_body(call, {action::jit_initiate, action::jit_write}, body.error()));
    using Records = std::vector<policy::AccessRecord>;
    call.control.requests().revoke(call.caller, body->machine, body->port, body->cut, call.now,
                                   Call::reply_with<Records>(shared, [](const Records& records) {
                                       boost::json::array value;
                                       for (const auto& record : records) value.push_back(ended_json(record));
                                       return json_answer(200, boost::json::object{{"value", std::move(value)}});
                                   }));
}

}  // namespace

std::span<const Route> portcullis_routes() {
    static constexpr auto routes = std::to_array<Route>({
        {"GET", "/portcullis/v1/connections", at_once<list_connections>, ""},
        {"GET", "/portcullis/v1/machines", at_once<list_guarded_machines>, ""},
        {"GET", "/portcullis/v1/machines/{name}/rdp", at_once<get_rdp_file>, ""},
        {"POST", "/portcullis/v1/machines/{name}/enable", enable, ""},
        {"POST", "/portcullis/v1/machines/{name}/disable", disable, ""},
        {"POST", "/portcullis/v1/requests", request_access, ""},
        {"GET", "/portcullis/v1/requests/{id}", at_once<get_request>, ""},
        {"POST", "/portcullis/v1/extend", extend, ""},
        {"POST", "/portcullis/v1/revoke", revoke, ""},
        {"GET", "/portcullis/v1/activity", list_activity, ""},
        {"GET", "/portcullis/v1/audit", list_audit, ""},
        {"GET", "/portcullis/v1/status", at_once<get_status>, ""},
        {"GET", "/portcullis/v1/flows", list_flows, ""},
        {"POST", "/portcullis/v1/flows/end", end_flow, ""},
        {"GET", "/portcullis/v1/decisions", list_decisions, ""},
        {"POST", "/portcullis/v1/reload", reload_configuration, ""},
    });
    return routes;
}

}  // namespace gateway::api
