#include <regex>

#include <boost/algorithm/string/replace.hpp>

#include "gateway/api/routes.hpp"
#include "tests/support/seeing_lab.hpp"

namespace api_leaks_test {

// What a principal may not see is as if it were not there: neither in an answer nor by a difference between answers.

using namespace support;

/// Every operation that there is, with `M` where a machine is named and its port `3389` where one is.
struct Question {
    std::string method;
    std::string target;
    std::string body;
};

/// Random digits may spell a machine's name.
std::string without_guids(const std::string& text) {
    static const std::regex guid{"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"};
    return std::regex_replace(text, guid, "GUID");
}

std::string filled(std::string_view pattern, const std::string& policy) {
    std::string target{pattern};
    boost::replace_all(target, "{subscriptionId}", "20ff7fc3-e762-44dd-bd96-b71116dcdc23");
    boost::replace_all(target, "{resourceGroupName}", "lab");
    boost::replace_all(target, "{ascLocation}", "westeurope");
    boost::replace_all(target, "{jitNetworkAccessPolicyName}", policy);
    boost::replace_all(target, "{vmName}", "M");
    boost::replace_all(target, "{name}", "M");
    boost::replace_all(target, "{id}", "00000000-0000-4000-8000-000000000000");
    return target;
}

std::vector<std::string> bodies_for(std::string_view pattern) {
    const std::string id = ApiLab::machine_id("M");
    if (pattern.ends_with("/initiate")) {
        return {"", "{}", R"({"virtualMachines":[{"id":")" + id + R"(","ports":[{"number":3389,"duration":"PT1H"}]}]})",
                R"({"virtualMachines":[{"id":")" + id + R"(","ports":[]}]})",
                R"({"virtualMachines":[{"id":")" + id + R"(","ports":[{"number":22,"duration":"PT9H"}]}]})"};
    }
    if (pattern.ends_with("/requests")) {
        return {"", R"({"ports":[{"number":3389,"duration":"PT1H"}],"machine":")" + id + "\"}",
                R"({"machine":"M","ports":[{"number":3389,"duration":"PT1H"}]})",
                R"({"machine":"M","ports":[{"number":1,"duration":"PT1S"}]})"};
    }
    if (pattern.ends_with("/extend")) {
        return {"{", R"({"machine":"M","port":3389,"duration":"PT1H"})",
                R"({"port":3389,"duration":"PT1H","machine":")" + id + "\"}"};
    }
    if (pattern.ends_with("/revoke")) {
        return {"[]", R"({"machine":"M","port":3389})", R"({"port":3389,"machine":")" + id + "\"}"};
    }
    if (pattern.ends_with("/enable")) return {"", R"({"ports":"default"})", R"({"ports":"recommended"})"};
    if (pattern.ends_with("/flows/end")) {
        return {"{", R"({"protocol":"tcp","client":"198.51.100.9:40000","called":"203.0.113.9:1"})"};
    }
    return {"", R"({"properties":{"virtualMachines":[{"id":")" + id +
                    R"(","ports":[{"number":3389,"protocol":"TCP",)"
                    R"("allowedSourceAddressPrefix":"*","maxRequestAccessDuration":"PT1H"}]}]}})"};
}

std::vector<Question> questions() {
    std::vector<Question> all;
    const auto add = [&](std::string_view method, std::string_view pattern, const std::string& suffix) {
        for (const auto& policy : {"default", "hidden", "nope"}) {
            for (const auto& body : method == "GET" ? std::vector<std::string>{""} : bodies_for(pattern)) {
                all.push_back({std::string{method}, filled(pattern, policy) + suffix, body});
            }
        }
    };
    for (const auto& route : gateway::api::arm_routes()) {
        for (const auto* const method : {"GET", "PUT", "POST", "DELETE", "PATCH"}) {
            for (const auto* const suffix : {"?api-version=2020-01-01", "", "?api-version=2000-01-01"}) {
                add(method, route.pattern, suffix);
            }
        }
    }
    for (const auto& route : gateway::api::portcullis_routes()) {
        for (const auto* const method : {"GET", "PUT", "POST", "DELETE"}) add(method, route.pattern, "");
        for (const auto* const query : {"?machine=M", "?machine=M&port=3389", "?port=3389", "?machine=M&format=csv",
                                        "?principal=requester@lab.example", "?nonsense=1", "?from=1", "?from=0",
                                        "?client=198.51.100.0/24", "?reason=jit-closed"}) {
            add("GET", route.pattern, query);
        }
    }
    return all;
}

