#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "dnat/rule_table.hpp"
#include "gateway/access/connection.hpp"
#include "gateway/config/config.hpp"
#include "gateway/config/directory.hpp"
#include "policy/access_record.hpp"
#include "policy/access_request.hpp"
#include "policy/access_windows.hpp"
#include "policy/doors.hpp"
#include "policy/mapped_ports.hpp"
#include "policy/window_change.hpp"

namespace gateway::access {

/// What a use case comes to, decided but not yet done, so that it can be written down first.
struct AccessChange {
    std::vector<policy::AccessRecord> records;     ///< as they will be: those that end or are extended, then new ones
    std::vector<policy::WindowEnd> ends;           ///< those whose end is not a replacement, in order
    std::vector<policy::MappedPort> mapped_ports;  ///< newly given away
    std::size_t replaced = 0;                      ///< the first so many of `records` made room for the new ones
};

[[nodiscard]] std::vector<policy::Adoption> adoptions_of(const AccessChange& change);

/// Azure's refusal of an action for want of a role that allows it; `hint` says what may mend it.
[[nodiscard]] policy::Refusal not_authorized(
    std::string_view principal, std::string_view action, std::string_view scope,
    std::string_view hint = "If access was recently granted, please refresh your credentials.");

/// The use cases of just-in-time access, and the only writer of windows. The API and a scenario's events both come
/// here.
///
/// It owns the records of all requests and the windows derived from them. Time is an argument and never runs
/// backwards from one call to the next; windows end by `expire`, which the caller runs at `next_expiry`. One that is
/// over but has not been expired yet is neither open to extend or revoke nor replaced by a newer request.
///
/// Each use case has two steps: a plan, which changes nothing, and `commit`. Who keeps no store takes both in one.
///
/// Machines and principals are found whatever their case; records name them as the configuration does. All costs
/// are logarithmic in the number of open windows, and do not depend on that of past ones.
class Access {
public:
    /// `config` must outlive this object, or its replacement by `use`.
    explicit Access(const config::Config& config);

    /// Takes over what a store remembers: records in the order of their ids, open ones with their windows. `last_id` is
    /// the highest ever given. Once, before anything else. Returns mapped ports as `use` does.
    std::vector<policy::MappedPort> restore(std::vector<policy::AccessRecord> records, policy::WindowId last_id,
                                            const std::vector<policy::MappedPort>& mapped_ports);

    [[nodiscard]] tl::expected<AccessChange, policy::Refusal> plan_request(
        std::span<const policy::AccessRequest> requests, captures::base::Time now) const;
    [[nodiscard]] tl::expected<AccessChange, policy::Refusal> plan_extend(std::string_view by, std::string_view machine,
                                                                          std::uint16_t port,
                                                                          captures::base::Duration duration,
                                                                          captures::base::Time now) const;
    [[nodiscard]] tl::expected<AccessChange, policy::Refusal> plan_revoke(std::string_view by, std::string_view machine,
                                                                          std::uint16_t port, bool cut,
                                                                          captures::base::Time now) const;
    [[nodiscard]] AccessChange plan_expiry(captures::base::Time now) const;
    /// What a configuration with these policies must end before `use`, whatever the clock says: windows whose policy is
    /// gone or no longer grants them (`still_granted`).
    [[nodiscard]] AccessChange plan_policies(std::span<const policy::JitPolicy> policies,
                                             captures::base::Time now) const;
    /// Keeps the ids and mapped ports of a plan from later ones, until it is committed or released.
    void reserve(const AccessChange& change);
    /// It will not be committed. Its ids are not given again.
    void release(const AccessChange& change);
    /// Applies it. Since it was planned, nothing else may have changed, but on other machines. Returns what it means to whoever
    /// judges packets.
    policy::WindowDelta commit(AccessChange change);

    /// Judged in Azure's order: principal known and allowed (AuthorizationFailed names the missing action), shape of
    /// the request, machine and policy found (PolicyNotFound), request within the policy. Then all its windows open at
    /// `now`, and older ones of the same requestor on the same machine and port end as NewerRequestInitiated (their
    /// flows live on, as the newer one's: `adoptions_of` the plan tells). Returns the new records' ids. A refusal changes nothing.
    [[nodiscard]] tl::expected<std::vector<policy::WindowId>, policy::Refusal> request(
        const policy::AccessRequest& request, captures::base::Time now);

    /// Moves the end of the requestor's open window to `now + duration`. Where a port is listed for TCP and UDP apart,
    /// both or none; the id is the first's.
    [[nodiscard]] tl::expected<policy::WindowId, policy::Refusal> extend(std::string_view by, std::string_view machine,
                                                                         std::uint16_t port,
                                                                         captures::base::Duration duration,
                                                                         captures::base::Time now);

    /// Ends all open windows on the machine's port (the requestor's own; anybody's with the right to write policies),
    /// in order of approval. None is a refusal.
    [[nodiscard]] tl::expected<std::vector<policy::WindowEnd>, policy::Refusal> revoke(std::string_view by,
                                                                                       std::string_view machine,
                                                                                       std::uint16_t port, bool cut,
                                                                                       captures::base::Time now);

