#include "policy/role.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <set>

namespace role_test {

using policy::Authorization;
using policy::built_in_roles;
using policy::Role;
using policy::within_scope;
namespace action = policy::action;

constexpr const char* group = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab";
constexpr const char* web01 =
    "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab"
    "/providers/Microsoft.Compute/virtualMachines/web01";
constexpr const char* web010 =
    "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab"
    "/providers/Microsoft.Compute/virtualMachines/web010";

const Role& role(std::string_view name) {
    const auto* found = Authorization{}.find_role(name);
    BOOST_REQUIRE_MESSAGE(found != nullptr, name);
    return *found;
}

}  // namespace role_test

BOOST_AUTO_TEST_SUITE(role_test)

BOOST_AUTO_TEST_CASE(built_in_roles_allow_what_azure_documents) {
    struct Row {
        std::string_view action;
        bool reader, security_reader, security_admin, contributor, owner, requester;
    };
    for (const auto& row : {
             Row{action::jit_read, true, true, true, true, true, true},
             Row{action::jit_initiate, false, false, true, true, true, true},
             Row{action::jit_write, false, false, true, true, true, false},
             Row{action::jit_delete, false, false, true, true, true, false},
             Row{"Microsoft.Security/policies/read", true, true, true, true, true, true},
             Row{"Microsoft.Security/pricings/read", true, true, true, true, true, false},
             Row{"Microsoft.Compute/virtualMachines/read", true, false, false, true, true, true},
             Row{"Microsoft.Compute/virtualMachines/write", false, false, false, true, true, false},
             Row{"Microsoft.Network/networkInterfaces/ipConfigurations/read", true, false, false, true, true, true},
             Row{"Microsoft.Network/publicIPAddresses/read", true, false, false, true, true, true},
             Row{"Microsoft.Network/publicIPAddresses/write", false, false, false, true, true, false},
             Row{"Microsoft.Authorization/roleAssignments/read", true, true, true, true, true, false},
             Row{"Microsoft.Authorization/roleAssignments/write", false, false, false, false, true, false},
             Row{"Microsoft.Authorization/roleAssignments/delete", false, false, false, false, true, false},
             Row{"Microsoft.Authorization/policyAssignments/write", false, false, true, false, true, false},
             Row{"Microsoft.Authorization/elevateAccess/action", false, false, false, false, true, false},
             Row{"Microsoft.Resources/deployments/write", false, false, true, true, true, false},
         }) {
        BOOST_TEST_CONTEXT(row.action) {
            BOOST_TEST(role("Reader").allows(row.action) == row.reader);
            BOOST_TEST(role("Security Reader").allows(row.action) == row.security_reader);
            BOOST_TEST(role("Security Admin").allows(row.action) == row.security_admin);
            BOOST_TEST(role("Contributor").allows(row.action) == row.contributor);
            BOOST_TEST(role("Owner").allows(row.action) == row.owner);
            BOOST_TEST(role("JIT Requester").allows(row.action) == row.requester);
        }
    }
}

BOOST_AUTO_TEST_CASE(there_are_six_built_in_roles) {
    std::set<std::string> names;
    for (const auto& one : built_in_roles()) names.insert(one.name);
    BOOST_TEST((names == std::set<std::string>{"Reader", "Security Reader", "Security Admin", "Contributor", "Owner",
                                               "JIT Requester"}));
}

BOOST_AUTO_TEST_CASE(a_star_matches_any_run_slashes_included) {
    struct Row {
        std::string_view pattern;
        std::string_view action;
        bool allows;
    };
    for (const auto& row : {
             Row{"*", "a/b/c", true},
             Row{"*", "", true},
             Row{"", "", true},
             Row{"", "a", false},
             Row{"a", "", false},
             Row{"**", "a", true},
             Row{"a/b", "A/B", true},
             Row{"a/b", "a/bc", false},
             Row{"a/b", "a/", false},
             Row{"*/read", "a/b/read", true},
             Row{"*/read", "/read", true},
             Row{"*/read", "read", false},
             Row{"*/read", "a/read/b", false},
             Row{"a/*/read", "a/b/c/read", true},
             Row{"a/*/read", "a/read", false},
             Row{"a*", "a", true},
             Row{"a*", "b", false},
             Row{"*a*b*c*", "xaybzc", true},
             Row{"*a*b*c*", "xaybz", false},
             Row{"*ab", "aab", true},  // goes back to where the star tried last
             Row{"a*ab*b", "aabab", true},
             Row{"a*bc", "abcbcb", false},
             Row{"a?c", "abc", false},  // no other wildcards
             Row{"a.c", "abc", false},
         }) {
        BOOST_TEST((Role{"custom", {std::string{row.pattern}}, {}}.allows(row.action)) == row.allows,
                   row.pattern << " on " << row.action);
    }
}

