#pragma once

#include "gateway/config/config.hpp"
#include "gateway/config/findings.hpp"

namespace gateway::config {

/// What is legal in a valid configuration and likely a mistake: rules that never match, ports that nobody can reach,
/// doors that stand open. Bounded: of each kind some are named and the rest is counted. An error only where the rules
/// cannot be compiled.
[[nodiscard]] Findings config_warnings(const Config& config);

}  // namespace gateway::config
