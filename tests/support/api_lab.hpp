#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/api/api.hpp"
#include "gateway/api/sign_in/authenticator.hpp"
#include "tests/support/service_lab.hpp"

/// The lab of `service_lab.hpp` with its API before it: requests go in as the server would hand them on.
namespace support {

inline constexpr const char* subscription_path = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23";
inline const std::string group_path = std::string{subscription_path} + "/resourceGroups/lab";
inline const std::string policies_path = group_path +
                                         "/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies";
inline const std::string policy_path = policies_path + "/default";
inline const std::string version = "?api-version=2020-01-01";

using Headers = gateway::api::http::Fields;

struct ApiLab : ServiceLab {
    ApiLab() { restart(noon); }

    void restart(captures::base::Time now, const std::string& toml = service_lab_toml) {
        api.reset();
        authenticator.reset();
        start(now, toml);
        auto made = gateway::api::sign_in::Authenticator::create(control->config());
        BOOST_REQUIRE_MESSAGE(made, (made ? std::string{} : made.error()));
        authenticator = std::make_unique<gateway::api::sign_in::Authenticator>(std::move(*made));
        api = std::make_unique<gateway::api::Api>(control->plane(), *authenticator, dependencies);
    }

    /// `who`: the name before the @; nobody where it is empty.
    [[nodiscard]] static gateway::api::http::Request request(std::string_view method, const std::string& who,
                                                             std::string_view target, std::string body = {},
                                                             Headers headers = {}) {
        auto parsed = gateway::api::http::parse_target(target);
        BOOST_REQUIRE_MESSAGE(parsed, target);
        gateway::api::http::Request request;
        request.method = method;
        request.path = std::move(parsed->first);
        request.query = std::move(parsed->second);
        request.headers = std::move(headers);
        if (!who.empty()) request.headers["authorization"] = "Bearer token-of-" + who;
        request.body = std::move(body);
        request.base_url = "https://localhost:8443";
        request.peer = "198.51.100.7";
        request.peer_ipv4 = captures::base::Ipv4Address{0xc6336407};
        return request;
    }
    gateway::api::http::Response send(std::string_view method, const std::string& who, std::string_view target,
                                      std::string body = {}, Headers headers = {}, captures::base::Time now = noon) {
        return answer(request(method, who, target, std::move(body), std::move(headers)), now);
    }
    /// Waits for what is to be on disk before.
    gateway::api::http::Response answer(gateway::api::http::Request asked, captures::base::Time now) {
        std::optional<gateway::api::http::Response> told;
        api->answer(std::move(asked), now, [&](auto response) { told = std::move(response); });
        control->finish();
        BOOST_REQUIRE(told.has_value());
        return std::move(*told);
    }
    gateway::api::http::Response get(const std::string& who, std::string_view target, captures::base::Time now = noon) {
        return send("GET", who, target, {}, {}, now);
    }

    /// The body of `initiate` for one port, for an hour from anywhere that the policy allows.
    [[nodiscard]] static std::string initiate_body(const std::string& machine, std::uint16_t port) {
        return R"({"virtualMachines":[{"id":")" + machine_id(machine) + R"(","ports":[{"number":)" +
               std::to_string(port) + R"(,"duration":"PT1H"}]}],"justification":"patching"})";
    }
    gateway::api::http::Response open(const std::string& who, const std::string& machine = "web01",
                                      std::uint16_t port = 22) {
        return send("POST", who, policy_path + "/initiate" + version, initiate_body(machine, port));
    }

    gateway::api::Dependencies dependencies;
    std::unique_ptr<gateway::api::sign_in::Authenticator> authenticator;
    std::unique_ptr<gateway::api::Api> api;
};

/// The body as JSON; null where it is none.
inline boost::json::value json_of(const gateway::api::http::Response& response) {
    boost::json::error_code error;
    auto value = boost::json::parse(response.body, error);
    return error ? boost::json::value{} : value;
}

/// `404 PolicyNotFound`, or just `200`.
inline std::string outcome(const gateway::api::http::Response& response) {
    auto text = std::to_string(response.status);
    const auto json = json_of(response);
    boost::json::error_code error;
    const auto* code = json.is_object() ? json.find_pointer("/error/code", error) : nullptr;
    return code == nullptr ? text : text + ' ' + std::string{code->as_string().c_str()};
}

/// A part of the body: `/value/0/name`. Null where there is none.
inline boost::json::value part(const gateway::api::http::Response& response, std::string_view pointer) {
    const auto json = json_of(response);
    boost::json::error_code error;
    const auto* found = json.find_pointer({pointer.data(), pointer.size()}, error);
    return found == nullptr ? boost::json::value{} : *found;
}

/// The same as text: a string without its quotes.
inline std::string text_at(const gateway::api::http::Response& response, std::string_view pointer) {
    const auto value = part(response, pointer);
    return value.is_string() ? std::string{value.as_string().c_str()} : boost::json::serialize(value);
}

inline std::string header_of(const gateway::api::http::Response& response, std::string_view name) {
    for (const auto& [one, value] : response.headers) {
        if (one == name) return value;
    }
    return "(none)";
}

}  // namespace support
