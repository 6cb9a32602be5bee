#pragma once

#include <string>

#include "captures/base/time.hpp"

namespace gateway::control_plane {

/// A random GUID (RFC 9562, version 4), lower case. From OpenSSL's generator: nobody guesses the next one.
[[nodiscard]] std::string new_guid();

/// One that begins with the time in milliseconds (version 7) and goes on with 74 random bits: keys made one after the other lie
/// side by side in an index.
[[nodiscard]] std::string new_ordered_guid(captures::base::Time now);

}  // namespace gateway::control_plane