    /// Ends what is over at `now`, in order of time, then of approval; `cut` as the policy said at approval.
    std::vector<policy::WindowEnd> expire(captures::base::Time now);
    [[nodiscard]] std::optional<captures::base::Time> next_expiry() const noexcept;

    /// A new configuration: guards follow its policies, open windows stay. A window on a port that is not guarded has
    /// no effect, on mapped ports neither: `plan_policies` and `commit` end such windows before.
    /// Returns mapped ports that open windows had to be given because their NAT rule is gone.
    std::vector<policy::MappedPort> use(const config::Config& config);

    /// How everything stands that packets are judged by. The rules of mapped ports are in the collection `MDC-JIT`, one for
    /// each port that was ever given and can be used.
    [[nodiscard]] policy::DoorState state() const;
    /// The same, ready to be asked; it stays at its place and changes with this object.
    [[nodiscard]] const policy::Doors& doors() const noexcept { return doors_; }
    [[nodiscard]] const policy::AccessWindows& windows() const noexcept { return doors_.windows(); }
    /// Where the record's sources must connect. None where nothing maps its port, or the machine is gone.
    [[nodiscard]] std::optional<Connection> connection_of(const policy::AccessRecord& record) const;

    /// Windows that are open at `now`, on one machine or on all, by machine and port.
    [[nodiscard]] std::size_t open_count() const noexcept { return open_.size(); }
    [[nodiscard]] std::vector<const policy::AccessRecord*> open_records(std::optional<std::string_view> machine,
                                                                        captures::base::Time now) const;

    /// Forgets records that ended before `time`; their ids are not given again.
    void forget(captures::base::Time time);

    [[nodiscard]] const config::Directory& directory() const noexcept { return directory_; }
    [[nodiscard]] const policy::Authorization& authorization() const noexcept { return authorization_; }
    [[nodiscard]] const std::vector<policy::AccessRecord>& records() const noexcept { return records_; }
    [[nodiscard]] const policy::AccessRecord* record(policy::WindowId id) const noexcept;

private:
    struct OpenWindow {
        std::string machine;  ///< lower case, so that its order is that of a look-up
        std::uint16_t port = 0;
        std::string requestor;  ///< lower case
        policy::WindowId id = 0;

        auto operator<=>(const OpenWindow&) const = default;
        [[nodiscard]] static OpenWindow of(const policy::AccessRecord& record);
    };

    [[nodiscard]] std::optional<policy::Refusal> unauthorized(std::string_view name, std::string_view action,
                                                              std::string_view machine) const;
    [[nodiscard]] tl::expected<config::Directory::Coverage, policy::Refusal> coverage_of(
        std::string_view machine) const;
    [[nodiscard]] std::vector<policy::WindowId> open_windows(std::string_view machine, std::uint16_t port,
                                                             std::optional<std::string_view> requestor,
                                                             captures::base::Time now) const;
    [[nodiscard]] policy::AccessRecord new_record(const policy::AccessRequest& request, const policy::JitPolicy& policy,
                                                  const policy::ApprovedPort& port, captures::base::Time now) const;
    /// Mapped ports that a plan gives away.
    struct Allocations {
        policy::MappedPorts all;  ///< reserved ones, too
        std::vector<policy::MappedPort> own;
        std::size_t address = 0;  ///< the next one is looked for from here: an index into the firewall's, and a port
        std::uint32_t port = 0;
    };
    /// Finds the way to the record's port, or gives it a mapped port, unless all are taken.
    [[nodiscard]] std::optional<policy::Refusal> connect(policy::AccessRecord& record, Allocations& allocations) const;
    std::vector<policy::MappedPort> reconnect();
    /// The rule of a mapped port, where it can be used.
    [[nodiscard]] std::optional<policy::MappedRule> mapped_rule_of(const policy::MappedPort& mapped) const;
    /// The record's mapped port, if that is how its port is reached.
    [[nodiscard]] const captures::base::Endpoint* mapped_port_of(const policy::AccessRecord& record) const;
    [[nodiscard]] std::optional<Connection> find_connection(const policy::AccessRecord& record) const;
    [[nodiscard]] bool usable(captures::base::Endpoint listener) const;
    [[nodiscard]] std::optional<captures::base::Endpoint> free_listener(Allocations& allocations) const;
    [[nodiscard]] policy::AccessRecord* find(policy::WindowId id) noexcept;
    void enter(const policy::AccessRecord& record);
    void leave(const policy::AccessRecord& record);
    [[nodiscard]] std::optional<policy::Window> window_of(const policy::AccessRecord& record) const;

    const config::Config* config_ = nullptr;
    config::Directory directory_;
    NatLookup nat_lookup_;  ///< by the rules of the configuration alone
    policy::MappedPorts mapped_ports_;
    std::vector<policy::MappedPort> reserved_ports_;
    policy::Authorization authorization_;
    policy::Doors doors_;
    std::vector<policy::AccessRecord> records_;  ///< in the order of their ids
    policy::WindowId last_id_ = 0;
    std::set<OpenWindow> open_;                                             ///< initiated and not yet revoked
    std::set<std::pair<captures::base::Time, policy::WindowId>> expiries_;  ///< the same, by end
    /// Of open windows, as they were looked up; rules and mapped ports that could change them come with `use`.
    mutable std::unordered_map<policy::WindowId, std::optional<Connection>> connections_;
};

}  // namespace gateway::access
