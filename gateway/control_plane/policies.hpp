#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "gateway/config/changes.hpp"
#include "gateway/control_plane/requests.hpp"

namespace gateway::control_plane {

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

/// A policy as one caller may see it.
struct PolicyView {
    policy::JitPolicy policy;  ///< with the machines that the caller may see
    std::string id;
    std::string provisioning_state;  ///< `Updating` in the answer to a PUT, then `Succeeded`
    std::vector<RequestView> requests;
    /// Of a machine: the firewall's address, to those who may know; parallel to policy.machines.
    std::vector<std::optional<captures::base::Ipv4Address>> public_ips;
};

/// What a client that lists policies wants.
struct ListScope {
    std::optional<std::string> resource_group;
    std::optional<std::string> location;
    std::string after;  ///< only names that come after this one
    std::size_t limit = SIZE_MAX;
};

/// Policies of just-in-time access: the store's stand in the place of the file's.
class Policies {
public:
    Policies(Core& core, const Requests& requests);

    /// Takes over what a store remembers, before anything else.
    void restore(std::vector<store::StoredPolicy> policies);
    /// Ends windows of policies that the file has lost since the last run.
    void end_orphans(captures::base::Time now);

    /// Sorted by name, without regard to case. 403 where the caller may see nothing at all in that scope.
    [[nodiscard]] Answer<std::vector<PolicyView>> list(const Caller& caller, const ListScope& scope,
                                                       captures::base::Time now);
    [[nodiscard]] Answer<PolicyView> policy(const Caller& caller, std::string_view name, captures::base::Time now);
    void put(const Caller& caller, std::string_view name, PolicyDraft draft, captures::base::Time now,
             Done<PolicyView> done);
    /// False where there was none.
    void remove(const Caller& caller, std::string_view name, captures::base::Time now, Done<bool> done);
    /// Puts a machine under the policy `default` with these ports, others of the policy stay; empty: those of its
    /// operating system.
    void enable(const Caller& caller, std::string_view machine, std::vector<policy::JitPort> ports,
                captures::base::Time now, Done<PolicyView> done);
    /// Takes a machine out of its policy.
    void disable(const Caller& caller, std::string_view machine, captures::base::Time now, Done<PolicyView> done);

    /// A new configuration, all but its store: policies that the store has stay in the place of the file's, windows stay
    /// open. What is different, or why it was not taken, for a person; then nothing has changed. Null: nobody's doing but the
    /// operator's of this process.
    using Changes = tl::expected<std::vector<config::ConfigChange>, std::string>;
    void reload(config::Config config, const Caller* caller, captures::base::Time now,
                std::function<void(Changes)> done);

private:
    using Turn = Core::Turn;
    using StoredPolicies = std::map<std::string, store::StoredPolicy>;  ///< by name in lower case

    void put(const Turn& turn, const Caller& caller, std::string_view name, const PolicyDraft& draft,
             captures::base::Time now, const Done<PolicyView>& done);
    void enable(const Turn& turn, const Caller& caller, std::string_view machine, std::vector<policy::JitPort> ports,
                captures::base::Time now, const Done<PolicyView>& done);
    void disable(const Turn& turn, const Caller& caller, std::string_view machine, captures::base::Time now,
                 const Done<PolicyView>& done);
    void reload(const Turn& turn, config::Config config, const Caller& caller, captures::base::Time now,
                const std::function<void(Changes)>& done);
    /// The policy that the draft makes, or why it cannot be.
    [[nodiscard]] Answer<policy::JitPolicy> drawn(const Caller& caller, std::string_view name,
                                                  const PolicyDraft& draft) const;
    /// The problem, if the caller may not take out of a policy what the draft leaves out.
    [[nodiscard]] std::optional<Problem> may_not_leave_out(const Caller& caller, const policy::JitPolicy* before,
                                                           const PolicyDraft& draft) const;
    /// Writes a policy that was set or deleted, and makes it so.
    void keep(const Turn& turn, const Caller& caller, store::StoredPolicy changed, policy::AuditEvent event,
              std::function<void(std::optional<Problem>)> then);
    /// Those that apply where the file's and the store's are these, to the machines of `all`.
    [[nodiscard]] static std::vector<policy::JitPolicy> merge(const config::Config& all,
                                                              const std::vector<policy::JitPolicy>& file,
                                                              const StoredPolicies& stored);
    void apply() noexcept;
    /// One for each window that ends because its policy no longer grants it.
    [[nodiscard]] std::vector<policy::AuditEvent> events_of(const access::AccessChange& orphans, const Caller& caller,
                                                            captures::base::Time now) const;
    /// `policy 'default'`, or less to those who may not read it.
    [[nodiscard]] std::string as_seen(const Caller& caller, const config::Directory::Coverage& coverage) const;
    [[nodiscard]] PolicyView view(const Caller& caller, const policy::JitPolicy& policy,
                                  captures::base::Time now) const;
    [[nodiscard]] std::optional<captures::base::Ipv4Address> public_ip(const Caller& caller, std::string_view machine,
                                                                       captures::base::Time now) const;

    Core& core_;
    const Requests& requests_;
    std::vector<policy::JitPolicy> of_file_;
    StoredPolicies stored_;
};

/// Names compare as Azure's do.
struct NameLess {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
};

}  // namespace gateway::control_plane
