#include <boost/json/array.hpp>

#include "gateway/api/http/text.hpp"
#include "tests/support/api_lab.hpp"

namespace api_arm_test {

using namespace std::chrono_literals;
using namespace support;

}  // namespace api_arm_test

BOOST_FIXTURE_TEST_SUITE(api_arm_test, ApiLab)

BOOST_AUTO_TEST_CASE(the_four_lists_and_get_give_the_same_policy) {
    const std::string security = "/providers/Microsoft.Security/";
    for (const auto& path : {subscription_path + security + "jitNetworkAccessPolicies",
                             subscription_path + security + "locations/westeurope/jitNetworkAccessPolicies",
                             group_path + security + "jitNetworkAccessPolicies", policies_path}) {
        const auto list = get("admin", path + version);
        BOOST_TEST(outcome(list) == "200", path);
        BOOST_TEST(part(list, "/value").as_array().size() == 1U, path);
        BOOST_TEST(part(list, "/nextLink").is_null(), path);
        BOOST_TEST((part(list, "/value/0") == json_of(get("admin", policy_path + version))), path);
    }
}

BOOST_AUTO_TEST_CASE(paths_and_both_versions_match_in_any_case) {
    auto path = policy_path;
    std::ranges::transform(path, path.begin(), [](char letter) {
        return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
    });
    BOOST_TEST(outcome(get("admin", path + version)) == "200");
    BOOST_TEST(outcome(get("admin", policy_path + "/?API-Version=2015-06-01-PREVIEW")) == "200");
    BOOST_TEST(outcome(send("POST", "requester", policy_path + "/Initiate" + version, initiate_body("web01", 22))) ==
               "202");
    BOOST_TEST(outcome(send("HEAD", "admin", policy_path + version)) == "200");
}

BOOST_AUTO_TEST_CASE(a_policy_is_told_in_azures_order_of_keys) {
    open("requester");
    const auto body = get("requester", policy_path + version).body;
    const auto web = machine_id("web01");
    BOOST_TEST(
        body ==
        R"({"kind":"Basic","properties":{"virtualMachines":[{"id":")" + web +
            R"(","ports":[{"number":22,"protocol":"TCP","allowedSourceAddressPrefix":"*","maxRequestAccessDuration":"PT3H"}],)"
            R"("publicIpAddress":"203.0.113.10"},{"id":")" +
            machine_id("db01") +
            R"(","ports":[{"number":3389,"protocol":"TCP","allowedSourceAddressPrefix":"198.51.100.0/24","maxRequestAccessDuration":"PT1H"}]}],)"
            R"("requests":[{"virtualMachines":[{"id":")" +
            web +
            R"(","ports":[{"number":22,"allowedSourceAddressPrefix":"198.51.100.7","endTimeUtc":"2026-01-31T13:00:00.0000000Z",)"
            R"("status":"Initiated","statusReason":"UserRequested","mappedPort":50022}]}],)"
            R"("startTimeUtc":"2026-01-31T12:00:00.0000000Z","requestor":"requester@lab.example","justification":"patching"}],)"
            R"("provisioningState":"Succeeded","appendMode":false},"id":")" +
            policy_path +
            R"(","name":"default","type":"Microsoft.Security/locations/jitNetworkAccessPolicies","location":"westeurope"})");
}

BOOST_AUTO_TEST_CASE(initiate_answers_202_with_the_request_as_initiating) {
    const auto answer = open("requester");
    BOOST_TEST(outcome(answer) == "202");
    BOOST_TEST(text_at(answer, "/virtualMachines/0/ports/0/status") == "Initiating");
    BOOST_TEST(text_at(answer, "/virtualMachines/0/ports/0/mappedPort") == "50022");
    BOOST_TEST(text_at(answer, "/requestor") == "requester@lab.example");
    for (const auto* const name : {"Location", "Azure-AsyncOperation", "Retry-After"}) {
        BOOST_TEST(header_of(answer, name) == "(none)");
    }
}

