#pragma once

#include <string>
#include <vector>

#include "gateway/config/changes.hpp"
#include "gateway/config/findings.hpp"

namespace gateway::config {

/// How the reading of a configuration anew went, for whoever asked for it and for the log.
struct ReloadReport {
    bool taken = false;   ///< else the old one stays, whole
    Findings findings;    ///< the mistakes for which it was not taken; or warnings
    std::string refusal;  ///< why else it was not taken
    std::vector<ConfigChange> changes;
    std::vector<std::string> kept;  ///< what differs, and only a start can change
};

}  // namespace gateway::config
