#pragma once

#include <string>
#include <string_view>

#include "gateway/control_plane/control_plane.hpp"

/// ARM's refusals, to the letter where its letters are known (facts: Azure-JIT §1.3).
namespace gateway::api::arm {

[[nodiscard]] control_plane::Problem missing_api_version();
[[nodiscard]] control_plane::Problem malformed_api_version(std::string_view version);
/// `supported`: versions, separated by `, `. `type`: below Microsoft.Security.
[[nodiscard]] control_plane::Problem unsupported(std::string_view location, std::string_view version,
                                                 std::string_view type, std::string_view versions,
                                                 std::string_view locations);
[[nodiscard]] control_plane::Problem unknown_type(std::string_view provider, std::string_view version);
[[nodiscard]] control_plane::Problem unknown_provider(std::string_view provider);
[[nodiscard]] control_plane::Problem unknown_path();
[[nodiscard]] control_plane::Problem wrong_method(std::string_view method, std::string_view allowed);
[[nodiscard]] control_plane::Problem malformed_subscription(std::string_view subscription);
[[nodiscard]] control_plane::Problem no_subscription(std::string_view subscription);
[[nodiscard]] control_plane::Problem no_resource_group(std::string_view group);
/// `resource`: `Microsoft.Compute/virtualMachines/web01`.
[[nodiscard]] control_plane::Problem no_resource(std::string_view resource, std::string_view group);
[[nodiscard]] control_plane::Problem no_policy(std::string_view policy_id);
/// Azure's sentence, which does not say what it is about, and then that.
[[nodiscard]] control_plane::Problem not_a_subset(std::string_view policy_id, std::string_view what);
[[nodiscard]] control_plane::Problem bad_content(std::string_view what);
[[nodiscard]] control_plane::Problem bad_request(std::string_view what);
[[nodiscard]] control_plane::Problem too_many_requests(std::string_view seconds);
[[nodiscard]] control_plane::Problem internal();

}  // namespace gateway::api::arm