BOOST_AUTO_TEST_CASE(a_repetition_with_the_same_client_request_id_opens_one_window_only) {
    const auto target = policy_path + "/initiate" + version;
    const auto body = initiate_body("web01", 22);
    const Headers id{{"x-ms-client-request-id", "8f7a3c1e-0000-4000-8000-000000000001"}};
    const auto first = send("POST", "requester", target, body, id);
    const auto again = send("POST", "requester", target, body, id, noon + 1s);
    BOOST_TEST(first.body == again.body);
    BOOST_TEST(part(get("requester", policy_path + version), "/properties/requests").as_array().size() == 1U);
    // The same id for something else, and something else for the same: both are requests of their own.
    send("POST", "requester", target, initiate_body("db01", 3389), id, noon + 2s);
    send("POST", "requester", target, body, {}, noon + 3s);
    BOOST_TEST(part(get("requester", policy_path + version), "/properties/requests").as_array().size() == 3U);
}

BOOST_AUTO_TEST_CASE(put_answers_200_updating_then_succeeded_and_delete_200_then_204) {
    const auto body =
        R"({"kind":"Basic","name":"x","location":"y","properties":{"requests":[],"virtualMachines":[{"id":")" +
        machine_id("APP01") +
        R"(","ports":[{"number":"22","protocol":"tcp","allowedSourceAddressPrefixes":["10.0.0.0/8","192.0.2.1"],)"
        R"("maxRequestAccessDuration":"PT3H"}]}]}})";
    const auto other = policies_path + "/Other" + version;
    const auto put = send("PUT", "admin", other, body);
    BOOST_TEST(outcome(put) == "200");
    BOOST_TEST(text_at(put, "/properties/provisioningState") == "Updating");
    BOOST_TEST(text_at(put, "/properties/requests") == "[]");
    BOOST_TEST(text_at(put, "/properties/virtualMachines/0/ports/0/number") == "22");
    BOOST_TEST(text_at(put, "/properties/virtualMachines/0/ports/0/allowedSourceAddressPrefixes") ==
               R"(["10.0.0.0/8","192.0.2.1"])");
    BOOST_TEST(part(put, "/properties/onExpiry").is_null());
    BOOST_TEST(text_at(get("admin", other), "/properties/provisioningState") == "Succeeded");

    const auto deleted = send("DELETE", "admin", other);
    BOOST_TEST(deleted.status == 200);
    BOOST_TEST(deleted.body.empty());
    BOOST_TEST(header_of(deleted, "Content-Type") == "(none)");
    BOOST_TEST(send("DELETE", "admin", other).status == 204);
    BOOST_TEST(outcome(get("admin", other)) == "404 PolicyNotFound");
}