std::string with_machine(std::string text, const std::string& machine) {
    // Only where the placeholder stands by itself: as a segment, a parameter or a JSON string.
    for (const auto* const before : {"/", "=", "\""}) {
        for (const auto* const after : {"/", "&", "?", "\""}) {
            boost::replace_all(text, std::string{before} + 'M' + after, before + machine + after);
        }
        if (text.ends_with(std::string{before} + 'M')) text.replace(text.size() - 1, 1, machine);
    }
    return text;
}

struct LeakLab : SeeingLab {
    LeakLab() {
        std::string toml = service_lab_toml;
        toml +=
            "[[jit_policy]]\nname = \"hidden\"\n  [[jit_policy.virtual_machine]]\n  name = \"app01\"\n"
            "  ports = [ { number = 3389, protocol = \"TCP\", allowed_source_address_prefix = \"*\", "
            "max_request_access_duration = \"PT2H\" } ]\n[api]\nrequests_per_minute = 1000000\n";
        restart_live(toml);
        BOOST_REQUIRE(open("requester", "web01", 22).status == 202);
        BOOST_REQUIRE(open("requester", "db01", 3389).status == 202);
        BOOST_REQUIRE(
            send("POST", "admin", policies_path + "/hidden/initiate" + version, initiate_body("app01", 3389)).status ==
            202);
        from_client(tcp("198.51.100.77:40077", "203.0.113.10:50122").syn());  // a flow and a decision to be hidden
        static_cast<void>(live->recorder().decisions(0, {}, 1));
        from_client(tcp("198.51.100.77:40078", "203.0.113.10:50022").syn());
    }

    [[nodiscard]] std::string answer_about(const std::string& who, const Question& question,
                                           const std::string& machine) {
        const Headers headers{{"x-ms-correlation-request-id", "00000000-0000-4000-8000-000000000000"}};
        const auto answer = send(question.method, who, with_machine(question.target, machine),
                                 with_machine(question.body, machine), headers);
        auto text = std::to_string(answer.status) + '\n';
        for (const auto& [name, value] : answer.headers) {
            const bool counts = name.starts_with("x-ms-ratelimit-remaining");  // all requests, whatever they ask for
            if (!counts) text += std::string{name} + ": " + value + '\n';
        }
        return text + '\n' + answer.body;
    }
};

}  // namespace api_leaks_test

BOOST_FIXTURE_TEST_SUITE(api_leaks_test, LeakLab)

BOOST_AUTO_TEST_CASE(a_hidden_machine_is_answered_as_one_that_does_not_exist) {
    struct Row {
        std::string who, hidden, absent;
    };
    for (const auto& [who, hidden, absent] :
         {Row{"one", "db01", "xy99"}, Row{"one", "app01", "xyz99"}, Row{"one", "DB01", "XY99"},
          Row{"nobody", "web01", "xyz99"}, Row{"nobody", "db01", "xy99"}}) {
        for (const auto& question : questions()) {
            if (question.target.find("/activity") != std::string::npos) continue;  // tells of these very questions
            const auto real = boost::replace_all_copy(answer_about(who, question, hidden), hidden, "M");
            const auto made_up = boost::replace_all_copy(answer_about(who, question, absent), absent, "M");
            BOOST_TEST(real == made_up, who << ' ' << question.method << ' ' << question.target << ' ' << question.body
                                            << "\n--- " << hidden << ": " << real << "\n--- " << absent << ": "
                                            << made_up);
        }
    }
}

