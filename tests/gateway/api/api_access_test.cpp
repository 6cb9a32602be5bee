#include <boost/json/array.hpp>

#include "gateway/api/json_access.hpp"
#include "tests/support/api_lab.hpp"

namespace api_access_test {

using namespace std::chrono_literals;
using namespace support;

const std::string v1 = "/portcullis/v1";

std::string wants(const std::string& machine, int port, const std::string& more = "") {
    return R"({"machine":")" + machine + R"(","ports":[{"number":)" + std::to_string(port) + R"(,"duration":"PT1H"}])" +
           more + '}';
}

}  // namespace api_access_test

BOOST_FIXTURE_TEST_SUITE(api_access_test, ApiLab)

BOOST_AUTO_TEST_CASE(a_request_tells_where_to_connect_and_can_be_asked_for_again) {
    const auto answer = send("POST", "requester", v1 + "/requests",
                             wants("web01", 22, R"(,"justification":"patching")"));
    BOOST_TEST(outcome(answer) == "202");
    const auto id = text_at(answer, "/id");
    BOOST_TEST(
        answer.body ==
        R"({"id":")" + id +
            R"(","requestor":"requester@lab.example","justification":"patching","startTimeUtc":"2026-01-31T12:00:00.0000000Z",)"
            R"("machines":[{"machine":"web01","ports":[{"number":22,"protocol":"TCP","allowedSourceAddressPrefixes":["198.51.100.7"],)"
            R"("endTimeUtc":"2026-01-31T13:00:00.0000000Z","status":"Initiated","statusReason":"UserRequested",)"
            R"("publicIpAddress":"203.0.113.10","mappedPort":50022,"command":"ssh -p 50022 USER@203.0.113.10"}]}]})");
    BOOST_TEST(get("requester", v1 + "/requests/" + id).body == answer.body);
    BOOST_TEST(get("admin", v1 + "/requests/" + id).body == answer.body);
    const auto others = get("second", v1 + "/requests/" + id);
    BOOST_TEST(outcome(others) == "404 AccessRequestNotFound");
    BOOST_TEST(others.body == get("second", v1 + "/requests/00000000-0000-0000-0000-000000000000").body);
    BOOST_TEST(text_at(get("requester", v1 + "/requests/" + id, noon + 2h), "/machines/0/ports/0/status") == "Revoked");
}

BOOST_AUTO_TEST_CASE(a_machine_is_named_or_given_by_its_id) {
    BOOST_TEST(outcome(send("POST", "requester", v1 + "/requests", wants("WEB01", 22))) == "202");
    BOOST_TEST(outcome(send("POST", "requester", v1 + "/requests", wants(machine_id("web01"), 22))) == "202");
    BOOST_TEST(outcome(send("POST", "requester", v1 + "/requests", wants("/subscriptions/x/web01", 22))) ==
               "403 AuthorizationFailed");
    BOOST_TEST(outcome(send("POST", "requester", v1 + "/requests", wants("app01", 22))) ==
               "400 RequestNotSubsetOfPolicy");
}

BOOST_AUTO_TEST_CASE(a_repeated_request_opens_one_window_only) {
    const Headers id{{"x-ms-client-request-id", "id-1"}};
    const auto first = send("POST", "requester", v1 + "/requests", wants("web01", 22), id);
    const auto again = send("POST", "requester", v1 + "/requests", wants("web01", 22), id, noon + 1s);
    BOOST_TEST(text_at(first, "/id") == text_at(again, "/id"));
}

BOOST_AUTO_TEST_CASE(connections_are_told_as_text_as_they_are_told_as_values) {
    gateway::control_plane::ConnectionView plain;
    plain.record.machine = "web01";
    plain.record.port = 22;
    plain.connection = gateway::access::Connection{
        {{0xcb00710a}, 50022}, captures::base::Protocol::tcp, "inbound/ssh-web01"};
    auto odd = plain;
    odd.record.machine = "\"a\\b\"\n\t\x01\x1f\x7f\xc3\xa9/";
    odd.connection->rule = std::string{"nul\0", 4};
    auto nowhere = plain;
    nowhere.connection.reset();
    const std::vector<gateway::control_plane::ConnectionView> views{plain, odd, nowhere, plain};
    for (std::size_t count = 0; count <= views.size(); ++count) {
        boost::json::array values;
        for (std::size_t at = 0; at < count; ++at) {
            values.push_back(gateway::api::connection_json(views[at], control->config()));
        }
        const auto text = gateway::api::connections_text({views.data(), count}, control->config());
        boost::json::object wanted;
        wanted["value"] = std::move(values);
        BOOST_TEST(text == boost::json::serialize(wanted));
    }
}

