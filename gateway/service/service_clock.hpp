#pragma once

#include <algorithm>
#include <optional>

#include "captures/base/time.hpp"

namespace gateway::service {

/// Wall time that no step of the clock makes a window longer.
///
/// It follows the wall clock forward: a step ahead closes windows early, which is safe. A step back is not followed: time
/// goes on at the pace of the other clock, which counts since the machine started, its sleep included (CLOCK_BOOTTIME),
/// until the wall clock has caught up.
class ServiceClock {
public:
    /// What both clocks show now; `elapsed` never runs backwards. Never earlier than the answer before.
    [[nodiscard]] captures::base::Time at(captures::base::Time wall, captures::base::Duration elapsed) noexcept {
        const auto offset = wall.time_since_epoch() - elapsed;
        offset_ = offset_ ? std::max(*offset_, offset) : offset;
        return captures::base::Time{*offset_ + elapsed};
    }

private:
    std::optional<captures::base::Duration>
        offset_;  ///< wall time when the other clock showed 0, the latest that was seen
};

}  // namespace gateway::service