BOOST_AUTO_TEST_CASE(our_own_properties_are_kept_and_shown_where_they_say_something) {
    const auto body = [](const std::string& extension) {
        return R"({"properties":{"virtualMachines":[],)" + extension + "}}";
    };
    const auto put = send("PUT", "admin", policies_path + "/p" + version,
                          body(R"("onExpiry":"cut","justificationRequired":true)"));
    BOOST_TEST(text_at(put, "/properties/onExpiry") == "cut");
    BOOST_TEST(text_at(put, "/properties/justificationRequired") == "true");
    const auto back = send("PUT", "admin", policies_path + "/p" + version,
                           body(R"("onExpiry":"keep","justificationRequired":false)"));
    BOOST_TEST(back.body.find("onExpiry") == std::string::npos);
    BOOST_TEST(back.body.find("justificationRequired") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_answer_has_arms_headers) {
    const Headers ids{{"x-ms-client-request-id", "client-1"},
                      {"x-ms-return-client-request-id", "True"},
                      {"x-ms-correlation-request-id", "20FF7FC3-e762-44dd-bd96-b71116dcdc23"}};
    for (const auto& answer :
         {send("GET", "admin", policy_path + version, {}, ids), send("GET", "", "/x", {}, ids),
          send("GET", "admin", "/x", {}, ids), send("PATCH", "admin", policy_path + version, {}, ids)}) {
        BOOST_TEST(header_of(answer, "Cache-Control") == "no-cache");
        BOOST_TEST(header_of(answer, "Pragma") == "no-cache");
        BOOST_TEST(header_of(answer, "Expires") == "-1");
        BOOST_TEST(header_of(answer, "Content-Type") == "application/json; charset=utf-8");
        BOOST_TEST(header_of(answer, "Strict-Transport-Security") == "max-age=31536000; includeSubDomains");
        BOOST_TEST(header_of(answer, "X-Content-Type-Options") == "nosniff");
        BOOST_TEST(header_of(answer, "x-ms-request-id").empty());
        BOOST_TEST(header_of(answer, "x-ms-correlation-request-id") == "20ff7fc3-e762-44dd-bd96-b71116dcdc23");
        BOOST_TEST(header_of(answer, "x-ms-routing-request-id") ==
                   "WESTEUROPE:20260131T120000Z:20ff7fc3-e762-44dd-bd96-b71116dcdc23");
        BOOST_TEST(header_of(answer, "x-ms-client-request-id") == "client-1");
    }
    const auto plain = send("GET", "admin", policy_path + version, {},
                            {{"x-ms-client-request-id", "client-1"}, {"x-ms-correlation-request-id", "no guid"}});
    BOOST_TEST(header_of(plain, "x-ms-client-request-id") == "(none)");
    BOOST_TEST(gateway::api::http::is_guid(header_of(plain, "x-ms-correlation-request-id")));
    const auto strange = send("GET", "admin", policy_path + version, {},
                              {{"x-ms-client-request-id", "a b\x01"}, {"x-ms-return-client-request-id", "true"}});
    BOOST_TEST(header_of(strange, "x-ms-client-request-id") == "(none)");
}

BOOST_AUTO_TEST_CASE(without_a_token_the_answer_says_where_to_get_one) {
    const auto none = send("GET", "", policy_path + version);
    BOOST_TEST(outcome(none) == "401 AuthenticationFailed");
    BOOST_TEST(header_of(none, "WWW-Authenticate") ==
               R"(Bearer authorization_uri="https://login.windows.net/00000000-0000-0000-0000-000000000000", )"
               R"(error="invalid_token", error_description="The authentication failed because of missing )"
               R"('Authorization' header.")");
    const auto wrong = get("somebody", "/nowhere");
    BOOST_TEST(outcome(wrong) == "401 InvalidAuthenticationToken");
    BOOST_TEST(header_of(wrong, "WWW-Authenticate").find(R"(error_description="The access token is invalid.")") !=
               std::string::npos);
    const auto activity = get("admin", "/portcullis/v1/activity?limit=2");
    BOOST_TEST(text_at(activity, "/value/0/subStatus/value") == "InvalidAuthenticationToken");
    BOOST_TEST(text_at(activity, "/value/1/subStatus/value") == "AuthenticationFailed");
    BOOST_TEST(text_at(activity, "/value/1/httpRequest/clientIpAddress") == "198.51.100.7");
}

BOOST_AUTO_TEST_CASE(more_than_100_policies_come_in_pages_with_absolute_links) {
    for (int number = 0; number < 205; ++number) {
        const auto name = "p" + std::to_string(1000 + number);
        BOOST_REQUIRE(
            send("PUT", "admin", policies_path + '/' + name + version, R"({"properties":{"virtualMachines":[]}})")
                .status == 200);
    }
    std::string link = "https://localhost:8443" + policies_path + version;
    std::vector<std::size_t> sizes;
    std::vector<std::string> names;
    while (!link.empty()) {
        const auto page = get("admin", link);
        BOOST_REQUIRE(page.status == 200);
        const auto value = part(page, "/value");
        for (const auto& item : value.as_array()) names.emplace_back(item.at("name").as_string().c_str());
        sizes.push_back(value.as_array().size());
        const auto next = part(page, "/nextLink");
        link = next.is_string() ? std::string{next.as_string().c_str()} : "";
        if (!link.empty()) BOOST_TEST(link.starts_with("https://localhost:8443" + policies_path + version + "&"), link);
    }
    BOOST_TEST(sizes == (std::vector<std::size_t>{100, 100, 6}), boost::test_tools::per_element());
    BOOST_TEST(std::ranges::is_sorted(names));
    BOOST_TEST(names.size() == 206U);
}

