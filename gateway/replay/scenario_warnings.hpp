#pragma once

#include "gateway/config/config.hpp"
#include "gateway/config/findings.hpp"
#include "gateway/replay/scenario.hpp"

namespace gateway::replay {

/// What will be refused, or go nowhere, if the scenario runs with this configuration: unknown names, requests beyond
/// the policy. Events after a `reload` are not judged.
[[nodiscard]] config::Findings check_scenario(const Scenario& scenario, const config::Config& config);

}  // namespace gateway::replay
