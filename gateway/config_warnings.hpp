#pragma once

#include "gateway/config.hpp"
#include "gateway/problems.hpp"

namespace gateway {

/// What is legal in a valid configuration, but surely not meant: rules that never match, ports that nobody can reach,
/// doors that stand open. Bounded: of each kind some are named and the rest is counted. An error only where the rules
/// cannot be compiled.
[[nodiscard]] Findings config_warnings(const Config& config);

}  // namespace gateway