BOOST_AUTO_TEST_CASE(connections_are_told_to_their_requestor_and_to_readers) {
    open("requester");
    const auto mine = get("requester", v1 + "/connections?machine=web01&port=22");
    BOOST_TEST(outcome(mine) == "200");
    const auto request = text_at(mine, "/value/0/requestId");
    BOOST_TEST(
        mine.body ==
        R"({"value":[{"machine":"web01","machineId":")" + machine_id("web01") +
            R"(","port":22,"protocol":"TCP","publicIpAddress":"203.0.113.10","mappedPort":50022,"rule":"inbound/ssh-web01",)"
            R"("command":"ssh -p 50022 USER@203.0.113.10","requestor":"requester@lab.example","requestId":")" +
            request +
            R"(","startTimeUtc":"2026-01-31T12:00:00.0000000Z","endTimeUtc":"2026-01-31T13:00:00.0000000Z","status":"Initiated"}]})");
    BOOST_TEST(get("reader", v1 + "/connections").body == mine.body);
    BOOST_TEST(outcome(get("second", v1 + "/connections?machine=web01")) == "404 ResourceNotFound");
    BOOST_TEST(text_at(get("second", v1 + "/connections"), "/value") == "[]");
    BOOST_TEST(text_at(get("requester", v1 + "/connections?machine=web01", noon + 1h), "/error/code") ==
               "ResourceNotFound");
    BOOST_TEST(outcome(get("requester", v1 + "/connections?port=0")) == "400 BadRequest");
    BOOST_TEST(outcome(get("requester", v1 + "/connections?mashine=web01")) == "400 BadRequest");
}

BOOST_AUTO_TEST_CASE(a_file_for_remote_desktop_is_an_attachment) {
    open("requester", "db01", 3389);
    const auto file = get("requester", v1 + "/machines/db01/rdp");
    BOOST_TEST(file.status == 200);
    BOOST_TEST(header_of(file, "Content-Type") == "application/x-rdp");
    BOOST_TEST(header_of(file, "Content-Disposition") == R"(attachment; filename="db01-3389.rdp")");
    BOOST_TEST(file.body.find("full address:s:203.0.113.10:5") != std::string::npos, file.body);
    BOOST_TEST(outcome(get("second", v1 + "/machines/db01/rdp")) == "404 ResourceNotFound");
    BOOST_TEST(outcome(get("reader", v1 + "/machines/web01/rdp")) == "404 AccessRequestNotFound");
}

BOOST_AUTO_TEST_CASE(a_window_is_extended_and_revoked_by_the_id_of_its_machine) {
    open("requester");
    const auto body = [](const std::string& machine, const std::string& more) {
        return R"({"machine":")" + machine + R"(","port":22)" + more + '}';
    };
    const std::string longer = R"(,"duration":"PT2H")";
    auto elsewhere = machine_id("web01");
    elsewhere.replace(elsewhere.find("/lab/"), 5, "/other/");
    for (const auto& other : {elsewhere, machine_id("web99"), std::string{"/"}, std::string{"/web01"}}) {
        BOOST_TEST(send("POST", "requester", v1 + "/extend", body(other, longer)).status >= 403, other);
        BOOST_TEST(send("POST", "requester", v1 + "/revoke", body(other, "")).status >= 403, other);
    }
    const auto extended = send("POST", "requester", v1 + "/extend", body(machine_id("WEB01"), longer));
    BOOST_TEST(outcome(extended) == "200");
    BOOST_TEST(text_at(extended, "/machine") == "web01");
    const auto revoked = send("POST", "requester", v1 + "/revoke", body(machine_id("web01"), ""));
    BOOST_TEST(outcome(revoked) == "200");
    BOOST_TEST(text_at(revoked, "/value/0/machine") == "web01");
}

BOOST_AUTO_TEST_CASE(a_window_is_extended_and_revoked) {
    open("requester");
    const auto longer = send("POST", "requester", v1 + "/extend", R"({"machine":"web01","port":22,"duration":"PT2H"})",
                             {}, noon + 30min);
    BOOST_TEST(outcome(longer) == "200");
    BOOST_TEST(text_at(longer, "/endTimeUtc") == "2026-01-31T14:30:00.0000000Z");
    BOOST_TEST(text_at(longer, "/mappedPort") == "50022");
    const auto revoked = send("POST", "requester", v1 + "/revoke", R"({"machine":"web01","port":22,"cut":true})", {},
                              noon + 40min);
    BOOST_TEST(outcome(revoked) == "200");
    BOOST_TEST(text_at(revoked, "/value/0/status") == "Revoked");
    BOOST_TEST(text_at(revoked, "/value/0/statusReason") == "UserRequested");
    BOOST_TEST(text_at(revoked, "/value/0/endTimeUtc") == "2026-01-31T12:40:00.0000000Z");
    BOOST_TEST(outcome(send("POST", "requester", v1 + "/revoke", R"({"machine":"web01","port":22})", {},
                            noon + 41min)) == "404 AccessRequestNotFound");
}

