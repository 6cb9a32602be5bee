#pragma once

#include <string_view>

#include <boost/json/object.hpp>

#include "gateway/control_plane/control_plane.hpp"

namespace gateway::api {

/// What every writer of JSON here needs to know of the configuration.
[[nodiscard]] boost::json::object policy_json(const control_plane::PolicyView& view, const config::Config& config);

/// A port of a policy, as ARM gives it: one source is `allowedSourceAddressPrefix`, several are the plural.
[[nodiscard]] boost::json::object policy_port_json(const policy::JitPort& port);

/// A policy as ARM's clients send it, with our `onExpiry` and `justificationRequired`. The error tells the place.
[[nodiscard]] tl::expected<control_plane::PolicyDraft, std::string> policy_draft(std::string_view body);

/// The ports of an array `name`, as in a policy.
class JsonFields;
[[nodiscard]] std::vector<policy::JitPort> policy_ports(JsonFields& fields, std::string_view name);

}  // namespace gateway::api
