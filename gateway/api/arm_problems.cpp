#include "gateway/api/arm_problems.hpp"

#include <fmt/format.h>

#include "gateway/api/http/text.hpp"

namespace gateway::api::arm {

namespace {

/// Somebody else's text within ARM's own quotes: of a readable length, on one line.
std::string inside(std::string_view text) {
    const auto quoted = http::shown(text);
    return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

control_plane::Problem missing_api_version() {
    return {400, "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests."};
}

control_plane::Problem malformed_api_version(std::string_view version) {
    return {400, "InvalidApiVersionParameter",
            fmt::format("The api-version '{}' is invalid. It is a date such as 2020-01-01, perhaps with -preview.",
                        inside(version))};
}

control_plane::Problem unsupported(std::string_view location, std::string_view version, std::string_view type,
                                   std::string_view versions, std::string_view locations) {
    return {400, "NoRegisteredProviderFound",
            fmt::format("No registered resource provider found for location '{}' and API version '{}' for type '{}'. "
                        "The supported api-versions are '{}'. The supported locations are '{}'.",
                        inside(location), inside(version), type, versions, locations)};
}

control_plane::Problem unknown_type(std::string_view provider, std::string_view version) {
    return {404, "InvalidResourceType",
            fmt::format("The resource type could not be found in the namespace '{}' for api version '{}'.",
                        inside(provider), inside(version))};
}

control_plane::Problem unknown_provider(std::string_view provider) {
    return {404, "InvalidResourceNamespace", fmt::format("The resource namespace '{}' is invalid.", inside(provider))};
}

control_plane::Problem unknown_path() {
    return {404, "NotFound", "There is nothing at this path. What is served is told in docs/api.yaml."};
}

control_plane::Problem wrong_method(std::string_view method, std::string_view allowed) {
    return {405, "MethodNotAllowed",
            fmt::format("The requested resource does not support http method '{}', but {}.", inside(method), allowed)};
}

control_plane::Problem malformed_subscription(std::string_view subscription) {
    return {400, "InvalidSubscriptionId",
            fmt::format("The provided subscription identifier '{}' is malformed or invalid.", inside(subscription))};
}

control_plane::Problem no_subscription(std::string_view subscription) {
    return {404, "SubscriptionNotFound",
            fmt::format("The subscription '{}' could not be found.", inside(subscription))};
}

control_plane::Problem no_resource_group(std::string_view group) {
    return {404, "ResourceGroupNotFound", fmt::format("Resource group '{}' could not be found.", inside(group))};
}

control_plane::Problem no_resource(std::string_view resource, std::string_view group) {
    return {404, "ResourceNotFound",
            fmt::format("The Resource '{}' under resource group '{}' was not found. For more details please go to "
                        "https://aka.ms/ARMResourceNotFoundFix",
                        inside(resource), inside(group))};
}

control_plane::Problem no_policy(std::string_view policy_id) {
    // In full: clients parse it.
    return {404, "PolicyNotFound",
            fmt::format("Just-In-Time Network Access Policy '{}' does not exist.", policy_id.substr(0, 1024))};
}

control_plane::Problem not_a_subset(std::string_view policy_id, std::string_view what) {
    return {
        400, std::string{policy::refusal_code::not_a_subset},
        fmt::format("The given access request is not a subset of policy '{}'. Please make sure that the access request "
                    "is within the allowed policy properties: {}.",
                    policy_id, what)};
}

control_plane::Problem bad_content(std::string_view what) {
    return {400, "InvalidRequestContent",
            fmt::format("The request content was invalid and could not be deserialized: {}.", what)};
}

control_plane::Problem bad_request(std::string_view what) { return {400, "BadRequest", fmt::format("{}.", what)}; }

control_plane::Problem too_many_requests(std::string_view seconds) {
    return {429, "TooManyRequests", fmt::format("Too many requests. Please retry after {} seconds.", seconds)};
}

control_plane::Problem internal() {
    return {500, "InternalServerError",
            "Internal server error has occurred. Nothing is known of it but its correlation id."};
}

}  // namespace gateway::api::arm
