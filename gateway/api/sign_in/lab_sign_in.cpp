#include "gateway/api/sign_in/lab_sign_in.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "gateway/api/http/wire.hpp"
#include "policy/names.hpp"

namespace gateway::api::sign_in {

namespace {

constexpr std::chrono::seconds token_lifetime = std::chrono::hours{1};

bool is_token_path(const std::vector<std::string>& path) {
    static const std::vector<std::string> extension{"oauth2", "token"};
    static const std::vector<std::string> machine{"metadata", "identity", "oauth2", "token"};
    return path == extension || path == machine;
}

/// From the query, or from the form that is the body.
std::string resource_of(const http::Request& request) {
    if (const auto resource = request.parameter("resource")) return std::string{*resource};
    const auto form = http::parse_target("/?" + request.body);
    if (!form) return {};
    const auto found = form->second.find("resource");
    return found == form->second.end() ? "" : found->second;
}

}  // namespace

http::Response answer_sign_in(const http::Request& request, const Authenticator& authenticator,
                              captures::base::Time now) {
    if (!is_token_path(request.path)) return http::refusal(404, "NotFound", "Tokens are at /oauth2/token.");
    if (request.method != "GET" && request.method != "POST") {
        return http::refusal(405, "MethodNotAllowed", "Tokens are asked for with GET or POST.");
    }
    if (!policy::same_name(request.header("metadata"), "true")) {
        return http::refusal(400, "BadRequest", "The header Metadata: true is missing.");
    }
    const auto resource = resource_of(request);
    if (resource.empty()) return http::refusal(400, "BadRequest", "The parameter resource is missing.");
    const auto token = authenticator.lab_token(resource, now);
    if (!token) return http::refusal(404, "NotFound", "The lab's sign-in is off.");
    const auto expires = std::chrono::floor<std::chrono::seconds>(now + token_lifetime).time_since_epoch().count();
    const boost::json::object body{{"access_token", *token},
                                   {"token_type", "Bearer"},
                                   {"expires_in", std::to_string(token_lifetime.count())},
                                   {"expires_on", std::to_string(expires)},
                                   {"resource", resource}};
    return {200, {{"Cache-Control", "no-store"}}, boost::json::serialize(body)};
}

}  // namespace gateway::api::sign_in
