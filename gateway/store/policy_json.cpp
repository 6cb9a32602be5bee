#include "gateway/store/policy_json.hpp"

#include <cstdint>
#include <utility>

#include <boost/json.hpp>

namespace json = boost::json;

namespace gateway::store {

namespace {

json::object to_object(const policy::JitPort& port) {
    json::array sources;
    for (const auto& source : port.allowed_sources) sources.emplace_back(captures::base::to_string(source));
    return {{"number", port.number},
            {"protocol", protocol_text(port.protocol)},
            {"sources", std::move(sources)},
            {"max_duration", port.max_duration.count()}};
}

/// The reader's exceptions are boost::system's, thrown by `at` and `as_…` where the text is not ours.
policy::JitPort to_port(const json::value& value) {
    const auto& object = value.as_object();
    policy::JitPort port;
    port.number = object.at("number").to_number<std::uint16_t>();
    if (!read_protocol(object.at("protocol").as_string(), port.protocol)) throw std::invalid_argument{"protocol"};
    for (const auto& source : object.at("sources").as_array()) {
        port.allowed_sources.push_back(captures::base::Prefix::parse(source.as_string()).value());
    }
    port.max_duration = captures::base::Duration{object.at("max_duration").to_number<std::int64_t>()};
    return port;
}

policy::JitPolicy to_policy(const json::value& value) {
    const auto& object = value.as_object();
    policy::JitPolicy policy;
    if (!read_on_expiry(object.at("on_expiry").as_string(), policy.on_expiry)) throw std::invalid_argument{"on_expiry"};
    policy.justification_required = object.at("justification_required").as_bool();
    for (const auto& each : object.at("machines").as_array()) {
        policy::JitMachine machine{.name = std::string{each.at("name").as_string()}, .ports = {}};
        for (const auto& port : each.at("ports").as_array()) machine.ports.push_back(to_port(port));
        policy.machines.push_back(std::move(machine));
    }
    return policy;
}

}  // namespace

std::string to_json(const policy::JitPolicy& policy) {
    json::array machines;
    for (const auto& machine : policy.machines) {
        json::array ports;
        for (const auto& port : machine.ports) ports.push_back(to_object(port));
        machines.push_back(json::object{{"name", machine.name}, {"ports", std::move(ports)}});
    }
    return json::serialize(json::object{{"on_expiry", on_expiry_text(policy.on_expiry)},
                                        {"justification_required", policy.justification_required},
                                        {"machines", std::move(machines)}});
}

std::optional<policy::JitPolicy> from_json(std::string_view text) {
    json::parse_options options;
    options.allow_invalid_utf8 = true;  // names come back as they went in
    try {
        return to_policy(json::parse(text, {}, options));
    } catch (const std::exception&) {
        return {};
    }
}

std::string_view protocol_text(std::optional<captures::base::Protocol> protocol) noexcept {
    return protocol ? to_string(*protocol) : std::string_view{};
}

bool read_protocol(std::string_view text, std::optional<captures::base::Protocol>& protocol) noexcept {
    for (const auto each : {captures::base::Protocol::tcp, captures::base::Protocol::udp}) {
        if (text != to_string(each)) continue;
        protocol = each;
        return true;
    }
    protocol.reset();
    return text.empty();
}

std::string_view on_expiry_text(policy::OnExpiry on_expiry) noexcept {
    return on_expiry == policy::OnExpiry::cut ? "cut" : "keep";
}

bool read_on_expiry(std::string_view text, policy::OnExpiry& on_expiry) noexcept {
    on_expiry = text == "cut" ? policy::OnExpiry::cut : policy::OnExpiry::keep;
    return text == on_expiry_text(on_expiry);
}

}  // namespace gateway::store