BOOST_AUTO_TEST_CASE(matching_a_hostile_pattern_takes_no_exponential_time) {
    std::string pattern;
    for (int i = 0; i < 500; ++i) pattern += "*a";
    // Else it would not end.
    BOOST_TEST((!Role{"custom", {pattern + 'b'}, {}}.allows(std::string(2000, 'a'))));
}

BOOST_AUTO_TEST_CASE(not_actions_take_away_from_the_actions_of_their_role_only) {
    const Role custom{"custom", {"a/*", "b/read"}, {"*/WRITE"}};
    BOOST_TEST(custom.allows("a/x/read"));
    BOOST_TEST(custom.allows("b/read"));
    BOOST_TEST(!custom.allows("a/x/write"));
    BOOST_TEST(!custom.allows("b/write"));
    BOOST_TEST((!Role{"nothing", {}, {}}.allows("a/read")));
    const Authorization both{{custom, Role{"writer", {"a/x/write"}, {}}},
                             {{"eve", "custom", group}, {"eve", "writer", group}}};
    BOOST_TEST(both.allows("eve", "a/x/write", group));
}

BOOST_AUTO_TEST_CASE(a_scope_holds_for_itself_and_for_what_is_below_it) {
    struct Row {
        std::string_view resource;
        std::string_view scope;
        bool within;
    };
    for (const auto& row : {
             Row{web01, web01, true},
             Row{web01, group, true},
             Row{web01, "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23", true},
             Row{web01, "/SUBSCRIPTIONS/20FF7FC3-E762-44DD-BD96-B71116DCDC23/resourcegroups/LAB", true},
             Row{web01, "/", true},
             Row{web01, "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab/", true},
             Row{web010, web01, false},  // not a whole segment
             Row{web01, web010, false},
             Row{group, web01, false},  // above
             Row{web01, "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/la", false},
             Row{web01, "", false},
             Row{"", "/", false},
             Row{"web01", "/", false},
         }) {
        BOOST_TEST(within_scope(row.resource, row.scope) == row.within, row.resource << " within " << row.scope);
    }
}

BOOST_AUTO_TEST_CASE(an_assignment_counts_for_its_principal_role_and_scope_together) {
    const Authorization authorization{
        {},
        {{"op@lab.example", "JIT Requester", web01}, {"op@lab.example", "Reader", group}, {"aud", "Reader", group}}};
    BOOST_TEST(authorization.allows("op@lab.example", action::jit_initiate, web01));
    BOOST_TEST(
        authorization.allows("OP@Lab.Example", "microsoft.security/LOCATIONS/jitnetworkaccesspolicies/read", web01));
    BOOST_TEST(authorization.allows("op@lab.example", action::jit_read, web010));
    BOOST_TEST(!authorization.allows("op@lab.example", action::jit_initiate, web010));
    BOOST_TEST(!authorization.allows("op@lab.example", action::jit_initiate, group));
    BOOST_TEST(!authorization.allows("aud", action::jit_initiate, web01));
    BOOST_TEST(!authorization.allows("", action::jit_read, web01));
    BOOST_TEST(!Authorization{}.allows("op@lab.example", action::jit_read, web01));
}

BOOST_AUTO_TEST_CASE(an_unknown_role_allows_nothing_and_a_custom_one_cannot_take_a_built_in_name) {
    const Authorization authorization{
        {Role{"READER", {"*"}, {}}, Role{"Door Opener", {std::string{action::jit_initiate}}, {}}},
        {{"a", "No Such Role", "/"}, {"b", "reader", "/"}, {"c", "door opener", "/"}}};
    BOOST_TEST(!authorization.allows("a", action::jit_read, web01));
    BOOST_TEST(authorization.allows("b", action::jit_read, web01));
    BOOST_TEST(!authorization.allows("b", action::jit_write, web01));
    BOOST_TEST(authorization.allows("c", action::jit_initiate, web01));
    BOOST_TEST(!authorization.allows("c", action::jit_read, web01));
    BOOST_TEST(authorization.find_role("nobody") == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
