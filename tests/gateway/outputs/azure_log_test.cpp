#include "gateway/outputs/azure_log.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/support/captured.hpp"
#include "tests/support/pipeline_bench.hpp"

namespace azure_log_test {

using captures::base::AddressRange;
using captures::base::Protocol;
using gateway::pipeline::Vantage;
using namespace support;
using namespace std::chrono_literals;
namespace json = boost::json;

/// A firewall whose log is read back line by line.
class LoggedLab {
public:
    explicit LoggedLab(const gateway::config::Config& config = lab(), Vantage vantage = Vantage::both)
        : output_{captures::file::OutputBuffer::create(path_).value()},
          log_{*output_, "/subscriptions/20ff7fc3/resourceGroups/lab/providers/Microsoft.Network/azureFirewalls/fw"},
          tables_{gateway::pipeline::Tables::build(config).value()},
          pipeline_{tables_, doors_, {.vantage = vantage, .limits = config.limits}} {
        doors_.guard(Where{"10.1.0.4:22"}.endpoint, Protocol::tcp);
    }

    LoggedLab& pass(OwnedFrame owned) {
        auto frame = owned.frame();
        frame.number = ++number_;
        pipeline_.process({&frame, 1}, log_);
        return *this;
    }
    LoggedLab& pass(const PacketBuilder& packet) { return pass(packet.build()); }

    [[nodiscard]] std::vector<json::value> envelopes() {
        pipeline_.finish(log_);
        BOOST_REQUIRE_EQUAL(output_->close(), "");
        std::ifstream file{path_};
        std::vector<json::value> parsed;
        for (std::string line; std::getline(file, line);) parsed.push_back(json::parse(line));
        return parsed;
    }

    /// `category` and `properties` of each record, as the table has its columns.
    [[nodiscard]] std::vector<std::pair<std::string, json::value>> records() {
        std::vector<std::pair<std::string, json::value>> all;
        for (const auto& envelope : envelopes()) {
            const auto& record = envelope.at("records").as_array().at(0);
            all.emplace_back(record.at("category").as_string().c_str(), record.at("properties"));
        }
        return all;
    }

private:
    ScratchFolder folder_;
    std::string path_ = folder_.file("azure.jsonl");
    std::unique_ptr<captures::file::OutputBuffer> output_;
    gateway::outputs::AzureLog log_;
    std::shared_ptr<const gateway::pipeline::Tables> tables_;
    policy::Doors doors_;
    gateway::pipeline::Pipeline pipeline_;
    std::uint64_t number_ = 0;
};

/// A record is exactly this: no column more, no column less, numbers as numbers.
void expect(const std::pair<std::string, json::value>& record, std::string_view category, std::string_view properties) {
    BOOST_TEST(record.first == category);
    const auto expected = json::parse({properties.data(), properties.size()});
    BOOST_TEST((record.second == expected), json::serialize(record.second) << " is not " << json::serialize(expected));
}

PacketBuilder web() { return tcp("198.51.100.7:40000", "203.0.113.10:8080"); }
PacketBuilder from_web() { return tcp("10.1.0.4:80", "10.0.1.5:40000").inside(); }

policy::NetworkRule deny(std::string_view destination) {
    policy::NetworkRule rule;
    rule.collection = "denied";
    rule.name = "no-db";
    rule.group = "network-group";
    rule.firewall_policy = "hub-policy";
    rule.protocols = {Protocol::tcp};
    rule.sources = {AddressRange::any()};
    rule.destinations = {AddressRange::parse(destination).value()};
    rule.destination_ports = {{}};
    return rule;
}

constexpr auto syn_of_web = R"({"Protocol":"TCP","SourceIp":"198.51.100.7","SourcePort":40000,
    "DestinationIp":"203.0.113.10","DestinationPort":8080,"TranslatedIp":"10.1.0.4","TranslatedPort":80,
    "Policy":"","RuleCollectionGroup":"","RuleCollection":"inbound","Rule":"web"})";

}  // namespace azure_log_test

