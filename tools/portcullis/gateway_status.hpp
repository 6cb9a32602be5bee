#pragma once

#include "tools/portcullis/remote.hpp"

namespace tools {

/// `portcullis status` of no request: how the gateway goes. The exit code.
[[nodiscard]] int print_gateway_status(const Remote& remote);

}  // namespace tools
