#include "gateway/api/http/text.hpp"
#include "tests/support/api_lab.hpp"

namespace api_rights_test {

// Rights that are less than a built-in role's: what they open, and what they tell.

using namespace support;

const std::string v1 = "/portcullis/v1";
const std::string group = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab";

std::string principal(const std::string& name, const std::string& role, const std::string& scope) {
    return "[[principal]]\nname = \"" + name + "@lab.example\"\ntoken_sha256 = \"" +
           gateway::api::http::to_hex(gateway::api::http::sha256("token-of-" + name)) +
           "\"\n[[role_assignment]]\nprincipal = \"" + name + "@lab.example\"\nrole = \"" + role + "\"\nscope = \"" +
           scope + "\"\n";
}

struct RightsLab : ApiLab {
    RightsLab() {
        std::string toml = service_lab_toml;
        toml += "[[role]]\nname = \"machine reader\"\nactions = [\"Microsoft.Compute/virtualMachines/read\"]\n";
        toml += "[[role]]\nname = \"policy writer\"\nactions = [\"*/jitNetworkAccessPolicies/write\"]\n";
        toml += principal("security", "Security Admin", group);
        toml += principal("vm", "machine reader", group);
        toml += principal("blind", "policy writer", group);
        restart(noon, toml);
    }
    /// Sets the policy `default`, with one port of each machine.
    gateway::api::http::Response put(const std::string& who, const std::vector<std::string>& machines) {
        std::string entries;
        for (const auto& name : machines) {
            const bool is_web = name == "web01";
            entries += std::string{entries.empty() ? "" : ","} + R"({"id":")" + machine_id(name) +
                       R"(","ports":[{"number":)" + (is_web ? "22" : "3389") +
                       R"(,"protocol":"TCP","allowedSourceAddressPrefix":")" + (is_web ? "*" : "198.51.100.0/24") +
                       R"(","maxRequestAccessDuration":")" + (is_web ? "PT3H" : "PT1H") + R"("}]})";
        }
        return send("PUT", who, policy_path + version, R"({"properties":{"virtualMachines":[)" + entries + "]}}");
    }
    [[nodiscard]] std::size_t guarded() {
        return part(get("admin", policy_path + version), "/properties/virtualMachines").as_array().size();
    }
};

}  // namespace api_rights_test

BOOST_FIXTURE_TEST_SUITE(api_rights_test, RightsLab)

BOOST_AUTO_TEST_CASE(to_take_a_machine_out_of_a_policy_takes_the_right_to_write_the_machine) {
    BOOST_TEST(outcome(put("security", {"web01", "db01"})) == "200");
    const auto refused = put("security", {"db01"});
    BOOST_TEST(outcome(refused) == "403 AuthorizationFailed");
    BOOST_TEST(refused.body.find("Microsoft.Compute/virtualMachines/write") != std::string::npos, refused.body);
    BOOST_TEST(refused.body.find(machine_id("web01")) != std::string::npos, refused.body);
    BOOST_TEST(outcome(send("POST", "security", v1 + "/machines/web01/disable", "{}")) == "404 ResourceNotFound");
    const auto of_blind = put("blind", {});
    BOOST_TEST(outcome(of_blind) == "403 AuthorizationFailed");
    BOOST_TEST(of_blind.body.find("web01") == std::string::npos, of_blind.body);
    BOOST_TEST(guarded() == 2U);
    BOOST_TEST(outcome(put("admin", {"db01"})) == "200");
    BOOST_TEST(guarded() == 1U);
}

