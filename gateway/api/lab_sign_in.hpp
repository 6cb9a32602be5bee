#pragma once

#include "captures/time.hpp"
#include "gateway/api/authenticator.hpp"
#include "gateway/api/http.hpp"

namespace gateway::api {

/// What `az login --identity` asks for a token: the endpoint of a managed identity, as a virtual machine of Azure and its
/// older extension have it (facts: Azure-JIT §2.2). Asks for the header `Metadata: true`, which no web page can send.
[[nodiscard]] Response answer_sign_in(const Request& request, const Authenticator& authenticator, captures::Time now);

}  // namespace gateway::api