BOOST_AUTO_TEST_SUITE(azure_log_test)

BOOST_AUTO_TEST_CASE(a_record_comes_in_the_envelope_of_event_hub_and_storage) {
    LoggedLab lab;
    const auto envelopes = lab.pass(web().syn().after(1234567890ns)).envelopes();
    BOOST_REQUIRE_EQUAL(envelopes.size(), 1U);
    const auto expected = json::value{
        {"records",
         json::array{{{"category", "AZFWNatRule"},
                      {"time", "2026-01-31T09:30:01.2345678Z"},
                      {"resourceId",
                       "/SUBSCRIPTIONS/20FF7FC3/RESOURCEGROUPS/LAB/PROVIDERS/MICROSOFT.NETWORK/AZUREFIREWALLS/FW"},
                      {"properties", json::parse(syn_of_web)}}}}};
    BOOST_TEST((envelopes[0] == expected), json::serialize(envelopes[0]) << " is not " << json::serialize(expected));
}

BOOST_AUTO_TEST_CASE(a_flow_has_one_nat_rule_record_and_later_packets_none) {
    LoggedLab lab;
    const auto records = lab.pass(web().syn().seq(1000))
                             .pass(web().syn().seq(1000))  // sent again
                             .pass(udp("198.51.100.7:5000", "203.0.113.10:53").payload("q"))
                             .pass(udp("10.1.0.4:53", "10.0.1.5:5000").payload("a").inside())
                             .records();
    BOOST_REQUIRE_EQUAL(records.size(), 2U);
    expect(records[0], "AZFWNatRule", syn_of_web);
    expect(records[1], "AZFWNatRule", R"({"Protocol":"UDP","SourceIp":"198.51.100.7","SourcePort":5000,
        "DestinationIp":"203.0.113.10","DestinationPort":53,"TranslatedIp":"10.1.0.4","TranslatedPort":53,
        "Policy":"","RuleCollectionGroup":"","RuleCollection":"inbound","Rule":"dns"})");
}

BOOST_AUTO_TEST_CASE(a_rule_of_a_policy_is_named_with_its_group_and_any_characters) {
    auto config = lab();
    nat_rule(config, "web").name = {.collection = "in \"bound\"", .rule = "wéb\\1", .group = "grp\n", .policy = "pol"};
    LoggedLab lab{config};
    const auto records = lab.pass(web().syn()).records();
    BOOST_REQUIRE_EQUAL(records.size(), 1U);
    const auto& columns = records[0].second;
    BOOST_TEST(columns.at("Policy").as_string() == "pol");
    BOOST_TEST(columns.at("RuleCollectionGroup").as_string() == "grp\n");
    BOOST_TEST(columns.at("RuleCollection").as_string() == "in \"bound\"");
    BOOST_TEST(columns.at("Rule").as_string() == "wéb\\1");
}

BOOST_AUTO_TEST_CASE(the_firewall_logs_dnat_also_where_an_nsg_behind_it_denies) {
    LoggedLab lab;
    const auto records = lab.pass(tcp("198.51.100.7:40000", "203.0.113.10:50080").syn()).records();
    BOOST_REQUIRE_EQUAL(records.size(), 1U);
    expect(records[0], "AZFWNatRule", R"({"Protocol":"TCP","SourceIp":"198.51.100.7","SourcePort":40000,
        "DestinationIp":"203.0.113.10","DestinationPort":50080,"TranslatedIp":"10.1.0.6","TranslatedPort":80,
        "Policy":"","RuleCollectionGroup":"","RuleCollection":"inbound","Rule":"app-web"})");
}

