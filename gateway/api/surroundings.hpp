#pragma once

#include <functional>

#include "gateway/caller.hpp"
#include "gateway/reload_report.hpp"

namespace gateway::live {
class LiveGateway;
}

namespace gateway::api {

/// What the process has beside the control plane, and the API tells of and acts on. Empty: there is none.
struct Surroundings {
    live::LiveGateway* live = nullptr;  ///< with `[live]`
    std::function<ReloadReport(const Caller&)> reload;
};

}  // namespace gateway::api