BOOST_AUTO_TEST_CASE(fields_that_are_not_known_are_refused_by_name) {
    const std::vector<std::pair<std::string, std::string>> rows{
        {"/requests", wants("web01", 22, R"(,"reason":"patching")")},
        {"/requests", R"({"machine":"web01","ports":[{"number":22,"duration":"PT1H","source":"192.0.2.1"}]})"},
        {"/extend", R"({"machine":"web01","port":22,"duration":"PT1H","until":"x"})"},
        {"/revoke", R"({"machine":"web01","port":22,"force":true})"},
        {"/machines/app01/enable", R"({"ports":"default","policy":"x"})"},
    };
    for (const auto& [path, body] : rows) {
        const auto answer = send("POST", "admin", v1 + path, body);
        BOOST_TEST(outcome(answer) == "400 InvalidRequestContent", body);
        BOOST_TEST(answer.body.find("has no field") != std::string::npos, answer.body);
    }
    for (const auto& [path, body] : std::vector<std::pair<std::string, std::string>>{
             {"/requests", "{}"},
             {"/extend", R"({"machine":"web01","port":22})"},
             {"/revoke", R"({"machine":1,"port":22})"},
             {"/revoke", R"({"machine":"web01","port":22,"cut":"yes"})"},
             {"/machines/app01/enable", R"({"ports":"all"})"},
             {"/machines/app01/enable", R"({"ports":[]})"},
             {"/extend", R"({"machine":"web01","port":22,"duration":"2h"})"}}) {
        BOOST_TEST(outcome(send("POST", "admin", v1 + path, body)) == "400 InvalidRequestContent", body);
    }
}

BOOST_AUTO_TEST_CASE(a_machine_is_put_under_jit_with_the_recommended_ports_and_taken_out_again) {
    const auto enabled = send("POST", "admin", v1 + "/machines/app01/enable", R"({"ports":"recommended"})");
    BOOST_TEST(outcome(enabled) == "200");
    std::string numbers;
    const auto ports = part(enabled, "/properties/virtualMachines/2/ports");
    for (const auto& port : ports.as_array()) {
        numbers += boost::json::serialize(port.at("number")) + ' ';
        BOOST_TEST(port.at("protocol") == "*");
        BOOST_TEST(port.at("allowedSourceAddressPrefix") == "*");
        BOOST_TEST(port.at("maxRequestAccessDuration") == "PT3H");
    }
    BOOST_TEST(numbers == "22 3389 5985 5986 ");
    BOOST_TEST(outcome(send("POST", "admin", v1 + "/machines/app01/enable", R"({"ports":"default"})")) ==
               "409 AlreadyConfigured");
    const auto disabled = send("POST", "admin", v1 + "/machines/app01/disable");
    BOOST_TEST(outcome(disabled) == "200");
    BOOST_TEST(part(disabled, "/properties/virtualMachines").as_array().size() == 2U);
    const auto by_default = send("POST", "admin", v1 + "/machines/app01/enable", R"({"ports":"default"})");
    BOOST_TEST(text_at(by_default, "/properties/virtualMachines/2/ports/0/number") == "22");
    send("POST", "admin", v1 + "/machines/app01/disable");
    const auto own = send(
        "POST", "admin", v1 + "/machines/app01/enable",
        R"({"ports":[{"number":8443,"protocol":"TCP","allowedSourceAddressPrefix":"192.0.2.0/24","maxRequestAccessDuration":"PT1H"}]})");
    BOOST_TEST(text_at(own, "/properties/virtualMachines/2/ports/0/number") == "8443");
    BOOST_TEST(outcome(send("POST", "requester", v1 + "/machines/app01/disable")) == "403 AuthorizationFailed");
}

BOOST_AUTO_TEST_CASE(the_page_of_machines_tells_state_and_last_week) {
    open("requester");
    const auto page = get("reader", v1 + "/machines");
    BOOST_TEST(part(page, "/value").as_array().size() == 3U);
    BOOST_TEST(text_at(page, "/value/0/name") == "app01");
    BOOST_TEST(text_at(page, "/value/0/state") == "NotConfigured");
    BOOST_TEST(text_at(page, "/value/0/severity") == "High");
    BOOST_TEST(part(page, "/value/0/lastAccess").is_null());
    BOOST_TEST(text_at(page, "/value/2/state") == "Configured");
    BOOST_TEST(text_at(page, "/value/2/policy") == "default");
    BOOST_TEST(text_at(page, "/value/2/approvedRequests") == "1");
    BOOST_TEST(text_at(page, "/value/2/lastUser") == "requester@lab.example");
    BOOST_TEST(text_at(page, "/value/2/connections/0/mappedPort") == "50022");
}

