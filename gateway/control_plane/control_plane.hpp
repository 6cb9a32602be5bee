#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "gateway/access/access.hpp"
#include "gateway/access/connection.hpp"
#include "gateway/access/enforcer.hpp"
#include "gateway/config/changes.hpp"
#include "gateway/config/config.hpp"
#include "gateway/control_plane/caller.hpp"
#include "gateway/store/store.hpp"
#include "policy/audit.hpp"

namespace gateway::control_plane {

/// A machine and the ports of it that a request is about, by resource id: what a client says may be any casing, or
/// nonsense.
struct MachineRequest {
    std::string machine_id;
    std::vector<policy::RequestedPort> ports;
};

struct InitiateRequest {
    std::vector<MachineRequest> machines;
    std::string justification;
    std::string fingerprint;  ///< of path and body: a client's id counts as a repetition only with the same one
    bool can_wait = false;    ///< for others to be written with it: see RequestView::settle
};

/// A policy as a client wants it; what it leaves out stays as it is.
struct PolicyDraft {
    struct Machine {
        std::string id;
        std::vector<policy::JitPort> ports;
    };
    std::vector<Machine> machines;
    std::optional<policy::OnExpiry> on_expiry;
    std::optional<bool> justification_required;
};

/// One approved request: the records of all its machines and ports.
struct RequestView {
    std::string id;
    std::string requestor;
    std::string justification;
    captures::base::Time start;
    std::vector<policy::AccessRecord> records;  ///< those that the caller may see
    /// Where set, nothing of it has happened yet. It happens when this is called, together with all else that waits, in one
    /// transaction; false: it did not, and must be asked for anew. What it is called on must still be there.
    std::function<bool()> settle = {};
};

/// A policy as one caller may see it.
struct PolicyView {
    policy::JitPolicy policy;  ///< with the machines that the caller may see
    std::string id;
    std::string provisioning_state;  ///< `Updating` in the answer to a PUT, then `Succeeded`
    std::vector<RequestView> requests;
    /// Of a machine: the firewall's address, to those who may know; parallel to policy.machines.
    std::vector<std::optional<captures::base::Ipv4Address>> public_ips;
};

/// Where an open window lets its requestor connect.
struct ConnectionView {
    policy::AccessRecord record;
    std::optional<access::Connection> connection;  ///< none where nothing leads to the port
    std::string os;
};

/// A line of the page "Just-in-time VM access" (facts: defender-for-cloud/just-in-time-access-usage).
struct MachineView {
    enum class State : std::uint8_t { configured, not_configured, unsupported };
    std::string name;
    std::string id;
    std::string os;
    State state = State::unsupported;
    std::string severity;  ///< of one not configured: High, Low or Healthy
    std::string reason;    ///< of one not configured or unsupported
    std::string policy;
    std::vector<policy::JitPort> ports;
    std::size_t approved_requests = 0;  ///< in the last seven days
    std::optional<captures::base::Time> last_access;
    std::string last_user;
    std::vector<ConnectionView> connections;  ///< those that the caller may see
};

[[nodiscard]] std::string_view to_string(MachineView::State state) noexcept;

/// Just-in-time access as a service: Azure's use cases and ours, over one configuration and one store.
///
/// Theory of operation. A use case first decides (`Access` plans, nothing changes), then writes what it decided and the
/// audit event that tells of it to the store in one transaction, and only then opens or closes windows. If
/// the store fails the answer is 503 and no door has moved, but that expiry goes on in memory and is written later.
/// What changes something, and every refusal to do so, is written before the answer. What only tells (a look-up, a refused reading) is
/// written together: by `flush`, at most a second later, or, where it is much, sooner by a thread that has the store meanwhile.
///
/// Requests that can wait are gathered, so that many share one sync. They are plans until they are settled: nobody sees them, and
/// whatever could change what they were planned on settles them first, as does a request on a machine of one of them.
///
/// All answers depend on what the caller's roles allow; what a caller may not see is as if it did not exist.
/// Single-threaded; time is an argument.
class ControlPlane {
public:
    /// `store` must be open; its snapshot is taken over, and windows that ended meanwhile are closed as Expired at
    /// `now`. The error is for a person.
    [[nodiscard]] static tl::expected<std::unique_ptr<ControlPlane>, std::string> start(
        config::Config config, std::unique_ptr<store::Store> store, captures::base::Time now);
    ControlPlane(const ControlPlane&) = delete;
    ControlPlane& operator=(const ControlPlane&) = delete;
    ~ControlPlane();

    // Azure's.

