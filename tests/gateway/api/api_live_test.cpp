#include <boost/algorithm/string/replace.hpp>
#include <boost/json/array.hpp>

#include "gateway/config_file/load.hpp"
#include "tests/support/faulty_disk.hpp"
#include "tests/support/seeing_lab.hpp"

namespace api_live_test {

using namespace support;

const std::string v1 = "/portcullis/v1";

PacketBuilder syn(const std::string& client, const std::string& called = "203.0.113.10:50122") {
    return tcp(client, called).syn();
}

std::string flow_of(const std::string& client) {
    return R"({"protocol":"tcp","client":")" + client + R"(","called":"203.0.113.10:50122"})";
}

struct FaultySeeingLab : FaultyDisk, SeeingLab {};

}  // namespace api_live_test

BOOST_FIXTURE_TEST_SUITE(api_live_test, SeeingLab)

BOOST_AUTO_TEST_CASE(each_operation_needs_its_own_action_on_the_firewall) {
    struct Row {
        const char* method;
        std::string target;
        std::string body;
        const char* reader;
    };
    for (const auto& row : {Row{"GET", v1 + "/status", "", "200"}, Row{"GET", v1 + "/flows", "", "200"},
                            Row{"GET", v1 + "/decisions", "", "200"},
                            Row{"POST", v1 + "/flows/end", flow_of("198.51.100.7:40000"), "403 AuthorizationFailed"},
                            Row{"POST", v1 + "/reload", "", "403 AuthorizationFailed"}}) {
        for (const auto* const who : {"requester", "one", "nobody"}) {
            BOOST_TEST(outcome(send(row.method, who, row.target, row.body)) == "403 AuthorizationFailed", row.target);
        }
        BOOST_TEST(outcome(send(row.method, "reader", row.target, row.body)) == row.reader, row.target);
        BOOST_TEST(send(row.method, "admin", row.target, row.body).status != 403, row.target);
    }
}

BOOST_AUTO_TEST_CASE(status_tells_how_the_gateway_goes) {
    from_client(syn("198.51.100.7:40000"));
    const auto answer = get("reader", v1 + "/status");
    BOOST_TEST(text_at(answer, "/firewall") == "lab-fw");
    BOOST_TEST(text_at(answer, "/windowsOpen") == "0");
    BOOST_TEST(text_at(answer, "/live/interfaces/0/interface") == "outside0");
    BOOST_TEST(text_at(answer, "/live/interfaces/1/mac") == "02:00:00:00:00:01");
    BOOST_TEST(text_at(answer, "/live/packets/reasons/dnat") == "1");
    BOOST_TEST(text_at(answer, "/live/flows/active") == "1");
    BOOST_TEST(text_at(answer, "/live/interfaces/1/neighbours/0/state") == "incomplete");
    dependencies.live = nullptr;
    BOOST_TEST(text_at(get("reader", v1 + "/status"), "/live") == "null");
    BOOST_TEST(outcome(get("reader", v1 + "/flows")) == "409 NoLiveGateway");
    BOOST_TEST(outcome(get("reader", v1 + "/decisions")) == "409 NoLiveGateway");
}