BOOST_AUTO_TEST_CASE(activity_is_azures_log_newest_first_in_pages) {
    for (int i = 0; i < 3; ++i) open("requester");
    const auto page = get("admin", v1 + "/activity?limit=2&principal=Requester@lab.example");
    BOOST_TEST(outcome(page) == "200");
    BOOST_TEST(part(page, "/value").as_array().size() == 2U);
    BOOST_TEST(text_at(page, "/value/0/operationName/value") ==
               "Microsoft.Security/locations/jitNetworkAccessPolicies/initiate/action");
    BOOST_TEST(text_at(page, "/value/0/operationName/localizedValue") == "Initiate JIT Network Access Policy");
    BOOST_TEST(text_at(page, "/value/0/status/value") == "Accepted");
    BOOST_TEST(text_at(page, "/value/0/caller") == "requester@lab.example");
    BOOST_TEST(text_at(page, "/value/0/resourceGroupName") == "lab");
    BOOST_TEST(text_at(page, "/value/0/resourceType/value") == "Microsoft.Security/locations/jitNetworkAccessPolicies");
    BOOST_TEST(text_at(page, "/value/0/subscriptionId") == "20ff7fc3-e762-44dd-bd96-b71116dcdc23");
    BOOST_TEST(text_at(page, "/value/0/properties/machine") == "web01");
    const auto rest = get("admin", text_at(page, "/nextLink"));
    BOOST_TEST(part(rest, "/value").as_array().size() == 1U);
    BOOST_TEST(part(rest, "/nextLink").is_null());
    for (const auto* const bad :
         {"limit=0x", "limit=1001", "from=now", "to=2026", "format=xml", "$skiptoken=YWJj", "who=me"}) {
        BOOST_TEST(outcome(get("admin", v1 + "/activity?" + bad)) == "400 BadRequest", bad);
    }
    BOOST_TEST(text_at(get("admin", v1 + "/activity?to=2026-01-31T12:00:00Z"), "/value") == "[]");
}

BOOST_AUTO_TEST_CASE(activity_as_csv_has_the_portals_columns_and_no_formulas) {
    send("GET", "", "/=cmd%7C'calc'!A1,%22x%22", {},
         {{"x-ms-correlation-request-id", "00000000-0000-4000-8000-000000000001"}});
    open("requester");
    const auto csv = get("admin", v1 + "/activity?format=csv");
    BOOST_TEST(header_of(csv, "Content-Type") == "text/csv; charset=utf-8");
    BOOST_TEST(
        csv.body.starts_with("Correlation id,Operation name,Status,Event category,Level,Time,Subscription,Event "
                             "initiated by,Resource type,Resource group,Resource\r\n"));
    BOOST_TEST(csv.body.find("Initiate JIT Network Access Policy,Accepted,Administrative,Informational,"
                             "2026-01-31T12:00:00.0000000Z,20ff7fc3-e762-44dd-bd96-b71116dcdc23,requester@lab.example,"
                             "Microsoft.Security/locations/jitNetworkAccessPolicies,lab," +
                             policy_path + "\r\n") != std::string::npos,
               csv.body);
    BOOST_TEST(csv.body.find(",\"/=cmd|'calc'!A1,\"\"x\"\"\"\r\n") != std::string::npos, csv.body);
}

BOOST_AUTO_TEST_CASE(the_audit_is_told_whole_with_its_head) {
    for (int i = 0; i < 3; ++i) open("requester");
    const auto audit = get("admin", v1 + "/audit?limit=2");
    BOOST_TEST(part(audit, "/value").as_array().size() == 2U);
    BOOST_TEST(text_at(audit, "/value/0/sequence") == "1");
    BOOST_TEST(text_at(audit, "/value/0/time") == "2026-01-31T12:00:00.000000000Z");
    BOOST_TEST(text_at(audit, "/head/sequence") == "3");
    const auto rest = get("admin", v1 + "/audit?after=2");
    BOOST_TEST(text_at(rest, "/value/0/sequence") == "3");
    BOOST_TEST(text_at(rest, "/value/0/hash") == text_at(rest, "/head/hash"));
    BOOST_TEST(outcome(get("requester", v1 + "/audit")) == "403 AuthorizationFailed");
    BOOST_TEST(outcome(get("admin", v1 + "/audit?after=-1")) == "400 BadRequest");
}

BOOST_AUTO_TEST_SUITE_END()