    struct ListScope {
        std::optional<std::string> resource_group;
        std::optional<std::string> location;
        std::string after;  ///< only names that come after this one
        std::size_t limit = SIZE_MAX;
    };
    /// Sorted by name, without regard to case. 403 where the caller may see nothing at all in that scope.
    [[nodiscard]] Answer<std::vector<PolicyView>> list_policies(const Caller& caller, const ListScope& scope,
                                                                captures::base::Time now);
    [[nodiscard]] Answer<PolicyView> policy(const Caller& caller, std::string_view name, captures::base::Time now);
    [[nodiscard]] Answer<PolicyView> put_policy(const Caller& caller, std::string_view name, const PolicyDraft& draft,
                                                captures::base::Time now);
    /// False where there was none.
    [[nodiscard]] Answer<bool> delete_policy(const Caller& caller, std::string_view name, captures::base::Time now);
    /// Happened when it returns, unless it can wait.
    [[nodiscard]] Answer<RequestView> initiate(const Caller& caller, std::string_view policy,
                                               const InitiateRequest& request, captures::base::Time now);
    /// Tells the audit of a decision that was made before it came here: a bad token, a body that is no JSON.
    void note_refusal(const Caller& caller, std::string_view operation, std::string_view resource,
                      const Problem& problem, captures::base::Time now);
    /// Tells the audit, within a second, of a reading that went beside the control plane.
    void note_reading(const Caller& caller, std::string_view operation, std::string detail, captures::base::Time now);
    /// Tells the audit of a change beside the control plane that is to be made when this returns nothing.
    [[nodiscard]] std::optional<Problem> note_change(const Caller& caller, std::string_view operation,
                                                     std::string detail, captures::base::Time now);
    /// 403 where the caller's roles do not allow the action on the resource.
    [[nodiscard]] std::optional<Problem> unauthorized(const Caller& caller, std::string_view action,
                                                      std::string_view resource) const;

    // Ours.

    /// Open windows of the caller, or of all where the caller may read connections, on a machine (by name or id) or on
    /// all of them. For a named machine, 404 where there is none.
    [[nodiscard]] Answer<std::vector<ConnectionView>> connections(const Caller& caller,
                                                                  std::optional<std::string> machine,
                                                                  std::optional<std::uint16_t> port,
                                                                  captures::base::Time now);
    /// `machine` is a name or an id, here and for `revoke`.
    [[nodiscard]] Answer<ConnectionView> extend(const Caller& caller, std::string_view machine, std::uint16_t port,
                                                captures::base::Duration duration, captures::base::Time now);
    /// The records that ended.
    [[nodiscard]] Answer<std::vector<policy::AccessRecord>> revoke(const Caller& caller, std::string_view machine,
                                                                   std::uint16_t port, bool cut,
                                                                   captures::base::Time now);
    [[nodiscard]] Answer<RequestView> request(const Caller& caller, const std::string& id, captures::base::Time now);
    [[nodiscard]] Answer<std::vector<MachineView>> machines(const Caller& caller, captures::base::Time now);
    /// Puts a machine under the policy `default` with these ports, others of the policy stay; empty: those of its
    /// operating system.
    [[nodiscard]] Answer<PolicyView> enable(const Caller& caller, std::string_view machine,
                                            std::vector<policy::JitPort> ports, captures::base::Time now);
    /// Takes a machine out of its policy.
    [[nodiscard]] Answer<PolicyView> disable(const Caller& caller, std::string_view machine, captures::base::Time now);
    /// The caller's own events, and others' where the caller may read them.
    [[nodiscard]] Answer<std::vector<policy::AuditEvent>> activity(const Caller& caller,
                                                                   const store::EventFilter& filter,
                                                                   captures::base::Time now);
    /// The whole chain, for verification: only for those who may read all of it.
    [[nodiscard]] Answer<std::vector<policy::AuditEvent>> audit_chain(const Caller& caller, std::uint64_t after,
                                                                      std::size_t limit, captures::base::Time now);
    /// The newest event on disk: what a chain that was read to its end must end with. For those who may read the chain.
    [[nodiscard]] const store::Store::Head& audit_head() const;

    /// A new configuration, all but its store: policies that the store has stay in the place of the file's, windows stay
    /// open. What is different, or why it was not taken, for a person; then nothing has changed. Null: nobody's doing but the
    /// operator's of this process.
    [[nodiscard]] tl::expected<std::vector<config::ConfigChange>, std::string> reload(config::Config config,
                                                                                      const Caller* caller,
                                                                                      captures::base::Time now);

    /// `enforcer` is told how things stand, and from now on of every change; it must outlive this object.
    void enforce_by(access::Enforcer& enforcer, captures::base::Time now);

    // The clock.

    /// Ends what is over; call it at `next_expiry`, and once a second.
    void tick(captures::base::Time now);
    [[nodiscard]] std::optional<captures::base::Time> next_expiry() const noexcept;
    /// Writes what waits to be written, and tries a store that has failed; false where it could not be.
    bool flush(captures::base::Time now);
    /// Keeps the store's commits quick; call it once a second.
    void maintain();

    // For the server and its metrics.

    struct Numbers {
        std::size_t open_windows = 0;
        std::size_t policies = 0;
        std::size_t machines = 0;
        std::uint64_t approved = 0;  ///< requests, since the start
        std::uint64_t refused = 0;
        std::uint64_t expired = 0;
        std::uint64_t revoked = 0;
        std::uint64_t store_errors = 0;
        bool store_works = true;
    };
    [[nodiscard]] Numbers numbers() const;
    [[nodiscard]] const config::Config& config() const noexcept;
    [[nodiscard]] const config::Directory& directory() const noexcept;

private:
    struct State;
    explicit ControlPlane(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace gateway::control_plane
