#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/access/access.hpp"
#include "gateway/access/enforcer.hpp"
#include "gateway/config/config.hpp"
#include "gateway/control_plane/caller.hpp"
#include "gateway/control_plane/ledger.hpp"
#include "gateway/control_plane/turns.hpp"
#include "policy/audit.hpp"

namespace gateway::control_plane {

/// How long a request is told of: Azure's page shows a week.
inline constexpr captures::base::Duration history = std::chrono::hours{24 * 7};

/// Operations of the audit, beside Azure's own actions.
namespace operation {
inline constexpr std::string_view extend = "Microsoft.Security/locations/jitNetworkAccessPolicies/extend/action";
inline constexpr std::string_view revoke = "Microsoft.Security/locations/jitNetworkAccessPolicies/revoke/action";
inline constexpr std::string_view store_outage = "Portcullis/store/write/action";
inline constexpr std::string_view expire = "Microsoft.Security/locations/jitNetworkAccessPolicies/expire/action";
}  // namespace operation

/// What became of a use case: called once, by the thread that uses the control plane, perhaps later.
template <class T>
using Done = std::function<void(Answer<T>)>;

/// What the parts of the control plane share: the configuration and the windows as they stand, and the way to the disk.
struct Core {
    struct Counts {
        std::uint64_t approved = 0;  ///< requests, since the start
        std::uint64_t refused = 0;
        std::uint64_t expired = 0;
        std::uint64_t revoked = 0;
    };

    Core(config::Config from_file, std::unique_ptr<store::Store> store, std::function<void()> wake);

    config::Config config;  ///< of the file, with the policies as they stand
    access::Access access;
    access::Enforcer* enforcer = nullptr;
    Counts counts;
    Turns turns;
    captures::base::Time latest{};  ///< of the times at which something was decided or ended
    Ledger ledger;                  ///< after the turns: what it has under way holds some

    using Turn = Turns::Turn;
    /// Decides about machines (none: about everything) once nothing else is being written about them; what is over at that
    /// time has ended. `use` gets the time that it is then by the control plane's clock.
    void decide(std::vector<std::string> machines, captures::base::Time now,
                std::function<void(const Turn&, captures::base::Time)> use);
    /// Ends what is over, but for machines about which something is being written: that ends with it.
    void tick(captures::base::Time now);
    /// Acts on what the store has done.
    void complete();
    /// Applies a change that is on disk, or that needs no disk: here, then to traffic. Out of memory between the two ends the
    /// process, since the doors would then differ from the records; see Enforcer.
    void carry_out(access::AccessChange change, captures::base::Time now) noexcept;
    /// The same after policies or rules have changed.
    void load_enforcer(captures::base::Time now) const noexcept;

    // Roles.
    [[nodiscard]] bool allows(const Caller& caller, std::string_view action, std::string_view resource) const;
    [[nodiscard]] std::string group_id() const;
    /// A machine in a policy that the caller may read as a whole, or not.
    [[nodiscard]] bool sees(const Caller& caller, bool reads_policy, std::string_view machine) const;
    [[nodiscard]] bool may_know(const Caller& caller, const policy::AccessRecord& record) const;
    [[nodiscard]] Problem no_machine(std::string_view machine) const;
    /// The id of a machine that may be given by its name, and the name of one that may be given by its id; another's id is
    /// nobody's name. Only the id as the client wrote it may be told before the client's rights are known.
    [[nodiscard]] std::string id_of(std::string_view machine) const;
    [[nodiscard]] std::string_view name_of(std::string_view machine) const;
    [[nodiscard]] const policy::JitPolicy* policy(std::string_view name) const;

    /// A refusal to change something: on disk, if the disk takes it, before `then` is called.
    void refuse(policy::AuditEvent event, Problem problem, std::function<void(Problem)> then);
    /// Of what only reads.
    void note_refusal(policy::AuditEvent event, const Problem& problem);
};

/// What a client sent stands in an event's resource and machine, of a length that fits it.
[[nodiscard]] policy::AuditEvent make_event(const Caller& caller, std::string_view operation, std::string resource,
                                            std::string machine, captures::base::Time now);

/// Nobody's doing but the clock's.
[[nodiscard]] const Caller& the_clock();

[[nodiscard]] Problem forbidden(const Caller& caller, std::string_view action, std::string_view scope);
[[nodiscard]] Problem no_policy(std::string_view id);
/// The status of a refusal's code.
[[nodiscard]] Problem problem_of(const policy::Refusal& refusal);

/// `port 22 from … until …`: one line for the audit.
[[nodiscard]] std::string describe(const policy::AccessRecord& record);

/// A client's text for the audit: what is beyond 1024 bytes is cut off, and `...` says so.
[[nodiscard]] std::string clipped(std::string text);

}  // namespace gateway::control_plane
