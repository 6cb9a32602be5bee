#pragma once

#include "gateway/api/routes.hpp"

/// How the gateway goes, what passes through it, and its operator's means. All of it needs an action on the firewall's
/// resource, since it tells addresses of everybody (docs/access.md).
namespace gateway::api {

/// `/portcullis/v1/status`
[[nodiscard]] control_plane::Answer<http::Response> get_status(Call& call);
/// `/portcullis/v1/flows`
[[nodiscard]] control_plane::Answer<http::Response> list_flows(Call& call);
/// `/portcullis/v1/flows/end`
[[nodiscard]] control_plane::Answer<http::Response> end_flow(Call& call);
/// `/portcullis/v1/decisions`: those from a number on, of which the answer tells the next. Whoever asks is watching for some
/// seconds; nothing is kept before that.
[[nodiscard]] control_plane::Answer<http::Response> list_decisions(Call& call);
/// `/portcullis/v1/reload`
[[nodiscard]] control_plane::Answer<http::Response> reload_configuration(Call& call);

}  // namespace gateway::api
