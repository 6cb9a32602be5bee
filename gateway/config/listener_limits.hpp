#pragma once

#include <cstddef>

#include "dnat/rule_limits.hpp"

namespace gateway::config {

// A rule table holds the configuration's rules and those of mapped ports. These come while it is in use, when it is too
// late to refuse a configuration, so that room is kept for them.

/// Ports of machines that have a mapped port, at most; each listens for TCP and UDP.
inline constexpr std::size_t most_mapped_ports = 100'000;
/// What the rules of a configuration may listen on.
inline constexpr std::size_t most_configured_listeners = dnat::most_listeners - 2 * most_mapped_ports;

}  // namespace gateway::config
