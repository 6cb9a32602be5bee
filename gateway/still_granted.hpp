#pragma once

#include "policy/access_record.hpp"
#include "policy/jit_policy.hpp"

namespace gateway {

/// Whether a machine's entry in its policy (null: there is none any more) grants an open window as it is: its port and
/// protocol, all its sources, and its whole length from its start, which is what an extension is held to, too.
[[nodiscard]] inline bool still_granted(const policy::AccessRecord& window, const policy::JitMachine* machine) {
    const auto* const port = machine == nullptr ? nullptr : machine->port(window.port, window.protocol);
    return port != nullptr && port->first_outside(window.sources) == nullptr &&
           window.end - window.start <= port->max_duration;
}

}  // namespace gateway