BOOST_AUTO_TEST_CASE(what_clients_ask_for_beside_policies_is_there) {
    const auto list = get("requester", "/subscriptions?api-version=2019-11-01");
    BOOST_TEST(text_at(list, "/value/0/subscriptionId") == "20ff7fc3-e762-44dd-bd96-b71116dcdc23");
    BOOST_TEST(text_at(list, "/value/0/state") == "Enabled");
    BOOST_TEST(text_at(get("nobody", "/subscriptions?api-version=2022-12-01"), "/value") == "[]");
    BOOST_TEST(outcome(get("requester", subscription_path + std::string{"?api-version=2022-12-01"})) == "200");
    BOOST_TEST(outcome(get("nobody", subscription_path + version)) == "403 AuthorizationFailed");

    const auto locations = subscription_path + std::string{"/providers/Microsoft.Security/locations"};
    BOOST_TEST(text_at(get("reader", locations + "?api-version=2015-06-01-preview"), "/value/0/name") == "westeurope");
    BOOST_TEST(text_at(get("reader", locations + "/WestEurope" + version), "/name") == "westeurope");
    BOOST_TEST(outcome(get("reader", locations + "/eastus" + version)) == "404 ResourceNotFound");

    const auto machines = "/providers/Microsoft.Compute/virtualMachines";
    const auto all = get("reader", subscription_path + std::string{machines} + "?api-version=2023-03-01");
    BOOST_TEST(part(all, "/value").as_array().size() == 3U);
    BOOST_TEST(text_at(all, "/value/1/name") == "db01");
    BOOST_TEST(text_at(all, "/value/1/id") == machine_id("db01"));
    BOOST_TEST(text_at(all, "/value/1/properties/storageProfile/osDisk/osType") == "Windows");
    BOOST_TEST(text_at(all, "/value/2/properties/osProfile/computerName") == "web01");
    const auto ones = get("one", group_path + machines + version);
    BOOST_TEST(part(ones, "/value").as_array().size() == 1U);
    BOOST_TEST(text_at(ones, "/value/0/name") == "web01");
    BOOST_TEST(outcome(get("nobody", group_path + machines + version)) == "403 AuthorizationFailed");
    BOOST_TEST(text_at(get("one", machine_id("WEB01") + version), "/name") == "web01");
}

BOOST_AUTO_TEST_CASE(answers_tell_how_many_more_requests_are_taken) {
    const std::string header = "x-ms-ratelimit-remaining-subscription-";
    restart(noon, std::string{service_lab_toml} + "[api]\nrequests_per_minute = 60\n");
    BOOST_TEST(header_of(get("requester", policy_path + version), header + "reads") == "59");
    BOOST_TEST(header_of(open("requester"), header + "writes") == "58");
    BOOST_TEST(header_of(send("DELETE", "requester", policy_path + version), header + "deletes") == "57");
    BOOST_TEST(header_of(get("requester", "/portcullis/v1/connections"), header + "reads") == "(none)");
    BOOST_TEST(header_of(get("requester", "/subscriptions"), header + "reads") == "55");
    BOOST_TEST(header_of(get("reader", policy_path + version), header + "reads") == "59");
    BOOST_TEST(header_of(get("", policy_path + version), header + "reads") == "(none)");
}

BOOST_AUTO_TEST_CASE(who_asks_too_often_is_told_to_wait) {
    restart(noon, std::string{service_lab_toml} + "[api]\nrequests_per_minute = 3\n");
    for (int i = 0; i < 3; ++i) BOOST_TEST(get("admin", policy_path + version).status == 200);
    const auto slow = get("admin", policy_path + version);
    BOOST_TEST(header_of(slow, "x-ms-ratelimit-remaining-subscription-reads") == "0");
    BOOST_TEST(outcome(slow) == "429 TooManyRequests");
    BOOST_TEST(header_of(slow, "Retry-After") == "20");
    BOOST_TEST(get("reader", policy_path + version).status == 200);
    BOOST_TEST(get("admin", policy_path + version, noon + 20s).status == 200);
    for (int i = 0; i < 3; ++i) BOOST_TEST(get("", policy_path + version).status == 401);
    BOOST_TEST(get("", policy_path + version).status == 429);
}

BOOST_AUTO_TEST_SUITE_END()
