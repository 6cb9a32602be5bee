#include "gateway/api/json_access.hpp"

#include <array>
#include <type_traits>
#include <utility>

#include <boost/json/array.hpp>

#include "gateway/api/http/json_document.hpp"
#include "gateway/api/json_fields.hpp"
#include "gateway/api/json_policy.hpp"
#include "gateway/api/json_request.hpp"
#include "gateway/api/json_text.hpp"

namespace gateway::api {

namespace {

std::string_view protocol_text(std::optional<captures::base::Protocol> protocol) noexcept {
    return protocol ? captures::base::to_string(*protocol) : "*";
}

boost::json::object port_json(const policy::AccessRecord& record) {
    boost::json::array sources;
    for (const auto& source : record.sources) sources.emplace_back(captures::base::to_string(source));
    boost::json::object json{{"number", record.port},
                             {"protocol", json_text(protocol_text(record.protocol))},
                             {"allowedSourceAddressPrefixes", std::move(sources)},
                             {"endTimeUtc", arm_time(record.end)},
                             {"status", json_text(to_string(record.status))},
                             {"statusReason", json_text(to_string(record.status_reason))}};
    if (record.listener && record.status != policy::Status::revoked) {
        const access::Connection connection{
            *record.listener, record.protocol.value_or(captures::base::Protocol::tcp), {}};
        json["publicIpAddress"] = captures::base::to_string(record.listener->address);
        json["mappedPort"] = record.listener->port;
        json["command"] = access::connect_command(connection, record.port);
    }
    return json;
}

/// What Azure recommends to guard (facts: Azure-JIT §3.3).
std::vector<policy::JitPort> recommended_ports() {
    std::vector<policy::JitPort> ports;
    for (const auto number : std::to_array<std::uint16_t>({22, 3389, 5985, 5986})) {
        ports.push_back({number, {}, {captures::base::Prefix{{0}, 0}}, std::chrono::hours{3}});
    }
    return ports;
}

constexpr std::size_t usual_connection = 768;  // bytes
constexpr std::size_t around_them = 16;

/// What is told of a connection, in this order, by `add(name, text or number)`.
template <class Add>
void each_member(const control_plane::ConnectionView& view, const config::Config& config, Add add) {
    const auto& record = view.record;
    const auto& connection = view.connection;
    const auto protocol = connection ? connection->protocol : record.protocol.value_or(captures::base::Protocol::tcp);
    const auto add_text = [&](const char* name, std::string_view text) { add(name, text); };
    add_text("machine", record.machine);
    add_text("machineId", config.machine_id(record.machine));
    add("port", record.port);
    add_text("protocol", captures::base::to_string(protocol));
    if (connection) {
        add_text("publicIpAddress", captures::base::to_string(connection->listener.address));
        add("mappedPort", connection->listener.port);
        add_text("rule", connection->rule);
        add_text("command", access::connect_command(*connection, record.port));
    }
    add_text("requestor", record.requestor);
    add_text("requestId", record.request);
    add_text("startTimeUtc", arm_time(record.start));
    add_text("endTimeUtc", arm_time(record.end));
    add_text("status", to_string(record.status));
}

/// Parses an object and lets `read` take what it wants; no other fields than `names`.
template <class Body, class Read>
tl::expected<Body, std::string> body_of(std::string_view text, std::initializer_list<std::string_view> names,
                                        Read read) {
    const auto object = http::parse_object(text);
    if (!object) return tl::unexpected{object.error()};
    std::string error;
    JsonFields fields{*object, "", error};
    fields.refuse_others(names);
    Body body = read(fields);
    if (!error.empty()) return tl::unexpected{error};
    return body;
}

}  // namespace

boost::json::object connection_json(const control_plane::ConnectionView& view, const config::Config& config) {
    boost::json::object json;
    each_member(view, config, [&](const char* name, auto value) {
        if constexpr (std::is_integral_v<decltype(value)>) {
            json[name] = value;
        } else {
            json[name] = json_text(value);
        }
    });
    return json;
}

std::string connections_text(std::span<const control_plane::ConnectionView> views, const config::Config& config) {
    std::string text;
    text.reserve(around_them + usual_connection * views.size());
    text += R"({"value":[)";
    for (const auto& view : views) {
        text += text.ends_with('[') ? "{" : ",{";
        each_member(view, config, [&text](std::string_view name, auto value) {
            text += text.ends_with('{') ? "\"" : ",\"";
            text.append(name).append("\":");
            append_json(text, value);
        });
        text += '}';
    }
    text += "]}";
    return text;
}

boost::json::object machine_json(const control_plane::MachineView& view, const config::Config& config) {
    boost::json::array ports;
    for (const auto& port : view.ports) ports.push_back(policy_port_json(port));
    boost::json::array connections;
    for (const auto& connection : view.connections) connections.push_back(connection_json(connection, config));
    boost::json::value last_access;
    if (view.last_access) last_access = arm_time(*view.last_access);
    return {{"name", view.name},
            {"id", view.id},
            {"os", view.os},
            {"state", json_text(control_plane::to_string(view.state))},
            {"severity", view.severity},
            {"reason", view.reason},
            {"policy", view.policy},
            {"ports", std::move(ports)},
            {"approvedRequests", view.approved_requests},
            {"lastAccess", std::move(last_access)},
            {"lastUser", view.last_user},
            {"connections", std::move(connections)}};
}

boost::json::object access_request_json(const control_plane::RequestView& view) {
    boost::json::array machines;
    for (const auto& record : view.records) {
        const bool is_next = !machines.empty() && *machines.back().at("machine").if_string() == record.machine;
        if (!is_next) {
            machines.push_back(boost::json::object{{"machine", record.machine}, {"ports", boost::json::array{}}});
        }
        machines.back().as_object()["ports"].as_array().push_back(port_json(record));
    }
    return {{"id", view.id},
            {"requestor", view.requestor},
            {"justification", view.justification},
            {"startTimeUtc", arm_time(view.start)},
            {"machines", std::move(machines)}};
}

boost::json::object ended_json(const policy::AccessRecord& record) {
    return {{"machine", record.machine},
            {"port", record.port},
            {"protocol", json_text(protocol_text(record.protocol))},
            {"requestor", record.requestor},
            {"requestId", record.request},
            {"endTimeUtc", arm_time(record.end)},
            {"status", json_text(to_string(record.status))},
            {"statusReason", json_text(to_string(record.status_reason))}};
}

tl::expected<AccessBody, std::string> access_body(std::string_view body) {
    return body_of<AccessBody>(body, {"machine", "ports", "justification"}, [](JsonFields& fields) {
        fields.require({"machine", "ports"});
        AccessBody access{machine_text(fields, "machine"), {}, fields.text("justification").value_or("")};
        for (auto& port : fields.objects("ports")) {
            port.refuse_others(
                {"number", "duration", "endTimeUtc", "allowedSourceAddressPrefix", "allowedSourceAddressPrefixes"});
            access.ports.push_back(requested_port(port));
        }
        return access;
    });
}

tl::expected<ExtendBody, std::string> extend_body(std::string_view body) {
    return body_of<ExtendBody>(body, {"machine", "port", "duration"}, [](JsonFields& fields) {
        fields.require({"machine", "port", "duration"});
        return ExtendBody{machine_text(fields, "machine"), fields.port("port").value_or(0),
                          fields.duration("duration").value_or(captures::base::Duration{})};
    });
}

tl::expected<RevokeBody, std::string> revoke_body(std::string_view body) {
    return body_of<RevokeBody>(body, {"machine", "port", "cut"}, [](JsonFields& fields) {
        fields.require({"machine", "port"});
        return RevokeBody{machine_text(fields, "machine"), fields.port("port").value_or(0),
                          fields.boolean("cut").value_or(false)};
    });
}

tl::expected<std::vector<policy::JitPort>, std::string> enable_body(std::string_view body) {
    return body_of<std::vector<policy::JitPort>>(body, {"ports"}, [](JsonFields& fields) {
        fields.require({"ports"});
        if (fields.is_array("ports")) {
            auto ports = policy_ports(fields, "ports");
            if (ports.empty()) fields.fail("ports", "names no port");
            return ports;
        }
        const auto choice = fields.text("ports").value_or("");
        if (choice == "recommended") return recommended_ports();
        if (choice != "default") fields.fail("ports", R"(is neither "recommended", "default" nor an array of ports)");
        return std::vector<policy::JitPort>{};
    });
}

}  // namespace gateway::api
