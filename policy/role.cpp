#include "policy/role.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "policy/names.hpp"

namespace policy {

namespace {

/// Greedy with one point of return: the last `*`. An earlier one need never be tried again, since whatever it
/// could match instead the last one can, too. At most text times pattern steps, no recursion.
bool matches(std::string_view pattern, std::string_view text) noexcept {
    constexpr auto none = std::string_view::npos;
    std::size_t at = 0;
    std::size_t next = 0;
    std::size_t star = none;  // in the pattern
    std::size_t resume = 0;   // in the text, where what follows the star was tried last
    while (next < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            resume = next;
        } else if (at < pattern.size() && to_lower(pattern[at]) == to_lower(text[next])) {
            ++at;
            ++next;
        } else if (star != none) {
            at = star + 1;
            next = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == none;
}

const Role* find_by_name(std::span<const Role> roles, std::string_view name) noexcept {
    const auto role = std::ranges::find_if(roles, [name](const Role& one) { return same_name(one.name, name); });
    return role == roles.end() ? nullptr : &*role;
}

}  // namespace

bool Role::allows(std::string_view action) const noexcept {
    const auto covers = [action](const std::string& pattern) { return matches(pattern, action); };
    return std::ranges::any_of(actions, covers) && std::ranges::none_of(not_actions, covers);
}

std::span<const Role> built_in_roles() {
    // learn.microsoft.com: role-based-access-control/built-in-roles, as far as they touch what is modelled here;
    // JIT Requester: "request" in the permissions table of defender-for-cloud/just-in-time-access-overview, and
    // the right to read the policy that one asks for access under, as in Set-JitLeastPrivilegedRole.ps1.
    static const std::array roles{
        Role{"Reader", {"*/read"}, {}},
        Role{"Security Reader",
             {"Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/read",
              "Microsoft.operationalInsights/workspaces/*/read", "Microsoft.Resources/deployments/*/read",
              "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Security/*/read",
              "Microsoft.IoTSecurity/*/read", "Microsoft.Support/*/read", "Microsoft.Management/managementGroups/read"},
             {}},
        Role{"Security Admin",
             {"Microsoft.Authorization/*/read", "Microsoft.Authorization/policyAssignments/*",
              "Microsoft.Authorization/policyDefinitions/*", "Microsoft.Authorization/policyExemptions/*",
              "Microsoft.Authorization/policySetDefinitions/*", "Microsoft.Insights/alertRules/*",
              "Microsoft.Management/managementGroups/read", "Microsoft.operationalInsights/workspaces/*/read",
              "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read",
              "Microsoft.Security/*", "Microsoft.IoTSecurity/*", "Microsoft.IoTFirmwareDefense/*",
              "Microsoft.Support/*"},
             {}},
        Role{"Contributor",
             {"*"},
             {"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write",
              "Microsoft.Authorization/elevateAccess/Action", "Microsoft.Blueprint/blueprintAssignments/write",
              "Microsoft.Blueprint/blueprintAssignments/delete", "Microsoft.Compute/galleries/share/action",
              "Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete"}},
        Role{"Owner", {"*"}, {}},
        Role{"JIT Requester",
             {std::string{action::jit_initiate}, std::string{action::jit_read},
              "Microsoft.Security/locations/jitNetworkAccessPolicies/*/read", "Microsoft.Security/policies/read",
              "Microsoft.Compute/virtualMachines/read", "Microsoft.Network/networkInterfaces/*/read",
              "Microsoft.Network/publicIPAddresses/read"},
             {}},
    };
    return roles;
}

bool within_scope(std::string_view resource, std::string_view scope) noexcept {
    if (scope.empty() || resource.empty()) return false;
    if (scope.back() == '/') scope.remove_suffix(1);
    if (!same_name(resource.substr(0, scope.size()), scope)) return false;
    return resource.size() == scope.size() || resource[scope.size()] == '/';
}

Authorization::Authorization(std::vector<Role> custom_roles, std::vector<RoleAssignment> assignments)
    : custom_roles_(std::move(custom_roles)), assignments_(std::move(assignments)) {}

bool Authorization::allows(std::string_view principal, std::string_view action,
                           std::string_view resource) const noexcept {
    return std::ranges::any_of(assignments_, [&](const RoleAssignment& assignment) {
        if (!same_name(assignment.principal, principal) || !within_scope(resource, assignment.scope)) return false;
        const auto* role = find_role(assignment.role);
        return role != nullptr && role->allows(action);
    });
}

const Role* Authorization::find_role(std::string_view name) const noexcept {
    const auto* role = find_by_name(built_in_roles_, name);
    return role != nullptr ? role : find_by_name(custom_roles_, name);
}

}  // namespace policy