BOOST_AUTO_TEST_CASE(a_source_that_no_nat_rule_admits_meets_the_default_action) {
    LoggedLab lab;
    const auto records = lab.pass(tcp("198.51.100.7:40000", "203.0.113.10:5432").syn()).records();
    BOOST_REQUIRE_EQUAL(records.size(), 1U);
    expect(records[0], "AZFWNetworkRule", R"({"Protocol":"TCP","SourceIp":"198.51.100.7","SourcePort":40000,
        "DestinationIp":"203.0.113.10","DestinationPort":5432,"Action":"Deny","ActionReason":"Default Action",
        "Policy":"","RuleCollectionGroup":"","RuleCollection":"","Rule":""})");
}

BOOST_AUTO_TEST_CASE(a_network_rule_that_denies_is_named_and_is_the_reason) {
    constexpr auto named = R"({"Protocol":"TCP","SourceIp":"198.51.100.7","SourcePort":40000,
        "DestinationIp":"203.0.113.10","DestinationPort":5432,"Action":"Deny","ActionReason":"",
        "Policy":"hub-policy","RuleCollectionGroup":"network-group","RuleCollection":"denied","Rule":"no-db"})";
    auto config = lab();
    config.network_rules = policy::NetworkRules{{deny("203.0.113.10")}};
    LoggedLab no_nat_rule{config};
    const auto unmatched = no_nat_rule.pass(tcp("198.51.100.7:40000", "203.0.113.10:5432").syn()).records();
    BOOST_REQUIRE_EQUAL(unmatched.size(), 1U);
    expect(unmatched[0], "AZFWNetworkRule", named);

    config.network_rules = policy::NetworkRules{{deny("10.1.0.5")}};
    config.firewall.network_deny_overrides = true;
    nat_rule(config, "db").sources = {AddressRange::any()};
    LoggedLab overruled{config};
    const auto records = overruled.pass(tcp("198.51.100.7:40000", "203.0.113.10:5432").syn()).records();
    BOOST_REQUIRE_EQUAL(records.size(), 1U);
    expect(records[0], "AZFWNetworkRule", named);
}

BOOST_AUTO_TEST_CASE(a_connection_leaves_a_trace_of_its_flags_each_as_it_came_to_the_firewall) {
    LoggedLab lab;
    const auto records = lab.pass(web().syn().seq(1000))
                             .pass(from_web().syn().ack(1001).seq(5000))
                             .pass(web().ack(5001).seq(1001))
                             .pass(web().psh().ack(5001).seq(1001).payload("bye"))
                             .pass(web().fin().ack(5001).seq(1004))
                             .pass(from_web().fin().ack(1005).seq(5001))
                             .pass(web().ack(5002).seq(1005))
                             .records();
    BOOST_REQUIRE_EQUAL(records.size(), 4U);
    expect(records[0], "AZFWNatRule", syn_of_web);
    expect(records[1], "AZFWFlowTrace", R"({"Protocol":"TCP","SourceIp":"10.1.0.4","SourcePort":80,
        "DestinationIp":"10.0.1.5","DestinationPort":40000,"Flag":"SYN-ACK","Action":"Log",
        "ActionReason":"Additional TCP Log"})");
    expect(records[2], "AZFWFlowTrace", R"({"Protocol":"TCP","SourceIp":"198.51.100.7","SourcePort":40000,
        "DestinationIp":"203.0.113.10","DestinationPort":8080,"Flag":"FIN-ACK","Action":"Log",
        "ActionReason":"Additional TCP Log"})");
    expect(records[3], "AZFWFlowTrace", R"({"Protocol":"TCP","SourceIp":"10.1.0.4","SourcePort":80,
        "DestinationIp":"10.0.1.5","DestinationPort":40000,"Flag":"FIN-ACK","Action":"Log",
        "ActionReason":"Additional TCP Log"})");
}

