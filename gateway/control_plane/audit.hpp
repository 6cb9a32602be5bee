#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/control_plane/core.hpp"

namespace gateway::control_plane {

/// A piece of the audit chain, and how far the chain went when it was read.
struct AuditChain {
    std::vector<policy::AuditEvent> events;
    store::ChainPoint head;
};

/// What was decided: reading it, and telling it of what goes beside the other parts.
class Audit {
public:
    explicit Audit(Core& core) : core_{core} {}

    /// The caller's own events, and others' where the caller may read them.
    void activity(const Caller& caller, const store::EventFilter& filter, captures::base::Time now,
                  Done<std::vector<policy::AuditEvent>> done);
    /// The whole chain, for verification: only for those who may read all of it.
    void chain(const Caller& caller, std::uint64_t after, std::size_t limit, captures::base::Time now,
               Done<AuditChain> done);

    /// A decision that was made before it came here: a bad token, a body that is no JSON.
    void note_refusal(const Caller& caller, std::string_view operation, std::string_view resource,
                      const Problem& problem, captures::base::Time now);
    /// Notes, within a second, a reading that went beside the control plane.
    void note_reading(const Caller& caller, std::string_view operation, std::string detail, captures::base::Time now);
    /// Notes a change beside the control plane that is to be made when `then` gets no problem.
    void note_change(const Caller& caller, std::string_view operation, std::string detail, captures::base::Time now,
                     Ledger::Written then);

private:
    Core& core_;
};

}  // namespace gateway::control_plane