BOOST_AUTO_TEST_CASE(flows_are_filtered_bounded_and_ended_and_the_audit_knows) {
    for (const auto* const client : {"198.51.100.7:40000", "198.51.100.8:40000", "192.0.2.1:40000"}) {
        from_client(syn(client));
    }
    const auto count = [&](const std::string& query) {
        return part(get("reader", v1 + "/flows" + query), "/value").as_array().size();
    };
    BOOST_TEST(count("") == 3U);
    BOOST_TEST(count("?client=198.51.100.0/24") == 2U);
    BOOST_TEST(count("?port=22&protocol=TCP&target=10.1.0.6") == 3U);
    BOOST_TEST(count("?protocol=udp") == 0U);
    BOOST_TEST(count("?window=1") == 0U);
    const auto page = get("reader", v1 + "/flows?limit=2");
    BOOST_TEST(part(page, "/value").as_array().size() == 2U);
    BOOST_TEST(text_at(page, "/more") == "true");
    for (const auto* const query : {"?client=x", "?target=10.1.0.0/16", "?port=0", "?protocol=icmp", "?limit=10001",
                                    "?clinet=198.51.100.7", "?window=-1"}) {
        BOOST_TEST(outcome(get("reader", v1 + "/flows" + query)) == "400 BadRequest", query);
    }
    BOOST_TEST(send("POST", "admin", v1 + "/flows/end", flow_of("192.0.2.1:40000")).status == 200);
    BOOST_TEST(count("") == 2U);
    BOOST_TEST(outcome(send("POST", "admin", v1 + "/flows/end", flow_of("192.0.2.1:40000"))) == "404 FlowNotFound");
    for (const auto* const body : {"", "{}", R"({"protocol":"tcp","client":"192.0.2.1","called":"203.0.113.10:1"})",
                                   R"({"protocol":"icmp","client":"192.0.2.1:1","called":"203.0.113.10:1"})"}) {
        BOOST_TEST(send("POST", "admin", v1 + "/flows/end", body).status == 400, body);
    }
    const auto activity = get("admin", v1 + "/activity").body;
    BOOST_TEST(activity.find("azureFirewalls/flows/delete") != std::string::npos);
    BOOST_TEST(activity.find("192.0.2.1:40000") != std::string::npos);
    BOOST_TEST(activity.find("3 flows told") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_told_that_the_audit_cannot_be, FaultySeeingLab) {
    from_client(syn("198.51.100.7:40000"));
    fails_to_sync = true;
    BOOST_TEST(outcome(SeeingLab::open("requester")) == "503 StoreUnavailable");
    BOOST_TEST(outcome(get("reader", v1 + "/flows")) == "503 StoreUnavailable");
    BOOST_TEST(outcome(get("reader", v1 + "/decisions")) == "503 StoreUnavailable");
    fails_to_sync = false;
    BOOST_TEST(get("reader", v1 + "/flows").status == 200);
    BOOST_TEST(get("admin", v1 + "/activity").body.find("1 flows told") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(decisions_come_from_the_first_look_on_with_what_a_line_of_a_capture_tells) {
    from_client(syn("198.51.100.7:40000"));
    const auto first = get("reader", v1 + "/decisions");
    BOOST_TEST(part(first, "/decisions").as_array().empty());
    from_client(syn("198.51.100.7:40001"));
    from_client(syn("198.51.100.7:40002", "203.0.113.10:50022"));
    const auto since = v1 + "/decisions?from=" + text_at(first, "/next");
    BOOST_TEST(comes_true([&] { return part(get("reader", since), "/decisions").as_array().size() == 2; }));
    const auto both = get("reader", since);
    BOOST_TEST(text_at(both, "/decisions/0/from") == "198.51.100.7:40001");
    BOOST_TEST(text_at(both, "/decisions/0/out_to") == "10.1.0.6:22");
    BOOST_TEST(text_at(both, "/decisions/0/protocol") == "tcp");
    BOOST_TEST(text_at(both, "/decisions/0/flags") == "S");
    BOOST_TEST(text_at(both, "/decisions/1/reason") == "jit-closed");
    BOOST_TEST(text_at(both, "/missed") == "0");
    const auto count = [&](const std::string& filter) {
        return part(get("reader", since + filter), "/decisions").as_array().size();
    };
    BOOST_TEST(count("&fate=drop") == 1U);
    BOOST_TEST(count("&reason=dnat&side=outside") == 1U);
    BOOST_TEST(count("&side=inside") == 0U);
    BOOST_TEST(count("&address=10.1.0.6&port=22&protocol=tcp") == 1U);
    BOOST_TEST(count("&limit=1") == 1U);
    for (const auto* const wrong : {"&fate=lost", "&reason=because", "&side=left", "&protocol=ip", "&address=10.1.0",
                                    "&port=x", "&limit=9999", "&form=1"}) {
        BOOST_TEST(outcome(get("reader", since + wrong)) == "400 BadRequest", wrong);
    }
    BOOST_TEST(get("admin", v1 + "/activity").body.find("watches decisions") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_reload_tells_what_it_changed_and_flows_of_removed_rules_end) {
    from_client(syn("198.51.100.7:40000"));
    const std::string before = service_lab_toml;
    write_config(
        boost::replace_first_copy(before, "destination_ports = [\"50122\"]", "destination_ports = [\"50123\"]"));
    const auto answer = send("POST", "admin", v1 + "/reload");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(text_at(answer, "/changes/0/name") == "inbound/ssh-app01");
    BOOST_TEST(text_at(answer, "/changes/0/what") == "changed");
    BOOST_TEST(part(answer, "/changes").as_array().size() == 1U);
    BOOST_TEST(live->flows({}).empty());
    const auto activity = get("admin", v1 + "/activity").body;
    BOOST_TEST(activity.find("the configuration was read anew, 1 changes") != std::string::npos);
    BOOST_TEST(text_at(send("POST", "admin", v1 + "/reload"), "/changes") == "[]");
}

BOOST_AUTO_TEST_CASE(a_reload_without_the_policy_closes_the_mapped_port_of_its_window) {
    BOOST_TEST(open("requester", "db01", 3389).status == 202);
    from_client(syn("198.51.100.7:40000", "203.0.113.10:50000"));
    BOOST_TEST(live->flows({}).size() == 1U);
    const std::string before = service_lab_toml;
    const auto begin = before.find("[[jit_policy]]");
    write_config(before.substr(0, begin) + before.substr(before.find("[[principal]]")));
    BOOST_TEST(send("POST", "admin", v1 + "/reload").status == 200);
    from_client(syn("198.51.100.7:40001", "203.0.113.10:50000"));
    BOOST_TEST(live->flows({}).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_reload_tells_of_policies_in_effect_and_not_of_the_files_that_the_stores_stand_for) {
    BOOST_REQUIRE(control->put_policy(caller("admin"), "default", {}, noon));
    std::string toml = service_lab_toml;
    toml.replace(toml.find("PT3H"), 4, "PT2H");
    const auto changes = control->reload(gateway::config_file::parse_config(toml + live_lab_toml, "lab.toml")->config,
                                         nullptr, noon);
    BOOST_REQUIRE(changes);
    BOOST_TEST(changes->empty());
}

BOOST_AUTO_TEST_CASE(a_bad_configuration_is_refused_with_all_its_mistakes_and_the_old_one_stays) {
    from_client(syn("198.51.100.7:40000"));
    const std::string before = service_lab_toml;
    write_config(before + "[[virtual_machine]]\nname = \"x\"\nprivate_ip = \"10.1.0\"\n[nonsense]\n");
    const auto answer = send("POST", "admin", v1 + "/reload");
    BOOST_TEST(outcome(answer) == "400 InvalidConfiguration");
    BOOST_TEST(part(answer, "/error/details").as_array().size() == 2U);
    BOOST_TEST(text_at(answer, "/error/details/0/target").find("lab.toml:") != std::string::npos);
    BOOST_TEST(part(answer, "/error/details/0/line").to_number<int>() > 0);
    BOOST_TEST(live->flows({}).size() == 1U);
    BOOST_TEST(get("admin", v1 + "/activity").body.find("InvalidConfiguration") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_only_a_start_changes_is_told_and_stays) {
    write_config(std::string{service_lab_toml} +
                 "[limits]\nflows = 100\n[api]\nmax_connections = 100\nmax_connections_per_address = 7\n"
                 "requests_per_minute = 60\nrequest_timeout = \"5s\"\n"
                 "lab_sign_in = { principal = \"requester@lab.example\" }\n");
    const auto answer = send("POST", "admin", v1 + "/reload");
    BOOST_TEST(answer.status == 200);
    // This lab's store is elsewhere than its file says.
    BOOST_TEST(text_at(answer, "/kept") == R"(["store.url","api.max_connections","api.max_connections_per_address",)"
                                           R"("api.requests_per_minute","api.request_timeout","[api.lab_sign_in]",)"
                                           R"("[limits]"])");
    BOOST_TEST(text_at(send("POST", "admin", v1 + "/reload"), "/kept/1") == "api.max_connections");  // still
}

BOOST_AUTO_TEST_SUITE_END()
