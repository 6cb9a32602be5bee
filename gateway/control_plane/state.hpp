#pragma once

#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gateway/control_plane/control_plane.hpp"

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

/// A request that is approved, but not written.
struct Approval {
    std::string id;
    std::string key;  ///< of the client; may be empty
    access::AccessChange change;
};

/// Requests that wait to be written together, each on machines of its own.
struct Gathered {
    enum class Outcome : std::uint8_t { open, written, lost };
    std::shared_ptr<Outcome> outcome;  ///< null: there are none
    store::Commit commit;
    std::vector<Approval> approvals;
    std::unordered_set<std::string> machines;  ///< lower case
    access::PlansAhead ahead;                  ///< what they take
    captures::base::Time now{};                ///< of the last one
};

/// What the parts of the control plane share (control_plane_*.cpp).
struct ControlPlane::State {
    using StoredPolicies = std::map<std::string, store::StoredPolicy>;  ///< by name in lower case

    State(config::Config from_file, std::unique_ptr<store::Store> opened);

    config::Config config;  ///< of the file, with the policies as they stand
    std::vector<policy::JitPolicy> file_policies;
    std::unique_ptr<store::Store> store;
    access::Access access;
    StoredPolicies changed_policies;
    std::unordered_map<std::string, std::string> repeated;                    ///< client key -> request id
    std::unordered_map<std::string, std::vector<policy::WindowId>> requests;  ///< by id
    std::map<std::string, std::vector<std::string>> request_ids;              ///< of a policy, oldest first
    Gathered gathered;
    store::Commit late;   ///< what happened and is not on disk yet; goes with the next commit
    store::Commit aside;  ///< what was late and is being written, while `writing` is valid
    std::future<tl::expected<void, store::StoreError>> writing;  ///< uses the store, which nobody else may meanwhile
    std::string outage;                                          ///< why the last write that failed did
    bool outage_noted = false;                                   ///< in `late`
    captures::base::Time next_forget{};
    access::Enforcer* enforcer = nullptr;
    Numbers numbers;

    // Roles.
    [[nodiscard]] bool allows(const Caller& caller, std::string_view action, std::string_view resource) const;
    [[nodiscard]] std::string group_id() const;
    /// A machine in a policy that the caller may read as a whole, or not.
    [[nodiscard]] bool sees(const Caller& caller, bool reads_policy, std::string_view machine) const;
    /// The problem, if the caller may not take out of a policy what the draft leaves out.
    [[nodiscard]] std::optional<Problem> may_not_leave_out(const Caller& caller, const policy::JitPolicy* before,
                                                           const PolicyDraft& draft) const;
    /// `policy 'default'`, or less to those who may not read it.
    [[nodiscard]] std::string policy_as_seen(const Caller& caller, const config::Directory::Coverage& coverage) const;
    [[nodiscard]] bool may_know(const Caller& caller, const policy::AccessRecord& record) const;
    [[nodiscard]] static Problem forbidden(const Caller& caller, std::string_view action, std::string_view scope);
    [[nodiscard]] static Problem no_policy(std::string_view id);
    [[nodiscard]] Problem no_machine(std::string_view machine) const;
    /// The id of a machine that may be given by its name, and the name of one that may be given by its id; another's id is
    /// nobody's name. Only the id as the client wrote it may be told before the client's rights are known.
    [[nodiscard]] std::string id_of(std::string_view machine) const;
    [[nodiscard]] std::string_view name_of(std::string_view machine) const;

    // Events and the store. What a client sent stands in an event's resource, machine and detail, of a length that fits it.
    [[nodiscard]] static policy::AuditEvent event(const Caller& caller, std::string_view operation,
                                                  std::string resource, std::string machine, captures::base::Time now);
    /// Writes a change together with what is late. On failure nothing of `commit` stays, and what was late remains so.
    [[nodiscard]] std::optional<Problem> write(store::Commit commit);
    /// Writes what is late in a thread of its own; nothing may be written aside already.
    void write_aside();
    /// Waits for that. What it could not write is late again.
    void finish_writing();
    void note_success();
    Problem note_failure(const store::StoreError& error);
    /// A refusal to change something: on disk, if the disk takes it, before the caller hears of it.
    Problem refuse(policy::AuditEvent event, Problem problem);
    /// Of what changes nothing: written within a second.
    void note(policy::AuditEvent event);
    [[nodiscard]] std::optional<Problem> is_backlogged() const;

    /// Applies a change that is on disk, or that needs no disk: here, then to traffic. Out of memory between the two ends the
    /// process, since the doors would then differ from the records; see Enforcer.
    void carry_out(access::AccessChange change, captures::base::Time now) noexcept;
    /// The same after policies or rules have changed.
    void load_enforcer(captures::base::Time now) noexcept;

    // Policies.
    [[nodiscard]] const policy::JitPolicy* policy(std::string_view name) const;
    /// Those that apply where the file's and the store's are these, to the machines of `all`.
    [[nodiscard]] static std::vector<policy::JitPolicy> merge(const config::Config& all,
                                                              const std::vector<policy::JitPolicy>& file,
                                                              const StoredPolicies& stored);
    void apply_policies() noexcept;
    [[nodiscard]] PolicyView view(const Caller& caller, const policy::JitPolicy& policy,
                                  captures::base::Time now) const;
    [[nodiscard]] std::optional<captures::base::Ipv4Address> public_ip(const Caller& caller, std::string_view machine,
                                                                       captures::base::Time now) const;
    [[nodiscard]] Answer<PolicyView> replace(const Caller& caller, policy::JitPolicy policy, captures::base::Time now);
    [[nodiscard]] Answer<bool> remove(const Caller& caller, const policy::JitPolicy& policy, captures::base::Time now);
    /// Writes a policy that was set or deleted, and makes it so.
    [[nodiscard]] std::optional<Problem> keep(const Caller& caller, store::StoredPolicy changed,
                                              policy::AuditEvent event);
    void end_orphans(captures::base::Time now);
    /// One for each window that ends because its policy no longer grants it.
    [[nodiscard]] std::vector<policy::AuditEvent> events_of(const access::AccessChange& orphans, const Caller& caller,
                                                            captures::base::Time now) const;

    // Requests.
    /// Whether it could depend on one that is gathered.
    [[nodiscard]] bool follows_gathered(const InitiateRequest& request) const;
    [[nodiscard]] std::shared_ptr<Gathered::Outcome> gather(Approval approval, store::Commit commit,
                                                            captures::base::Time now);
    /// Writes and does what is gathered, if anything; the problem is its writing's, and then none of it happened.
    std::optional<Problem> settle();
    void remember(const policy::AccessRecord& record);
    void forget(captures::base::Time before);
    [[nodiscard]] std::optional<RequestView> request_view(const Caller& caller, const std::string& id) const;
    [[nodiscard]] std::optional<ConnectionView> connection_view(const policy::AccessRecord& record) const;
};

/// Adds all that is in one to the other.
void append(store::Commit& to, store::Commit from);

/// The status of a refusal's code.
[[nodiscard]] Problem problem_of(const policy::Refusal& refusal);

/// `ports 22, 3389 until …, from …`: one line for the audit.
[[nodiscard]] std::string describe(const policy::AccessRecord& record);

/// A client's text for the audit: what is beyond 1024 bytes is cut off, and `...` says so.
[[nodiscard]] std::string clipped(std::string text);

/// Names compare as Azure's do.
struct NameLess {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
};

}  // namespace gateway::control_plane