BOOST_AUTO_TEST_CASE(a_reset_is_traced_with_and_without_acknowledgment) {
    for (const auto& reset : {web().rst().ack(5001).seq(1001), web().rst().seq(1001)}) {
        LoggedLab lab;
        const auto records = lab.pass(web().syn().seq(1000))
                                 .pass(from_web().syn().ack(1001).seq(5000))
                                 .pass(web().ack(5001).seq(1001))
                                 .pass(reset)
                                 .records();
        BOOST_REQUIRE_EQUAL(records.size(), 3U);
        expect(records[2], "AZFWFlowTrace", R"({"Protocol":"TCP","SourceIp":"198.51.100.7","SourcePort":40000,
            "DestinationIp":"203.0.113.10","DestinationPort":8080,"Flag":"RST","Action":"Log",
            "ActionReason":"Additional TCP Log"})");
    }
}

BOOST_AUTO_TEST_CASE(tcp_without_a_flow_is_traced_as_invalid_from_either_side) {
    LoggedLab lab;
    const auto records = lab.pass(web().ack(5001).seq(1001)).pass(from_web().ack(1001).seq(5001)).records();
    BOOST_REQUIRE_EQUAL(records.size(), 2U);
    expect(records[0], "AZFWFlowTrace", R"({"Protocol":"TCP","SourceIp":"198.51.100.7","SourcePort":40000,
        "DestinationIp":"203.0.113.10","DestinationPort":8080,"Flag":"INVALID","Action":"Log",
        "ActionReason":"Additional TCP Log"})");
    expect(records[1], "AZFWFlowTrace", R"({"Protocol":"TCP","SourceIp":"10.1.0.4","SourcePort":80,
        "DestinationIp":"10.0.1.5","DestinationPort":40000,"Flag":"INVALID","Action":"Log",
        "ActionReason":"Additional TCP Log"})");
}

BOOST_AUTO_TEST_CASE(a_reply_seen_outside_is_logged_as_the_firewall_got_it) {
    LoggedLab lab{support::lab(), Vantage::outside};
    const auto replied = tcp("203.0.113.10:8080", "198.51.100.7:40000");
    const auto records = lab.pass(web().syn().seq(1000))
                             .pass(PacketBuilder{replied}.syn().ack(1001).seq(5000).ttl(63))
                             .pass(tcp("203.0.113.10:8080", "198.51.100.7:40009").ack(1))  // never came through it
                             .records();
    BOOST_REQUIRE_EQUAL(records.size(), 2U);
    expect(records[1], "AZFWFlowTrace", R"({"Protocol":"TCP","SourceIp":"10.1.0.4","SourcePort":80,
        "DestinationIp":"10.0.1.5","DestinationPort":40000,"Flag":"SYN-ACK","Action":"Log",
        "ActionReason":"Additional TCP Log"})");
}

BOOST_AUTO_TEST_CASE(what_the_tables_have_no_record_of_leaves_none) {
    LoggedLab lab;
    const auto records = lab.pass(tcp("198.51.100.7:40000", "203.0.113.10:81").syn())      // no listener: Azure's front
                             .pass(tcp("198.51.100.7:40000", "203.0.113.10:50022").syn())  // no window
                             .pass(udp("10.1.0.4:53", "10.0.1.5:9").inside())              // an answer to nothing
                             .pass(arp("198.51.100.7", "198.51.100.1"))
                             .pass(ipv6())
                             .pass(web().fin().seq(1001))  // malformed: no TCP sends it without ACK
                             .records();
    BOOST_TEST(records.empty());
}

BOOST_AUTO_TEST_CASE(a_datagram_in_fragments_is_one_record) {
    LoggedLab lab;
    const auto query = udp("198.51.100.7:5000", "203.0.113.10:53").id(7).payload_size(2000);
    auto fragments = fragments_of(query, 1000);
    BOOST_REQUIRE_GE(fragments.size(), 2U);
    std::ranges::reverse(fragments);  // the first one comes last, the others wait
    for (auto& fragment : fragments) lab.pass(std::move(fragment));
    const auto records = lab.records();
    BOOST_REQUIRE_EQUAL(records.size(), 1U);
    BOOST_TEST(records[0].first == "AZFWNatRule");
    BOOST_TEST(records[0].second.at("SourcePort").as_int64() == 5000);
}

BOOST_AUTO_TEST_SUITE_END()
