#include "tests/support/api_lab.hpp"

namespace api_refusals_test {

using namespace support;

}  // namespace api_refusals_test

BOOST_FIXTURE_TEST_SUITE(api_refusals_test, ApiLab)

BOOST_AUTO_TEST_CASE(every_refusal_has_arms_code_and_text) {
    const std::string sub = subscription_path;
    const std::string other = "/subscriptions/00000000-0000-0000-0000-000000000001";
    const auto security = group_path + "/providers/Microsoft.Security/";
    struct Row {
        std::string method, target, outcome, message;
    };
    const std::vector<Row> rows{
        {"GET", policy_path, "400 MissingApiVersionParameter",
         "The api-version query parameter (?api-version=) is required for all requests."},
        {"GET", "/nowhere", "400 MissingApiVersionParameter", ""},
        {"GET", policy_path + "?api-version=latest", "400 InvalidApiVersionParameter", "'latest' is invalid"},
        {"GET", policy_path + "?api-version=2020-13-01", "400 InvalidApiVersionParameter", ""},
        {"GET", policy_path + "?api-version=2020-01-01-", "400 InvalidApiVersionParameter", ""},
        {"GET", policy_path + "?api-version=2019-01-01", "400 NoRegisteredProviderFound",
         "No registered resource provider found for location 'westeurope' and API version '2019-01-01' for type "
         "'locations/jitNetworkAccessPolicies'. The supported api-versions are '2020-01-01, 2015-06-01-preview'. The "
         "supported locations are 'westeurope'."},
        {"GET", "/" + version, "404 NotFound", ""},
        {"GET", "/nowhere" + version, "404 NotFound", ""},
        {"GET", sub + "/resourceGroups" + version, "404 NotFound", ""},
        {"GET", security + "pricings" + version, "404 InvalidResourceType",
         "The resource type could not be found in the namespace 'Microsoft.Security' for api version '2020-01-01'."},
        {"GET", policy_path + "/initiate/x" + version, "404 InvalidResourceType", ""},
        {"POST", policy_path + "/revoke" + version, "404 InvalidResourceType", ""},
        {"GET", group_path + "/providers/Microsoft.Web/sites" + version, "404 InvalidResourceNamespace",
         "The resource namespace 'Microsoft.Web' is invalid."},
        {"GET", other + version, "404 SubscriptionNotFound",
         "The subscription '00000000-0000-0000-0000-000000000001' could not be found."},
        {"GET", "/subscriptions/x" + version, "400 InvalidSubscriptionId",
         "The provided subscription identifier 'x' is malformed or invalid."},
        {"GET", sub + "/resourceGroups/rg2/providers/Microsoft.Security/jitNetworkAccessPolicies" + version,
         "404 ResourceGroupNotFound", "Resource group 'rg2' could not be found."},
        {"PUT",
         sub + "/resourceGroups/rg2/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/p" +
             version,
         "404 ResourceGroupNotFound", ""},
        {"GET", sub + "/resourceGroups/rg2/providers/Microsoft.Compute/virtualMachines" + version,
         "404 ResourceGroupNotFound", ""},
        {"GET", group_path + "/providers/Microsoft.Compute/virtualMachines/web99" + version, "404 ResourceNotFound",
         "The Resource 'Microsoft.Compute/virtualMachines/web99' under resource group 'lab' was not found. For more "
         "details please go to https://aka.ms/ARMResourceNotFoundFix"},
        {"GET", policies_path + "/nope" + version, "404 PolicyNotFound",
         "Just-In-Time Network Access Policy '" + policies_path + "/nope' does not exist."},
        {"GET", security + "locations/eastus/jitNetworkAccessPolicies/default" + version, "404 PolicyNotFound",
         "Just-In-Time Network Access Policy '" + security +
             "locations/eastus/jitNetworkAccessPolicies/default' does not exist."},
        {"PUT", security + "locations/eastus/jitNetworkAccessPolicies/default" + version,
         "400 NoRegisteredProviderFound", "location 'eastus'"},
        {"PUT", policies_path + "/a%20b" + version, "400 InvalidResourceName", ""},
        {"PUT", policy_path + version, "400 InvalidRequestContent",
         "The request content was invalid and could not be deserialized: there is none."},
        {"POST", policy_path + "/initiate" + version, "400 InvalidRequestContent", ""},
        {"POST", policy_path + version, "405 MethodNotAllowed", "'POST', but GET, HEAD, PUT, DELETE"},
        {"PATCH", "/subscriptions" + version, "405 MethodNotAllowed", ""},
        {"GET", policies_path + version + "&$skiptoken=%21", "400 BadRequest", ""},
        {"GET", "/portcullis/v1/nothing", "404 NotFound", ""},
        {"PUT", "/portcullis/v1/extend", "405 MethodNotAllowed", ""},
    };
    for (const auto& row : rows) {
        const auto answer = send(row.method, "admin", row.target);
        BOOST_TEST(outcome(answer) == row.outcome, row.method + ' ' + row.target + ": " + answer.body);
        BOOST_TEST(text_at(answer, "/error/message").find(row.message) != std::string::npos, answer.body);
    }
    BOOST_TEST(header_of(send("POST", "admin", policy_path + version), "Allow") == "GET, HEAD, PUT, DELETE");
}

