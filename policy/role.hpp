#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace policy {

/// A role definition in Azure's words: actions with `*` wildcards, less notActions.
struct Role {
    std::string name;
    std::vector<std::string> actions;
    std::vector<std::string> not_actions;

    /// Actions compare case-insensitively; `*` matches any run of characters, `/` included.
    [[nodiscard]] bool allows(std::string_view action) const noexcept;
};

/// Reader, Security Reader, Security Admin, Contributor, Owner, JIT Requester. The first call allocates.
[[nodiscard]] std::span<const Role> built_in_roles();

/// A principal has a role at a scope and below it.
struct RoleAssignment {
    std::string principal;
    std::string role;
    std::string scope;
};

/// Whether resource id `resource` lies at or below `scope`; whole segments, case-insensitive.
[[nodiscard]] bool within_scope(std::string_view resource, std::string_view scope) noexcept;

/// Who may do what: assignments over the built-in and custom roles.
class Authorization {
public:
    Authorization() = default;
    Authorization(std::vector<Role> custom_roles, std::vector<RoleAssignment> assignments);

    [[nodiscard]] bool allows(std::string_view principal, std::string_view action,
                              std::string_view resource) const noexcept;
    [[nodiscard]] const Role* find_role(std::string_view name) const noexcept;  ///< case-insensitive

private:
    std::span<const Role> built_in_roles_ = built_in_roles();
    std::vector<Role> custom_roles_;
    std::vector<RoleAssignment> assignments_;
};

/// The actions that this project asks for.
namespace action {
inline constexpr std::string_view jit_read = "Microsoft.Security/locations/jitNetworkAccessPolicies/read";
inline constexpr std::string_view jit_write = "Microsoft.Security/locations/jitNetworkAccessPolicies/write";
inline constexpr std::string_view jit_delete = "Microsoft.Security/locations/jitNetworkAccessPolicies/delete";
inline constexpr std::string_view jit_initiate =
    "Microsoft.Security/locations/jitNetworkAccessPolicies/initiate/action";
/// Ours: to learn where others' windows lead. Who may read all has it, the JIT Requester has not.
inline constexpr std::string_view connection_read = "Microsoft.Security/locations/jitConnections/read";
inline constexpr std::string_view machine_read = "Microsoft.Compute/virtualMachines/read";
inline constexpr std::string_view machine_write = "Microsoft.Compute/virtualMachines/write";
inline constexpr std::string_view activity_read = "Microsoft.Insights/eventtypes/values/read";
// On the firewall. To read and to write one are Azure's actions; what passes through it, and to end a flow, is ours.
// All of these show everybody's addresses.
inline constexpr std::string_view firewall_read = "Microsoft.Network/azureFirewalls/read";
inline constexpr std::string_view firewall_write = "Microsoft.Network/azureFirewalls/write";
inline constexpr std::string_view flow_read = "Microsoft.Network/azureFirewalls/flows/read";
inline constexpr std::string_view flow_delete = "Microsoft.Network/azureFirewalls/flows/delete";
inline constexpr std::string_view decision_read = "Microsoft.Network/azureFirewalls/decisions/read";
}  // namespace action

}  // namespace policy
