#pragma once

#include "gateway/api/routes.hpp"

/// What Azure's clients ask for beside policies: subscriptions, locations, virtual machines.
namespace gateway::api {

[[nodiscard]] control_plane::Answer<http::Response> list_subscriptions(Call& call);
[[nodiscard]] control_plane::Answer<http::Response> get_subscription(Call& call);
[[nodiscard]] control_plane::Answer<http::Response> list_locations(Call& call);
[[nodiscard]] control_plane::Answer<http::Response> get_location(Call& call);
[[nodiscard]] control_plane::Answer<http::Response> list_machines(Call& call);
[[nodiscard]] control_plane::Answer<http::Response> get_machine(Call& call);

}  // namespace gateway::api
