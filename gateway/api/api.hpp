#pragma once

#include <memory>

#include "captures/base/time.hpp"
#include "gateway/api/dependencies.hpp"
#include "gateway/api/http/http.hpp"
#include "gateway/control_plane/control_plane.hpp"

namespace gateway::api::sign_in {
class Authenticator;
}

namespace gateway::api {

/// Azure's API and ours: a request goes in, an answer comes out, whatever came in.
///
/// Theory of operation. In the order that ARM keeps (facts: Azure-JIT §6): token 401, api-version 400, route 404, roles 403,
/// body 400, policy 404, request against the policy 400. Every answer has ARM's headers, every error ARM's body. It
/// knows no sockets, so that tests and fuzzers call it as the server does.
class Api {
public:
    /// All must outlive it; what the dependencies hold may change.
    Api(control_plane::ControlPlane& control, const sign_in::Authenticator& authenticator,
        const Dependencies& dependencies);
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;
    ~Api();

    /// `reply` is called once: at once, or when the control plane has completed what is to be on disk before.
    void answer(http::Request request, captures::base::Time now, http::Reply reply);

private:
    struct Routes;
    std::unique_ptr<Routes> routes_;
};

}  // namespace gateway::api
