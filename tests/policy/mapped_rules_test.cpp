#include "policy/mapped_rules.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <vector>

namespace mapped_rules_test {

using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::base::Prefix;
using captures::base::Protocol;
using policy::MappedRules;

constexpr policy::Protocols tcp{.tcp = true};
constexpr policy::Protocols udp{.udp = true};
constexpr policy::Protocols both{.tcp = true, .udp = true};
constexpr Endpoint listener{{0xcb00710a}, 50000};
constexpr Endpoint other{{0xcb00710a}, 50001};
constexpr Endpoint web_ssh{{0x0a010004}, 22};
constexpr Endpoint db_ssh{{0x0a010005}, 22};

std::vector<Prefix> source(std::string_view text) { return {Prefix::parse(text).value()}; }

struct Lab {
    MappedRules rules;

    Lab() {
        rules.add(listener, web_ssh);
        rules.add(other, db_ssh);
    }

    [[nodiscard]] auto match(std::string_view from, Endpoint called = listener,
                             Protocol protocol = Protocol::tcp) const {
        return rules.match({{{Ipv4Address::parse(from).value(), 40000}, called, protocol}});
    }
};

}  // namespace mapped_rules_test

BOOST_FIXTURE_TEST_SUITE(mapped_rules_test, Lab)

BOOST_AUTO_TEST_CASE(without_a_window_a_mapped_port_does_not_even_listen) {
    BOOST_TEST(!match("198.51.100.7").listening);
    BOOST_TEST(!MappedRules{}.match({{{{1}, 1}, listener, Protocol::tcp}}).listening);
    BOOST_TEST(rules.find(listener).value() == 0U);
    BOOST_TEST(rules.find(other).value() == 1U);
    BOOST_TEST(!rules.find({{0xcb00710a}, 50002}));
}

BOOST_AUTO_TEST_CASE(a_window_lets_its_sources_in_and_changes_no_other_rule) {
    rules.open(listener, tcp, source("198.51.100.0/24"));
    BOOST_TEST(match("198.51.100.7").rule.value() == 0U);
    BOOST_TEST((match("198.51.100.7").target == web_ssh));
    BOOST_TEST(match("198.51.101.7").listening);
    BOOST_TEST(!match("198.51.101.7").rule);
    BOOST_TEST(!match("198.51.100.7", listener, Protocol::udp).listening);
    BOOST_TEST(!match("198.51.100.7", other).listening);
    rules.close(listener, tcp, source("198.51.100.0/24"));
    BOOST_TEST(!match("198.51.100.7").listening);
}

BOOST_AUTO_TEST_CASE(what_several_windows_let_in_stays_until_the_last_of_them_ends) {
    rules.open(listener, tcp, source("198.51.100.7"));
    rules.open(listener, tcp, source("198.51.100.7"));
    rules.open(listener, udp, source("0.0.0.0/0"));
    BOOST_TEST(match("192.0.2.1").rule.has_value());  // windows say for which protocol
    rules.close(listener, udp, source("0.0.0.0/0"));
    BOOST_TEST(!match("192.0.2.1").rule);
    rules.close(listener, tcp, source("198.51.100.7"));
    BOOST_TEST(match("198.51.100.7").rule.has_value());
    rules.close(listener, tcp, source("198.51.100.7"));
    BOOST_TEST(!match("198.51.100.7").listening);
}

BOOST_AUTO_TEST_CASE(a_window_for_both_protocols_listens_for_both) {
    rules.open(listener, both, source("198.51.100.7"));
    BOOST_TEST(match("198.51.100.7", listener, Protocol::tcp).rule.has_value());
    BOOST_TEST(match("198.51.100.7", listener, Protocol::udp).rule.has_value());
}

BOOST_AUTO_TEST_CASE(a_window_on_an_unknown_listener_changes_nothing) {
    const Endpoint unknown{{0xcb00710a}, 50002};
    rules.open(unknown, both, source("0.0.0.0/0"));
    BOOST_TEST(!match("198.51.100.7", unknown).listening);
    rules.close(unknown, both, source("0.0.0.0/0"));
    BOOST_TEST(rules.size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
