#pragma once

#include <string>

namespace gateway {

/// A random GUID (RFC 9562, version 4), lower case. From OpenSSL's generator: nobody guesses the next one.
[[nodiscard]] std::string new_guid();

}  // namespace gateway
