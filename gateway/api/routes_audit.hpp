#pragma once

#include "gateway/api/routes.hpp"

namespace gateway::api {

/// `/portcullis/v1/activity`: what happened, newest first, as Azure's activity log or as the portal's CSV.
void list_activity(const std::shared_ptr<Call>& shared);
/// `/portcullis/v1/audit`: the chain from its beginning, for verification.
void list_audit(const std::shared_ptr<Call>& shared);

}  // namespace gateway::api
