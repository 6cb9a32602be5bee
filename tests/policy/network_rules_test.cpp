#include "policy/network_rules.hpp"

#include <boost/test/unit_test.hpp>

namespace network_rules_test {

using captures::base::AddressRange;
using captures::base::Endpoint;
using captures::base::FiveTuple;
using captures::base::PortRange;
using captures::base::Protocol;
using policy::Access;
using policy::NetworkRule;
using policy::NetworkRules;

FiveTuple tuple(std::string_view from, std::string_view to, Protocol protocol = Protocol::tcp) {
    return {Endpoint::parse(from).value(), Endpoint::parse(to).value(), protocol};
}

NetworkRule rule(std::string name, Access access = Access::allow) {
    NetworkRule result;
    result.collection = "inbound";
    result.name = std::move(name);
    result.access = access;
    result.protocols = {Protocol::tcp};
    result.sources = {AddressRange::parse("198.51.100.0/24").value()};
    result.destinations = {AddressRange::parse("10.1.0.4-10.1.0.6").value()};
    result.destination_ports = {PortRange{22, 22}, PortRange{8000, 8010}};
    return result;
}

bool matches(const NetworkRule& rule, const FiveTuple& tuple) { return NetworkRules{{rule}}.match(tuple) != nullptr; }

}  // namespace network_rules_test

BOOST_AUTO_TEST_SUITE(network_rules_test)

BOOST_AUTO_TEST_CASE(a_rule_matches_where_all_four_of_its_lists_do) {
    struct Row {
        std::string_view from;
        std::string_view to;
        Protocol protocol;
        bool matches;
    };
    for (const auto& row : {
             Row{"198.51.100.0:1", "10.1.0.4:22", Protocol::tcp, true},
             Row{"198.51.100.255:65535", "10.1.0.6:8000", Protocol::tcp, true},
             Row{"198.51.100.7:40000", "10.1.0.5:8010", Protocol::tcp, true},
             Row{"198.51.100.7:40000", "10.1.0.5:22", Protocol::udp, false},
             Row{"198.51.99.255:40000", "10.1.0.5:22", Protocol::tcp, false},
             Row{"198.51.101.0:40000", "10.1.0.5:22", Protocol::tcp, false},
             Row{"198.51.100.7:40000", "10.1.0.3:22", Protocol::tcp, false},
             Row{"198.51.100.7:40000", "10.1.0.7:22", Protocol::tcp, false},
             Row{"198.51.100.7:40000", "10.1.0.5:23", Protocol::tcp, false},
             Row{"198.51.100.7:40000", "10.1.0.5:7999", Protocol::tcp, false},
             Row{"198.51.100.7:40000", "10.1.0.5:8011", Protocol::tcp, false},
             Row{"198.51.100.7:22", "10.1.0.5:9", Protocol::tcp, false},  // the source's port is not asked for
         }) {
        BOOST_TEST(matches(rule("r"), tuple(row.from, row.to, row.protocol)) == row.matches,
                   row.from << " to " << row.to);
    }
}

BOOST_AUTO_TEST_CASE(an_empty_list_matches_nothing) {
    const auto ssh = tuple("198.51.100.7:40000", "10.1.0.5:22");
    BOOST_TEST(matches(rule("r"), ssh));
    auto one = rule("no protocols");
    one.protocols.clear();
    BOOST_TEST(!matches(one, ssh));
    one = rule("no sources");
    one.sources.clear();
    BOOST_TEST(!matches(one, ssh));
    one = rule("no destinations");
    one.destinations.clear();
    BOOST_TEST(!matches(one, ssh));
    one = rule("no ports");
    one.destination_ports.clear();
    BOOST_TEST(!matches(one, ssh));
}

BOOST_AUTO_TEST_CASE(the_first_match_decides_whatever_it_says) {
    auto elsewhere = rule("elsewhere");
    elsewhere.destinations = {AddressRange::parse("10.9.9.9").value()};
    const NetworkRules rules{{elsewhere, rule("deny", Access::deny), rule("allow", Access::allow)}};
    const auto* decided = rules.match(tuple("198.51.100.7:40000", "10.1.0.5:22"));
    BOOST_REQUIRE(decided != nullptr);
    BOOST_TEST(decided->name == "deny");
    BOOST_TEST(decided == &rules.rules()[1]);
}

BOOST_AUTO_TEST_CASE(where_no_rule_matches_none_is_named) {
    BOOST_TEST(NetworkRules{{rule("r")}}.match(tuple("192.0.2.1:40000", "10.1.0.5:22")) == nullptr);
    BOOST_TEST(NetworkRules{}.match(tuple("198.51.100.7:40000", "10.1.0.5:22")) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
