#include <boost/json/array.hpp>

#include "tests/support/api_lab.hpp"

namespace api_roles_test {

using namespace support;

const std::string group = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab";
const std::string web01 = group + "/providers/Microsoft.Compute/virtualMachines/web01";
const std::string compute = "/providers/Microsoft.Compute/virtualMachines";
const std::string v1 = "/portcullis/v1";

/// One principal, `nobody@lab.example`, with one role at one scope.
std::string lab_with(const std::string& role, const std::string& scope) {
    std::string toml = service_lab_toml;
    toml += R"(
[[role]]
name = "Closer"
actions = ["Microsoft.Security/locations/jitNetworkAccessPolicies/*"]
not_actions = ["*/initiate/action", "*/write"]
)";
    if (role.empty()) return toml;
    return toml + "[[role_assignment]]\nprincipal = \"nobody@lab.example\"\nrole = \"" + role + "\"\nscope = \"" +
           scope + "\"\n";
}

struct Operation {
    const char* name;
    const char* method;
    std::string target;
    std::string body;
    const char* list;  ///< where the answer has a list whose length tells what is seen, or null
};

std::string port_of(int number) { return R"({"machine":"web01","port":)" + std::to_string(number) + '}'; }

std::vector<Operation> operations() {
    const auto draft = [](const std::string& machine) {
        return R"({"properties":{"virtualMachines":[{"id":")" + group + compute + '/' + machine +
               R"(","ports":[{"number":22,"protocol":"TCP","allowedSourceAddressPrefix":"*","maxRequestAccessDuration":"PT1H"}]}]}})";
    };
    return {
        {"list", "GET", group + "/providers/Microsoft.Security/jitNetworkAccessPolicies" + version, "", "/value"},
        {"get", "GET", policy_path + version, "", "/properties/virtualMachines"},
        {"vms", "GET", group + compute + version, "", "/value"},
        {"vm web01", "GET", web01 + version, "", nullptr},
        {"vm db01", "GET", group + compute + "/db01" + version, "", nullptr},
        {"machines", "GET", v1 + "/machines", "", "/value"},
        {"connections", "GET", v1 + "/connections", "", "/value"},
        {"connection", "GET", v1 + "/connections?machine=web01", "", "/value"},
        {"audit", "GET", v1 + "/audit", "", nullptr},
        {"initiate web01", "POST", policy_path + "/initiate" + version, ApiLab::initiate_body("web01", 22), nullptr},
        {"initiate db01", "POST", policy_path + "/initiate" + version, ApiLab::initiate_body("db01", 3389), nullptr},
        {"extend", "POST", v1 + "/extend", R"({"machine":"web01","port":22,"duration":"PT2H"})", nullptr},
        {"revoke", "POST", v1 + "/revoke", port_of(22), nullptr},
        {"put app01", "PUT", policies_path + "/extra" + version, draft("app01"), nullptr},
        {"delete", "DELETE", policy_path + version, "", nullptr},
    };
}

/// `list 200:1` where a list tells how much is seen.
std::string told(const gateway::api::http::Response& answer, const char* list) {
    auto text = std::to_string(answer.status);
    if (list != nullptr && answer.status == 200) text += ':' + std::to_string(part(answer, list).as_array().size());
    return text;
}

struct Row {
    const char* role;
    std::string scope;
    std::string outcomes;
};

}  // namespace api_roles_test

BOOST_AUTO_TEST_SUITE(api_roles_test)

