#pragma once

#include <string>

#include "gateway/live/rotation.hpp"

namespace gateway::live {

/// What is written while packets move; empty paths: nothing.
struct LogFiles {
    std::string azure_log{};
    std::string decisions{};
    std::string record{};
    Rotation rotation{};

    [[nodiscard]] bool any() const noexcept { return !(azure_log.empty() && decisions.empty() && record.empty()); }
};

}  // namespace gateway::live