BOOST_AUTO_TEST_CASE(a_method_that_is_no_text_breaks_no_answer_and_no_log) {
    BOOST_TEST(outcome(send("\xb8T", "admin", policy_path + version)) == "405 MethodNotAllowed");
    BOOST_TEST(outcome(send("\xb8T", "", "/")) == "401 AuthenticationFailed");
    BOOST_TEST(outcome(get("", '/' + std::string(1023, 'x') + "%C3%A9")) == "401 AuthenticationFailed");
    BOOST_TEST(part(get("admin", "/portcullis/v1/activity"), "/value").is_array());
}

BOOST_AUTO_TEST_CASE(whoever_may_nothing_gets_403_before_anything_is_read_or_looked_for) {
    const auto elsewhere = subscription_path + std::string{
                                                   "/resourceGroups/rg2/providers/Microsoft.Security/locations/"
                                                   "eastus/jitNetworkAccessPolicies/default"};
    for (const auto& path : {policy_path, policies_path + "/nope", elsewhere}) {
        for (const auto* const method : {"GET", "PUT", "DELETE"}) {
            BOOST_TEST(outcome(send(method, "nobody", path + version, "{")) == "403 AuthorizationFailed",
                       method + (' ' + path));
        }
        BOOST_TEST(outcome(send("POST", "nobody", path + "/initiate" + version, "{")) == "403 AuthorizationFailed");
    }
    BOOST_TEST(text_at(send("PUT", "reader", policy_path + version, "{"), "/error/message") ==
               "The client 'reader@lab.example' with object id 'reader@lab.example' does not have authorization to "
               "perform action 'Microsoft.Security/locations/jitNetworkAccessPolicies/write' over scope '" +
                   policy_path +
                   "' or the scope is invalid. If access was recently granted, please refresh your credentials.");
    // Who may ask for one machine only learns that the body is bad, and not of the policy.
    BOOST_TEST(outcome(send("POST", "one", policy_path + "/initiate" + version, "{")) == "400 InvalidRequestContent");
}

BOOST_AUTO_TEST_CASE(a_request_that_cannot_be_is_refused_by_name) {
    const auto asks = [&](const std::string& port, const std::string& more = "") {
        return send(
            "POST", "requester", policy_path + "/initiate" + version,
            R"({"virtualMachines":[{"id":")" + machine_id("web01") + R"(","ports":[)" + port + "]}]" + more + "}");
    };
    struct Row {
        const char* port;
        const char* outcome;
        const char* message;
    };
    const std::vector<Row> rows{
        {R"({"number":22,"duration":"PT1H"})", "202", ""},
        {R"({"Number":"22","EndTimeUtc":"2026-01-31T13:00:00.1234567Z","allowedSourceAddressPrefix":"192.0.2.1","x":1})",
         "202", ""},
        {R"({"number":22,"duration":"PT1H","endTimeUtc":null,"allowedSourceAddressPrefixes":["192.0.2.1","192.0.2.2"]})",
         "202", ""},
        {R"({"number":22})", "400 InvalidInitiateInput", "Only one of fields 'EndTimeUtc' and 'Duration' can be set."},
        {R"({"number":22,"duration":"PT1H","endTimeUtc":"2026-01-31T13:00:00Z"})", "400 InvalidInitiateInput",
         "Only one of fields 'EndTimeUtc' and 'Duration' can be set."},
        {R"({"number":22,"duration":"PT1H","allowedSourceAddressPrefix":"2001:db8::1"})", "400 InvalidInitiateInput",
         "The provided access request contains a source IP address in IPv6 format, which is unsupported by "
         "Just-In-Time Network Access."},
        {R"({"number":22,"duration":"PT1H","allowedSourceAddressPrefix":"a","allowedSourceAddressPrefixes":["b"]})",
         "400 InvalidRequestContent", "virtualMachines[0].ports[0] has both"},
        {R"({"number":23,"duration":"PT1H"})", "400 RequestNotSubsetOfPolicy",
         "jitNetworkAccessPolicies/default'. Please make sure that the access request is within the allowed policy "
         "properties: port 23 is not in the policy of machine web01 (22)."},
        {R"({"number":22,"duration":"PT4H"})", "400 RequestNotSubsetOfPolicy",
         "properties: PT4H for port 22 is longer than the policy's PT3H."},
        {R"({"number":22,"duration":"1h"})", "400 InvalidRequestContent", "ports[0].duration '1h' is not a duration"},
        {R"({"number":22,"duration":60})", "400 InvalidRequestContent", "ports[0].duration is not a string"},
        {R"({"number":22,"endTimeUtc":"tomorrow"})", "400 InvalidRequestContent", "is not a time"},
        {R"({"number":0,"duration":"PT1H"})", "400 InvalidRequestContent", "is not a port, 1 to 65535"},
        {R"({"number":65536,"duration":"PT1H"})", "400 InvalidRequestContent", "is not a port"},
        {R"({"number":22.5,"duration":"PT1H"})", "400 InvalidRequestContent", "is not a port"},
        {R"({"number":"ssh","duration":"PT1H"})", "400 InvalidRequestContent", "is not a port"},
        {R"({"duration":"PT1H"})", "400 InvalidRequestContent", "ports[0].number is missing"},
        {"22", "400 InvalidRequestContent", "virtualMachines[0].ports is not an array of objects"},
    };
    for (const auto& row : rows) {
        const auto answer = asks(row.port);
        BOOST_TEST(outcome(answer) == row.outcome, row.port + (' ' + answer.body));
        if (answer.status != 202)
            BOOST_TEST(text_at(answer, "/error/message").find(row.message) != std::string::npos, answer.body);
    }
    BOOST_TEST(outcome(asks(rows[0].port, R"(,"justification":"a\u0000b")")) == "400 InvalidRequestContent");
    BOOST_TEST(outcome(asks(rows[0].port, R"(,"justification":7)")) == "400 InvalidRequestContent");
    for (const auto& body :
         std::vector<std::string>{"[]", "{}", "null", R"({"virtualMachines":[]})", R"({"virtualMachines":{}})",
                                  "{\"a\":\xff}", std::string(100, '[')}) {
        BOOST_TEST(outcome(send("POST", "requester", policy_path + "/initiate" + version, body)) ==
                       "400 InvalidRequestContent",
                   body);
    }
}

