#include <boost/algorithm/string/replace.hpp>
#include <set>

#include "tests/support/api_lab.hpp"

namespace api_ways_test {

// Where a window leads, as the API tells it: an address and a port that belong together, or none.

using namespace support;
using namespace std::chrono_literals;

const std::string v1 = "/portcullis/v1";

struct WaysLab : ApiLab {
    void use(const std::string& jit) {
        std::string toml = service_lab_toml;
        boost::replace_all(toml, R"(public_ips = ["203.0.113.10"])",
                           R"(public_ips = ["203.0.113.10", "203.0.113.11"])");
        boost::replace_all(toml, R"("PT3H" } ])",
                           R"("PT3H" }, { number = 8080, protocol = "TCP", allowed_source_address_prefix = "*", )"
                           R"(max_request_access_duration = "PT1H" } ])");
        restart(noon, toml + R"(
[[nat_rule_collection]]
name = "more"
priority = 300
  [[nat_rule_collection.rule]]
  name = "web-8080"
  protocols = ["TCP"]
  source_addresses = ["*"]
  destination_addresses = ["203.0.113.11"]
  destination_ports = ["8080"]
  translated_address = "10.1.0.4"
  translated_port = "8080"
)" + jit);
    }
    [[nodiscard]] std::string public_ip(const std::string& who) {
        return text_at(get(who, policy_path + version), "/properties/virtualMachines/0/publicIpAddress");
    }
};

}  // namespace api_ways_test

BOOST_FIXTURE_TEST_SUITE(api_ways_test, WaysLab)

BOOST_AUTO_TEST_CASE(a_policy_tells_one_address_where_it_is_that_of_all_windows_and_else_none) {
    use("");
    BOOST_TEST(public_ip("requester") == "null");
    BOOST_TEST(public_ip("reader") == "null");  // which of the firewall's two it would be, nobody knows
    open("requester", "web01", 8080);
    BOOST_TEST(public_ip("requester") == "203.0.113.11");
    open("requester", "web01", 22);
    BOOST_TEST(public_ip("requester") == "null");
    BOOST_TEST(public_ip("reader") == "null");
}

BOOST_AUTO_TEST_CASE(a_window_that_nothing_leads_to_is_told_without_an_address) {
    use("[jit]\nmapped_ports = \"\"\n");
    BOOST_TEST(outcome(open("requester", "db01", 3389)) == "202");
    for (const auto& who : {"requester", "reader"}) {
        const auto told = get(who, v1 + "/connections?machine=db01");
        BOOST_TEST(outcome(told) == "200");
        BOOST_TEST(text_at(told, "/value/0/machine") == "db01");
        BOOST_TEST(text_at(told, "/value/0/publicIpAddress") == "null");
        BOOST_TEST(text_at(told, "/value/0/command") == "null");
    }
    const auto longer = send("POST", "requester", v1 + "/extend",
                             R"({"machine":"db01","port":3389,"duration":"PT1H"})");
    BOOST_TEST(outcome(longer) == "200");
    BOOST_TEST(longer.body.find("0.0.0.0") == std::string::npos, longer.body);
    BOOST_TEST(text_at(longer, "/mappedPort") == "null");
    BOOST_TEST(outcome(get("requester", v1 + "/machines/db01/rdp")) == "404 AccessRequestNotFound");
}

BOOST_AUTO_TEST_CASE(a_request_that_is_over_tells_no_address_any_more) {
    use("");
    const auto opened = send("POST", "requester", v1 + "/requests",
                             R"({"machine":"web01","ports":[{"number":22,"duration":"PT1H"}]})");
    const auto target = v1 + "/requests/" + text_at(opened, "/id");
    BOOST_TEST(text_at(get("requester", target), "/machines/0/ports/0/mappedPort") == "50022");
    const auto over = get("requester", target, noon + 61min);
    BOOST_TEST(text_at(over, "/machines/0/ports/0/status") == "Revoked");
    BOOST_TEST(text_at(over, "/machines/0/ports/0/mappedPort") == "null");
    BOOST_TEST(text_at(over, "/machines/0/ports/0/command") == "null");
}

BOOST_AUTO_TEST_CASE(many_ports_in_one_request_get_ports_of_the_firewall_each_its_own) {
    std::string toml = service_lab_toml;
    std::string machines;
    std::string covered;
    for (int i = 0; i < 100; ++i) {
        const auto name = "vm" + std::to_string(1000 + i);
        machines += "[[virtual_machine]]\nname = \"" + name + "\"\nprivate_ip = \"10.2.0." + std::to_string(i + 1) +
                    "\"\n";
        covered += "  [[jit_policy.virtual_machine]]\n  name = \"" + name + "\"\n  ports = [ ";
        for (int port = 1; port <= 4; ++port) {
            covered += "{ number = " + std::to_string(port) +
                       R"(, protocol = "*", allowed_source_address_prefix = "*" }, )";
        }
        covered += "]\n";
    }
    restart(noon, machines + toml + "[[jit_policy]]\nname = \"many\"\n" + covered +
                      "[jit]\nmapped_ports = \"50020-50421\"\n");
    std::string wanted;
    for (int i = 0; i < 100; ++i) {
        wanted += (i == 0 ? "" : ",") + (R"({"id":")" + machine_id("vm" + std::to_string(1000 + i)) + R"(","ports":[)");
        for (int port = 1; port <= 4; ++port) {
            wanted += (port == 1 ? "" : ",") + (R"({"number":)" + std::to_string(port) + R"(,"duration":"PT1H"})");
        }
        wanted += "]}";
    }
    // 402 ports, of which two are NAT rules'.
    const auto target = policies_path + "/many/initiate" + version;
    BOOST_TEST(outcome(send("POST", "requester", target, R"({"virtualMachines":[)" + wanted + "]}")) == "202");
    std::set<std::string> listeners;
    const auto told = get("requester", v1 + "/connections");
    const auto values = part(told, "/value").as_array();
    for (const auto& one : values) listeners.insert(boost::json::serialize(one.at("mappedPort")));
    BOOST_TEST(listeners.size() == 400U);
    BOOST_TEST(!listeners.contains("50022"));
    BOOST_TEST(outcome(open("requester", "db01", 3389)) == "409 MappedPortsExhausted");
}

BOOST_AUTO_TEST_SUITE_END()
