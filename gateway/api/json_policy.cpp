#include "gateway/api/json_policy.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>

#include "gateway/api/http/json_document.hpp"
#include "gateway/api/http/text.hpp"
#include "gateway/api/json_fields.hpp"
#include "gateway/api/json_request.hpp"
#include "gateway/api/json_text.hpp"
#include "policy/names.hpp"

namespace gateway::api {

namespace {

constexpr std::string_view policy_type = "Microsoft.Security/locations/jitNetworkAccessPolicies";
constexpr std::size_t most_machines = 10'000;

boost::json::array machines_json(const control_plane::PolicyView& view, const config::Config& config) {
    boost::json::array machines;
    for (std::size_t at = 0; at < view.policy.machines.size(); ++at) {
        const auto& machine = view.policy.machines[at];
        boost::json::array ports;
        for (const auto& port : machine.ports) ports.push_back(policy_port_json(port));
        boost::json::object one{{"id", config.machine_id(machine.name)}, {"ports", std::move(ports)}};
        if (at < view.public_ips.size() && view.public_ips[at]) {
            one["publicIpAddress"] = captures::base::to_string(*view.public_ips[at]);
        }
        machines.push_back(std::move(one));
    }
    return machines;
}

/// `*`, `TCP` or `UDP`; the outer optional is empty, and `fields` says so, for anything else.
std::optional<std::optional<captures::base::Protocol>> read_protocol(JsonFields& fields) {
    const auto text = fields.text("protocol");
    if (!text) return {};
    if (*text == "*") return std::optional<captures::base::Protocol>{};
    for (const auto protocol : {captures::base::Protocol::tcp, captures::base::Protocol::udp}) {
        if (policy::same_name(*text, captures::base::to_string(protocol))) return protocol;
    }
    fields.fail("protocol", http::shown(*text) + " is none of TCP, UDP and *");
    return {};
}

std::vector<captures::base::Prefix> read_sources(JsonFields& fields) {
    std::vector<captures::base::Prefix> sources;
    for (const auto& text : source_texts(fields)) {
        const auto source = captures::base::Prefix::parse(text);
        if (!source) {
            fields.fail("", "has a source " + http::shown(text) + " that is no IPv4 address, CIDR block or *");
            return {};
        }
        if (std::ranges::find(sources, *source) == sources.end()) sources.push_back(*source);
    }
    return sources;
}

policy::JitPort read_port(JsonFields& fields) {
    fields.require({"number", "protocol", "maxRequestAccessDuration"});
    policy::JitPort port;
    port.number = fields.port("number").value_or(0);
    port.protocol = read_protocol(fields).value_or(std::nullopt);
    port.allowed_sources = read_sources(fields);
    port.max_duration = fields.duration("maxRequestAccessDuration").value_or(captures::base::Duration{});
    return port;
}

void read_extensions(JsonFields& properties, control_plane::PolicyDraft& draft) {
    draft.justification_required = properties.boolean("justificationRequired");
    const auto on_expiry = properties.text("onExpiry");
    if (!on_expiry) return;
    if (policy::same_name(*on_expiry, "keep")) {
        draft.on_expiry = policy::OnExpiry::keep;
    } else if (policy::same_name(*on_expiry, "cut")) {
        draft.on_expiry = policy::OnExpiry::cut;
    } else {
        properties.fail("onExpiry", http::shown(*on_expiry) + " is neither keep nor cut");
    }
}

}  // namespace

boost::json::object policy_json(const control_plane::PolicyView& view, const config::Config& config) {
    boost::json::array requests;
    for (const auto& request : view.requests) requests.push_back(request_json(request, config));
    boost::json::object properties{{"virtualMachines", machines_json(view, config)},
                                   {"requests", std::move(requests)},
                                   {"provisioningState", view.provisioning_state},
                                   {"appendMode", false}};
    // Shown only where they say something: Azure's clients shall see what they know.
    if (view.policy.on_expiry == policy::OnExpiry::cut) properties["onExpiry"] = "cut";
    if (view.policy.justification_required) properties["justificationRequired"] = true;
    return {{"kind", "Basic"},          {"properties", std::move(properties)}, {"id", view.id},
            {"name", view.policy.name}, {"type", json_text(policy_type)},      {"location", config.firewall.location}};
}

boost::json::object policy_port_json(const policy::JitPort& port) {
    boost::json::object json{{"number", port.number},
                             {"protocol", json_text(port.protocol ? captures::base::to_string(*port.protocol) : "*")}};
    add_sources(json, port.allowed_sources);
    json["maxRequestAccessDuration"] = captures::base::to_iso8601(port.max_duration);
    return json;
}

std::vector<policy::JitPort> policy_ports(JsonFields& fields, std::string_view name) {
    std::vector<policy::JitPort> ports;
    for (auto& item : fields.objects(name)) ports.push_back(read_port(item));
    return ports;
}

tl::expected<control_plane::PolicyDraft, std::string> policy_draft(std::string_view body) {
    const auto object = http::parse_object(body);
    if (!object) return tl::unexpected{object.error()};
    std::string error;
    JsonFields fields{*object, "", error};
    fields.require({"properties"});
    control_plane::PolicyDraft draft;
    if (auto properties = fields.object("properties")) {
        properties->require({"virtualMachines"});
        for (auto& machine : properties->objects("virtualMachines")) {
            if (draft.machines.size() == most_machines) {
                properties->fail("virtualMachines", "are more than 10000");
                break;
            }
            machine.require({"id", "ports"});
            draft.machines.push_back({machine_text(machine, "id"), policy_ports(machine, "ports")});
        }
        read_extensions(*properties, draft);
    }
    if (!error.empty()) return tl::unexpected{error};
    return draft;
}

}  // namespace gateway::api
