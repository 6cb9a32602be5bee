#pragma once

#include "captures/base/time.hpp"
#include "gateway/api/http/http.hpp"
#include "gateway/api/sign_in/authenticator.hpp"

namespace gateway::api::sign_in {

/// What `az login --identity` asks for a token: the endpoint of a managed identity, as a virtual machine of Azure and its
/// older extension have it (facts: Azure-JIT §2.2). Asks for the header `Metadata: true`, which no web page can send.
[[nodiscard]] http::Response answer_sign_in(const http::Request& request, const Authenticator& authenticator,
                                            captures::base::Time now);

}  // namespace gateway::api::sign_in
