#pragma once

#include "captures/base/time.hpp"
#include "gateway/config/config.hpp"
#include "policy/doors.hpp"
#include "policy/window_change.hpp"

namespace gateway::access {

/// Applies the control plane's decisions to traffic. It is called after a decision is on disk and before the answer. Only expiry
/// comes first: a window closes in time, whatever the disk does. When a call returns, doors have moved.
///
/// Its arguments are values, complete in themselves: who has the state and then every change to it, in order, needs nothing
/// else of the control plane.
///
/// A half-applied change could open a door again that is closed. So a call that runs out of memory ends the process: it then
/// forwards nothing, and the next start reads from the disk how things stand.
class Enforcer {
public:
    Enforcer() = default;
    Enforcer(const Enforcer&) = delete;
    Enforcer& operator=(const Enforcer&) = delete;
    virtual ~Enforcer() = default;

    /// How everything stands: at the start, and after rules or policies have changed. What that ended was a change before.
    virtual void load(const config::Config& config, const policy::DoorState& state,
                      captures::base::Time now) noexcept = 0;
    /// Windows have changed, and nothing else.
    virtual void apply(const policy::WindowDelta& delta, captures::base::Time now) noexcept = 0;
};

}  // namespace gateway::access
