#pragma once

#include "gateway/api/routes.hpp"

/// What Azure's clients ask for beside policies: subscriptions, locations, virtual machines.
namespace gateway::api {

[[nodiscard]] Answer<Response> list_subscriptions(Call& call);
[[nodiscard]] Answer<Response> get_subscription(Call& call);
[[nodiscard]] Answer<Response> list_locations(Call& call);
[[nodiscard]] Answer<Response> get_location(Call& call);
[[nodiscard]] Answer<Response> list_machines(Call& call);
[[nodiscard]] Answer<Response> get_machine(Call& call);

}  // namespace gateway::api
