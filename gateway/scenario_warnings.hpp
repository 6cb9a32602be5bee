#pragma once

#include "gateway/config.hpp"
#include "gateway/problems.hpp"
#include "gateway/scenario.hpp"

namespace gateway {

/// What will be refused, or go nowhere, if the scenario runs with this configuration: unknown names, requests beyond
/// the policy. Events after a `reload` are not judged.
[[nodiscard]] Findings check_scenario(const Scenario& scenario, const Config& config);

}  // namespace gateway
