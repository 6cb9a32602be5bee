#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "gateway/api/json_fields.hpp"
#include "gateway/control_plane/control_plane.hpp"

namespace gateway::api {

/// A request as ARM gives it. A port that was opened for TCP and UDP apart is told once.
[[nodiscard]] boost::json::object request_json(const control_plane::RequestView& request, const config::Config& config);

/// The answer to `initiate`: what is open already is told as Initiating, as Azure's answers have it.
[[nodiscard]] boost::json::object initiated_json(const control_plane::RequestView& request,
                                                 const config::Config& config);

/// The body of `initiate`. `fingerprint` is left to the caller. The error tells the place.
[[nodiscard]] tl::expected<control_plane::InitiateRequest, std::string> initiate_request(std::string_view body);

/// A machine's name or id. A longer text than any of these is an error: what is refused stands in the audit.
[[nodiscard]] std::string machine_text(JsonFields& fields, std::string_view name);

/// A port that is asked for: number, duration xor endTimeUtc, sources.
[[nodiscard]] policy::RequestedPort requested_port(JsonFields& fields);

/// `allowedSourceAddressPrefix` for one, the plural for several.
void add_sources(boost::json::object& json, const std::vector<captures::base::Prefix>& sources);
/// Of either name; both are an error.
[[nodiscard]] std::vector<std::string> source_texts(JsonFields& fields);

}  // namespace gateway::api
