#pragma once

#include <cstddef>

namespace dnat {

/// So many listeners (address, protocol and port; a range is as many as it has ports) has a rule table at most, over all
/// rules: what one costs in memory and time is known beforehand.
inline constexpr std::size_t most_listeners = 2'200'000;

}  // namespace dnat