BOOST_AUTO_TEST_CASE(a_policy_that_cannot_be_is_refused_by_name) {
    const auto put = [&](const std::string& port) {
        return send(
            "PUT", "admin", policies_path + "/p" + version,
            R"({"properties":{"virtualMachines":[{"id":")" + machine_id("app01") + R"(","ports":[)" + port + "]}]}}");
    };
    const std::string sane = R"("allowedSourceAddressPrefix":"*","maxRequestAccessDuration":"PT3H")";
    const std::vector<std::pair<std::string, std::string>> rows{
        {R"({"number":22,"protocol":"",)" + sane + '}', "protocol '' is none of TCP, UDP and *"},
        {R"({"number":22,"protocol":"ICMP",)" + sane + '}', "protocol 'ICMP'"},
        {R"({"number":22,)" + sane + '}', "protocol is missing"},
        {R"({"number":22,"protocol":"*","allowedSourceAddressPrefix":"*"})", "maxRequestAccessDuration is missing"},
        {R"({"number":22,"protocol":"*","maxRequestAccessDuration":"PT3H"})", "needs allowedSourceAddressPrefix"},
        {R"({"number":22,"protocol":"*","allowedSourceAddressPrefix":"::1","maxRequestAccessDuration":"PT3H"})",
         "a source '::1' that is no IPv4 address"},
        {R"({"number":22,"protocol":"*","allowedSourceAddressPrefix":"*","maxRequestAccessDuration":"PT4M"})", "PT4M"},
        {R"({"number":22,"protocol":"*","allowedSourceAddressPrefix":"*","maxRequestAccessDuration":"P2D"})", "P2D"},
        {R"({"number":22,"protocol":"TCP",)" + sane + R"(},{"number":22,"protocol":"*",)" + sane + '}', "twice"},
        {"", "no ports"},
    };
    for (const auto& [port, message] : rows) {
        const auto answer = put(port);
        BOOST_TEST(answer.status == 400, port + answer.body);
        BOOST_TEST(text_at(answer, "/error/message").find(message) != std::string::npos, port + answer.body);
    }
    for (const char* body : {"{}", R"({"properties":{}})", R"({"properties":[]})",
                             R"({"properties":{"virtualMachines":[],"onExpiry":"cat"}})",
                             R"({"properties":{"virtualMachines":[{"ports":[]}]}})"}) {
        BOOST_TEST(outcome(send("PUT", "admin", policies_path + "/p" + version, body)) == "400 InvalidRequestContent",
                   body);
    }
    const auto unknown = send("PUT", "admin", policies_path + "/p" + version,
                              R"({"properties":{"virtualMachines":[{"id":")" + machine_id("web99") +
                                  R"(","ports":[{"number":22,"protocol":"TCP",)" + sane + "}]}]}}");
    BOOST_TEST(text_at(unknown, "/error/message").find("contains non-existent virtual machines") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
