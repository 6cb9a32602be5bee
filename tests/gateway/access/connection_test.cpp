#include "gateway/access/connection.hpp"

#include <boost/test/unit_test.hpp>

namespace connection_test {

using captures::base::Endpoint;
using captures::base::Prefix;
using captures::base::Protocol;

const Endpoint ssh{{0x0a010004}, 22};
const captures::base::Ipv4Address firewall{0xcb00710a};
const captures::base::Ipv4Address private_address{0x0a000104};

dnat::NatRule rule(const std::string& name, const std::string& source, std::uint16_t port, Endpoint target = ssh) {
    dnat::NatRule rule;
    rule.name = {"inbound", name, {}, {}};
    rule.protocols = {Protocol::tcp};
    rule.sources = {Prefix::parse(source)->range()};
    rule.destination = firewall;
    rule.destination_ports = {{port, port}};
    rule.translated = target;
    return rule;
}

std::string way(std::vector<dnat::NatRule> rules, const std::vector<std::string>& sources,
                std::optional<Protocol> protocol = Protocol::tcp) {
    policy::AccessRecord record;
    record.port = 22;
    record.protocol = protocol;
    for (const auto& source : sources) record.sources.push_back(*Prefix::parse(source));
    const gateway::access::NatLookup ways{dnat::RuleTable::build(std::move(rules)).value(), private_address};
    const auto found = ways.find(ssh, record);
    return found ? found->rule + " " + to_string(found->listener) : "none";
}

}  // namespace connection_test

BOOST_AUTO_TEST_SUITE(connection_test)

BOOST_AUTO_TEST_CASE(the_rule_must_admit_every_source) {
    const std::vector rules{rule("office", "198.51.100.0/24", 50022), rule("all", "*", 50023)};
    BOOST_TEST(way(rules, {"198.51.100.7"}) == "inbound/office 203.0.113.10:50022");
    BOOST_TEST(way(rules, {"198.51.100.7", "192.0.2.1"}) == "inbound/all 203.0.113.10:50023");
    BOOST_TEST(way(rules, {"198.51.100.0/23"}) == "inbound/all 203.0.113.10:50023");
    BOOST_TEST(way({rule("office", "198.51.100.0/24", 50022)}, {"*"}) == "none");
}

BOOST_AUTO_TEST_CASE(an_earlier_rule_that_takes_some_of_them_elsewhere_is_in_the_way) {
    const Endpoint elsewhere{{0x0a010009}, 22};
    BOOST_TEST(way({rule("one", "198.51.100.7", 50022, elsewhere), rule("all", "*", 50022)}, {"198.51.100.0/24"}) ==
               "none");
    BOOST_TEST(way({rule("one", "198.51.100.7", 50022, elsewhere), rule("all", "*", 50022)}, {"198.51.100.8"}) ==
               "inbound/all 203.0.113.10:50022");
}

BOOST_AUTO_TEST_CASE(
    a_rule_that_listens_on_several_ports_leads_by_the_first_that_is_free_and_stands_in_the_way_of_later_ones) {
    const Endpoint elsewhere{{0x0a010009}, 22};
    auto wide = rule("wide", "*", 50022);
    wide.destination_ports = {{50022, 50024}};
    BOOST_TEST(way({rule("one", "*", 50022, elsewhere), wide}, {"192.0.2.1"}) == "inbound/wide 203.0.113.10:50023");
    wide.translated = elsewhere;
    BOOST_TEST(way({wide, rule("one", "*", 50023)}, {"192.0.2.1"}) == "none");
    BOOST_TEST(way({rule("one", "*", 50023), wide}, {"192.0.2.1"}) == "inbound/one 203.0.113.10:50023");
}

BOOST_AUTO_TEST_CASE(a_rule_on_the_private_address_leads_only_where_no_other_does) {
    auto inner = rule("inner", "*", 2200);
    inner.destination = private_address;
    BOOST_TEST(way({inner, rule("outer", "*", 2201)}, {"198.51.100.7"}) == "inbound/outer 203.0.113.10:2201");
    BOOST_TEST(way({inner, rule("outer", "192.0.2.1", 2201)}, {"198.51.100.7"}) == "inbound/inner 10.0.1.4:2200");
}

BOOST_AUTO_TEST_CASE(the_protocol_counts) {
    BOOST_TEST(way({rule("all", "*", 50022)}, {"192.0.2.1"}, Protocol::udp) == "none");
    BOOST_TEST(way({rule("all", "*", 50022)}, {"192.0.2.1"}, {}) == "inbound/all 203.0.113.10:50022");
}

BOOST_AUTO_TEST_CASE(the_command_is_what_one_types_for_that_port) {
    const gateway::access::Connection to{{firewall, 50022}, Protocol::tcp, "inbound/all"};
    BOOST_TEST(connect_command(to, 22) == "ssh -p 50022 USER@203.0.113.10");
    BOOST_TEST(connect_command(to, 3389) == "mstsc /v:203.0.113.10:50022");
    BOOST_TEST(connect_command(to, 5985) == "203.0.113.10:50022");
    BOOST_TEST(rdp_file(to, "web01").starts_with("full address:s:203.0.113.10:50022\r\n"));
}

BOOST_AUTO_TEST_SUITE_END()
