#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "gateway/config/reload_report.hpp"
#include "gateway/control_plane/caller.hpp"
#include "gateway/live/live_gateway.hpp"

/// What `/portcullis/v1` tells of the live gateway (docs/api.yaml).
namespace gateway::api {

[[nodiscard]] boost::json::object live_json(const live::LiveStatus& status);
[[nodiscard]] boost::json::object flow_json(const live::FlowView& view);
/// The object of a line of `--decisions`, and protocol, TCP flags and length.
void append_watched(std::string& to, const outputs::Decision& decision);
[[nodiscard]] boost::json::object reload_json(const config::ReloadReport& report);
/// ARM's error, with a detail for each mistake.
[[nodiscard]] boost::json::object refused_reload_json(const config::ReloadReport& report,
                                                      const control_plane::Problem& problem);

/// Which flow a body names: `protocol`, `client` and `called`.
[[nodiscard]] tl::expected<dnat::Arrived, std::string> flow_body(std::string_view body);

}  // namespace gateway::api