// Somebody else's window is open on web01 while each row's principal tries all operations, in this order. A number
// behind the status is how many policies, machines or connections are seen.
BOOST_AUTO_TEST_CASE(every_role_at_every_scope_may_what_azure_lets_it_and_nothing_else) {
    const auto subscription = std::string{subscription_path};
    const auto elsewhere = subscription + "/resourceGroups/elsewhere";
    const std::string nothing =
        "list 403, get 403, vms 403, vm web01 403, vm db01 403, machines 200:0, connections 200:0, connection 404, "
        "audit 403, initiate web01 403, initiate db01 403, extend 403, revoke 403, put app01 403, delete 403";
    const std::string reads =
        "list 200:1, get 200:2, vms 200:3, vm web01 200, vm db01 200, machines 200:3, connections 200:1, connection "
        "200:1, audit 200, initiate web01 403, initiate db01 403, extend 403, revoke 403, put app01 403, delete 403";
    const std::string security_reads =
        "list 200:1, get 200:2, vms 403, vm web01 403, vm db01 403, machines 200:0, connections 200:1, connection "
        "200:1, audit 403, initiate web01 403, initiate db01 403, extend 403, revoke 403, put app01 403, delete 403";
    const std::string security_administers =
        "list 200:1, get 200:2, vms 403, vm web01 403, vm db01 403, machines 200:0, connections 200:1, connection "
        "200:1, audit 403, initiate web01 202, initiate db01 202, extend 200, revoke 200, put app01 403, delete 200";
    const std::string owns =
        "list 200:1, get 200:2, vms 200:3, vm web01 200, vm db01 200, machines 200:3, connections 200:1, connection "
        "200:1, audit 200, initiate web01 202, initiate db01 202, extend 200, revoke 200, put app01 200, delete 200";
    const std::string requests =
        "list 200:1, get 200:2, vms 200:3, vm web01 200, vm db01 200, machines 200:3, connections 200:0, connection "
        "404, audit 403, initiate web01 202, initiate db01 202, extend 200, revoke 200, put app01 403, delete 403";
    const std::string closes =
        "list 200:1, get 200:2, vms 403, vm web01 403, vm db01 403, machines 200:0, connections 200:0, connection "
        "404, audit 403, initiate web01 403, initiate db01 403, extend 403, revoke 403, put app01 403, delete 200";
    const std::vector<Row> rows{
        {"", "", nothing},
        {"Owner", elsewhere, nothing},
        {"Owner", web01 + "2", nothing},
        {"Reader", subscription, reads},
        {"Reader", group, reads},
        {"Security Reader", subscription, security_reads},
        {"Security Reader", group, security_reads},
        {"Security Admin", subscription, security_administers},
        {"Security Admin", group, security_administers},
        {"Contributor", subscription, owns},
        {"Contributor", group, owns},
        {"Owner", subscription, owns},
        {"Owner", group, owns},
        {"JIT Requester", subscription, requests},
        {"JIT Requester", group, requests},
        {"Closer", group, closes},
        {"Reader", web01,
         "list 200:1, get 200:1, vms 200:1, vm web01 200, vm db01 403, machines 200:1, connections 200:1, connection "
         "200:1, audit 403, initiate web01 403, initiate db01 403, extend 403, revoke 403, put app01 403, delete 403"},
        {"Security Reader", web01,
         "list 200:1, get 200:1, vms 403, vm web01 403, vm db01 403, machines 200:0, connections 200:1, connection "
         "200:1, audit 403, initiate web01 403, initiate db01 403, extend 403, revoke 403, put app01 403, delete 403"},
        {"Security Admin", web01,
         "list 200:1, get 200:1, vms 403, vm web01 403, vm db01 403, machines 200:0, connections 200:1, connection "
         "200:1, audit 403, initiate web01 202, initiate db01 403, extend 200, revoke 200, put app01 403, delete 403"},
        {"Owner", web01,
         "list 200:1, get 200:1, vms 200:1, vm web01 200, vm db01 403, machines 200:1, connections 200:1, connection "
         "200:1, audit 403, initiate web01 202, initiate db01 403, extend 200, revoke 200, put app01 403, delete 403"},
        {"Contributor", web01,
         "list 200:1, get 200:1, vms 200:1, vm web01 200, vm db01 403, machines 200:1, connections 200:1, connection "
         "200:1, audit 403, initiate web01 202, initiate db01 403, extend 200, revoke 200, put app01 403, delete 403"},
        {"JIT Requester", web01,
         "list 200:1, get 200:1, vms 200:1, vm web01 200, vm db01 403, machines 200:1, connections 200:0, connection "
         "404, audit 403, initiate web01 202, initiate db01 403, extend 200, revoke 200, put app01 403, delete 403"},
        {"Closer", web01,
         "list 200:1, get 200:1, vms 403, vm web01 403, vm db01 403, machines 200:0, connections 200:0, connection "
         "404, audit 403, initiate web01 403, initiate db01 403, extend 403, revoke 403, put app01 403, delete 403"},
        {"Security Reader", policy_path,
         "list 200:1, get 200:2, vms 403, vm web01 403, vm db01 403, machines 200:0, connections 200:0, connection "
         "404, audit 403, initiate web01 403, initiate db01 403, extend 403, revoke 403, put app01 403, delete 403"},
    };
    for (const auto& row : rows) {
        ApiLab lab;
        lab.restart(noon, lab_with(row.role, row.scope));
        BOOST_REQUIRE(lab.open("requester").status == 202);
        std::string outcomes;
        for (const auto& one : operations()) {
            const auto answer = lab.send(one.method, "nobody", one.target, one.body);
            outcomes += (outcomes.empty() ? "" : ", ") + std::string{one.name} + ' ' + told(answer, one.list);
        }
        BOOST_TEST(outcomes == row.outcomes,
                   row.role << " at " << row.scope << "\n  is     " << outcomes << "\n  wanted " << row.outcomes);
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_action_that_is_missing) {
    struct Expectation {
        const char* method;
        std::string target;
        std::string body;
        const char* action;
    };
    const std::vector<Expectation> expectations{
        {"GET", policy_path + version, "", "Microsoft.Security/locations/jitNetworkAccessPolicies/read"},
        {"PUT", policy_path + version, "{}", "Microsoft.Security/locations/jitNetworkAccessPolicies/write"},
        {"DELETE", policy_path + version, "", "Microsoft.Security/locations/jitNetworkAccessPolicies/delete"},
        {"POST", policy_path + "/initiate" + version, ApiLab::initiate_body("web01", 22),
         "Microsoft.Security/locations/jitNetworkAccessPolicies/initiate/action"},
        {"GET", web01 + version, "", "Microsoft.Compute/virtualMachines/read"},
        {"GET", v1 + "/audit", "", "Microsoft.Insights/eventtypes/values/read"},
        {"POST", v1 + "/extend", R"({"machine":"web01","port":22,"duration":"PT1H"})",
         "Microsoft.Security/locations/jitNetworkAccessPolicies/initiate/action"},
    };
    ApiLab lab;
    for (const auto& [method, target, body, action] : expectations) {
        const auto answer = lab.send(method, "nobody", target, body);
        BOOST_TEST(outcome(answer) == "403 AuthorizationFailed", target);
        BOOST_TEST(answer.body.find(std::string{"to perform action '"} + action + '\'') != std::string::npos,
                   answer.body);
    }
}

BOOST_AUTO_TEST_SUITE_END()
