#pragma once

#include <vector>

#include "captures/time.hpp"
#include "gateway/access.hpp"
#include "gateway/config.hpp"
#include "gateway/window_change.hpp"

namespace gateway {

/// Who makes on the wire what the control plane decides. It is told after the decision is on disk and before the answer;
/// when it returns, doors have moved.
class Enforcer {
public:
    Enforcer() = default;
    Enforcer(const Enforcer&) = delete;
    Enforcer& operator=(const Enforcer&) = delete;
    virtual ~Enforcer() = default;

    /// `config` (policies as they stand) and `access` are as they are now; of both, only what is in these may have changed.
    struct Change {
        bool rules = false;               ///< of the configuration
        std::vector<WindowEnd> ends;      ///< the cut ones' flows end
        std::vector<Adoption> adoptions;  ///< before that
        captures::Time now{};
    };
    virtual void enforce(const Config& config, const Access& access, const Change& change) = 0;
};

}  // namespace gateway