BOOST_AUTO_TEST_CASE(ones_own_activity_does_not_tell_a_hidden_machine_from_one_that_does_not_exist) {
    for (const auto* const who : {"one", "nobody"}) {
        for (const auto* const wanted : {"?machine=M", "?machine=M&format=csv", ""}) {
            const auto told_of = [&](const std::string& machine) {
                const auto before = part(get(who, "/portcullis/v1/activity?limit=1"), "/value/0/properties/sequence");
                for (const auto& question : questions()) {
                    if (question.method == "POST") static_cast<void>(answer_about(who, question, machine));
                }
                std::string text;
                auto target = with_machine("/portcullis/v1/activity" + std::string{wanted}, machine);
                if (target.find("csv") != std::string::npos) return get(who, target).body;
                while (!target.empty()) {
                    const auto page = get(who, target);
                    const auto events = part(page, "/value").as_array();
                    for (const auto& event : events) {
                        const auto& properties = event.at("properties");
                        if (!before.is_null() &&
                            properties.at("sequence").to_number<std::uint64_t>() <= before.to_number<std::uint64_t>())
                            return text;
                        for (const auto* const field :
                             {"resourceId", "resourceType", "operationName", "status", "subStatus"}) {
                            text += boost::json::serialize(event.at(field)) + ' ';
                        }
                        text += boost::json::serialize(properties.at("message")) +
                                boost::json::serialize(properties.at("machine")) + '\n';
                    }
                    const auto next = text_at(page, "/nextLink");
                    target = next == "null" ? "" : next.substr(next.find("/portcullis"));
                }
                return text;
            };
            const auto real = boost::replace_all_copy(told_of("db01"), "db01", "M");
            const auto made_up = boost::replace_all_copy(told_of("xy99"), "xy99", "M");
            BOOST_TEST(real == made_up,
                       who << ' ' << wanted << "\n--- " << real.substr(0, 2000) << "\n--- " << made_up.substr(0, 2000));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_answer_holds_a_word_of_what_is_hidden) {
    struct Row {
        std::string who;
        std::vector<std::string> words;
    };
    // Addresses, mapped ports, NAT rules, policies and windows of others.
    const std::vector<std::string> always{"10.1.0.",  "10.0.1.",         "203.0.113.10", "50022",
                                          "50122",    "ssh-web01",       "ssh-app01",    "inbound",
                                          "patching", "198.51.100.0/24", "PT2H",         "198.51.100.77"};
    auto of_one = always;
    of_one.insert(of_one.end(), {"db01", "app01"});
    auto of_nobody = of_one;
    of_nobody.insert(of_nobody.end(), {"web01", "PT3H", "requester@"});
    for (const auto& [who, words] : {Row{"one", of_one}, Row{"nobody", of_nobody}, Row{"second", always}}) {
        for (const auto& question : questions()) {
            if (question.target.find("principal=requester") != std::string::npos) continue;  // asks with the word
            if (question.target.find("client=198.51.100.0/24") != std::string::npos) continue;
            const auto answer = without_guids(answer_about(who, question, "xy99"));
            for (const auto& word : words) {
                if (who == "second" && (word == "198.51.100.0/24" || word == "PT2H")) continue;  // reads the policies
                BOOST_TEST(answer.find(word) == std::string::npos, who << ' ' << question.method << ' '
                                                                       << question.target << ' ' << question.body
                                                                       << ": " << word << " in\n"
                                                                       << answer);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(without_a_token_nothing_is_told_at_all) {
    for (const auto& question : questions()) {
        const auto answer = answer_about("", question, "web01");
        BOOST_TEST(answer.starts_with("401\n"), question.target);
        BOOST_TEST(answer.find("web01") == std::string::npos, answer);
    }
}

BOOST_FIXTURE_TEST_CASE(refused_readings_of_policies_are_audited, ApiLab) {
    BOOST_TEST(outcome(get("nobody", policies_path + version)) == "403 AuthorizationFailed");
    BOOST_TEST(outcome(get("nobody", policy_path + version)) == "403 AuthorizationFailed");
    const auto log = control->activity(caller("admin"), {}, noon);
    BOOST_REQUIRE(log->size() == 2U);
    for (const auto& event : *log) {
        BOOST_TEST(event.operation == "Microsoft.Security/locations/jitNetworkAccessPolicies/read");
        BOOST_TEST(event.caller == "nobody@lab.example");
        BOOST_TEST(event.status == "Failed");
    }
}

BOOST_FIXTURE_TEST_CASE(whoever_is_told_of_anothers_window_is_audited, ApiLab) {
    const auto request = initiate("requester", "web01", 22);
    BOOST_REQUIRE(request);
    BOOST_REQUIRE(control->request(caller("requester"), request->id, noon));  // one's own, over and over
    BOOST_TEST(control->activity(caller("admin"), {}, noon)->size() == 1U);
    BOOST_REQUIRE(control->request(caller("reader"), request->id, noon));
    BOOST_REQUIRE(control->machines(caller("reader"), noon));
    BOOST_REQUIRE(control->machines(caller("second"), noon));  // sees no window
    const auto log = control->activity(caller("admin"), {}, noon);
    BOOST_REQUIRE(log->size() == 3U);
    for (const auto at : {1U, 2U}) {
        BOOST_TEST((*log)[at].operation == "Microsoft.Security/locations/jitConnections/read");
        BOOST_TEST((*log)[at].caller == "reader@lab.example");
    }
    BOOST_TEST((*log)[1].detail == "status of a request of requester@lab.example");
    BOOST_TEST((*log)[2].detail == "machines, with 1 connection");
}

BOOST_AUTO_TEST_SUITE_END()
