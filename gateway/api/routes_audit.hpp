#pragma once

#include "gateway/api/routes.hpp"

namespace gateway::api {

/// `/portcullis/v1/activity`: what happened, newest first, as Azure's activity log or as the portal's CSV.
[[nodiscard]] control_plane::Answer<http::Response> list_activity(Call& call);
/// `/portcullis/v1/audit`: the chain from its beginning, for verification.
[[nodiscard]] control_plane::Answer<http::Response> list_audit(Call& call);

}  // namespace gateway::api
