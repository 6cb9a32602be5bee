#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "gateway/api/routes.hpp"

namespace gateway::api {

/// `/portcullis/v1/activity`: what happened, newest first, as Azure's activity log or as the portal's CSV.
[[nodiscard]] Answer<Response> list_activity(Call& call);
/// `/portcullis/v1/audit`: the chain from its beginning, for verification.
[[nodiscard]] Answer<Response> list_audit(Call& call);

/// 400 that names a parameter which the route does not have: a filter with a slip of the pen would show too much.
[[nodiscard]] std::optional<Problem> other_parameters(const Call& call, std::initializer_list<std::string_view> known);

}  // namespace gateway::api
