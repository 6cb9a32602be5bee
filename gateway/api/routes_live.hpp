#pragma once

#include "gateway/api/routes.hpp"

/// How the gateway goes, what passes through it, and its operator's means. All of it needs an action on the firewall's
/// resource, since it tells addresses of everybody (docs/access.md).
namespace gateway::api {

/// `/portcullis/v1/status`
[[nodiscard]] control_plane::Answer<http::Response> get_status(Call& call);
/// `/portcullis/v1/flows`
void list_flows(const std::shared_ptr<Call>& shared);
/// `/portcullis/v1/flows/end`
void end_flow(const std::shared_ptr<Call>& shared);
/// `/portcullis/v1/decisions`: those from a number on, of which the answer tells the next. Whoever asks is watching for some
/// seconds; nothing is kept before that.
void list_decisions(const std::shared_ptr<Call>& shared);
/// `/portcullis/v1/reload`
void reload_configuration(const std::shared_ptr<Call>& shared);

}  // namespace gateway::api
