#pragma once

#include "gateway/config.hpp"
#include "gateway/scenario.hpp"

namespace gateway {

/// What is legal in a valid configuration, but surely not meant: rules that never match, ports that nobody can reach,
/// doors that stand open. Bounded: of each kind some are named and the rest is counted. An error only where the rules
/// cannot be compiled.
[[nodiscard]] Findings config_warnings(const Config& config);

/// What will be refused, or go nowhere, if the scenario runs with this configuration: unknown names, requests beyond
/// the policy. Events after a `reload` are not judged.
[[nodiscard]] Findings check_scenario(const Scenario& scenario, const Config& config);

}  // namespace gateway