BOOST_AUTO_TEST_CASE(a_policy_that_is_narrowed_ends_windows_that_it_no_longer_grants) {
    struct Row {
        std::string sources, most;
        bool stays;
    };
    for (const auto& [sources, most, stays] :
         {Row{"198.51.100.0/24", "PT1H", true}, Row{"198.51.100.8/29", "PT1H", false}, Row{"*", "PT59M", false}}) {
        put("admin", {"web01", "db01"});
        BOOST_TEST(outcome(open("requester", "web01", 22)) == "202");
        const auto narrowed = send("PUT", "admin", policy_path + version,
                                   R"({"properties":{"virtualMachines":[{"id":")" + machine_id("web01") +
                                       R"(","ports":[{"number":22,"protocol":"TCP","allowedSourceAddressPrefix":")" +
                                       sources + R"(","maxRequestAccessDuration":")" + most + R"("}]}]}})",
                                   {}, noon + std::chrono::minutes{30});
        BOOST_TEST(outcome(narrowed) == "200");
        BOOST_TEST(control->numbers().open_windows == (stays ? 1U : 0U), sources << ' ' << most);
    }
}

BOOST_AUTO_TEST_CASE(to_delete_a_policy_takes_the_right_to_delete_it_and_no_other) {
    BOOST_TEST(outcome(send("DELETE", "blind", policy_path + version)) == "403 AuthorizationFailed");
    BOOST_TEST(outcome(send("DELETE", "security", policy_path + version)) == "200");
}

BOOST_AUTO_TEST_CASE(who_may_read_a_machine_only_is_not_told_its_policy) {
    const auto machines = get("vm", v1 + "/machines");
    BOOST_TEST(outcome(machines) == "200");
    BOOST_TEST(part(machines, "/value").as_array().size() == 3U);
    BOOST_TEST(machines.body.find("Configured") != std::string::npos);
    BOOST_TEST(machines.body.find("default") == std::string::npos, machines.body);
    BOOST_TEST(machines.body.find("3389") == std::string::npos, machines.body);
    const auto enabled = send("POST", "vm", v1 + "/machines/web01/enable", R"({"ports":"default"})");
    BOOST_TEST(outcome(enabled) == "403 AuthorizationFailed");
    BOOST_TEST(enabled.body.find("under policy") == std::string::npos, enabled.body);
    BOOST_TEST(outcome(send("POST", "admin", v1 + "/machines/web01/enable", R"({"ports":"default"})")) ==
               "409 AlreadyConfigured");
    BOOST_TEST(get("second", v1 + "/machines").body.find(R"("policy":"default")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(rights_are_judged_before_a_body_is) {
    for (const auto* const target :
         {"/requests", "/extend", "/revoke", "/machines/web01/enable", "/machines/web99/enable"}) {
        for (const auto* const body : {"", "{", "[]", "{}", R"({"machine":7})"}) {
            BOOST_TEST(outcome(send("POST", "nobody", v1 + target, body)) == "403 AuthorizationFailed", target << body);
            BOOST_TEST(outcome(send("POST", "admin", v1 + target, body)).starts_with("400"), target << body);
        }
    }
    BOOST_TEST(outcome(send("POST", "one", v1 + "/extend", "{")).starts_with("400"));
    BOOST_TEST(outcome(send("POST", "one", v1 + "/machines/web01/enable", "{")) == "403 AuthorizationFailed");
    BOOST_TEST(outcome(send("POST", "blind", v1 + "/revoke", "{")).starts_with("400"));
    BOOST_TEST(outcome(send("POST", "blind", v1 + "/extend", "{")) == "403 AuthorizationFailed");
}

BOOST_AUTO_TEST_CASE(activity_of_a_machine_is_found_by_its_id_too) {
    open("requester");
    for (const auto& machine : {std::string{"web01"}, machine_id("web01"), machine_id("WEB01")}) {
        BOOST_TEST(part(get("requester", v1 + "/activity?machine=" + machine), "/value").as_array().size() == 1U);
        BOOST_TEST(part(get("admin", v1 + "/activity?machine=" + machine), "/value").as_array().size() == 1U);
    }
    BOOST_TEST(part(get("admin", v1 + "/activity?machine=" + machine_id("db01")), "/value").as_array().empty());
}

BOOST_AUTO_TEST_SUITE_END()
