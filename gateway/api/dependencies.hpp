#pragma once

#include <functional>

#include "gateway/config/reload_report.hpp"
#include "gateway/control_plane/caller.hpp"

namespace gateway::live {
class LiveGateway;
}

namespace gateway::api {

/// What the process has beside the control plane, and the API tells of and acts on. Empty: there is none.
struct Dependencies {
    live::LiveGateway* live = nullptr;  ///< with `[live]`
    /// Tells how it went, perhaps later.
    std::function<void(const control_plane::Caller&, std::function<void(const config::ReloadReport&)>)> reload;
};

}  // namespace gateway::api
