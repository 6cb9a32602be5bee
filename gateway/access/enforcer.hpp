#pragma once

#include <vector>

#include "captures/base/time.hpp"
#include "gateway/access/access.hpp"
#include "gateway/config/config.hpp"
#include "policy/window_change.hpp"

namespace gateway::access {

/// Who makes on the wire what the control plane decides. It is told after the decision is on disk and before the answer.
/// Only expiry comes first: a window closes in time, whatever the disk does. When `enforce` returns, doors have moved.
class Enforcer {
public:
    Enforcer() = default;
    Enforcer(const Enforcer&) = delete;
    Enforcer& operator=(const Enforcer&) = delete;
    virtual ~Enforcer() = default;

    /// `config` (policies as they stand) and `access` are as they are now; of both, only what is in these may have changed.
    struct Change {
        bool rules = false;                       ///< of the configuration
        std::vector<policy::WindowEnd> ends;      ///< the cut ones' flows end
        std::vector<policy::Adoption> adoptions;  ///< before that
        captures::base::Time now{};
    };
    virtual void enforce(const config::Config& config, const Access& access, const Change& change) = 0;
};

}  // namespace gateway::access
