#include "gateway/live/next_hop.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include "tests/support/packet_builder.hpp"

namespace next_hop_test {

using captures::base::Ipv4Address;
using captures::base::Prefix;
using gateway::live::Network;
using gateway::live::NextHops;
using gateway::live::StaticRoute;

Ipv4Address ip(std::string_view text) { return Ipv4Address::parse(text).value(); }

Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }

StaticRoute route(std::string_view destination, std::string_view via) { return {prefix(destination), ip(via)}; }

std::string text_of(std::optional<Ipv4Address> hop) { return hop ? to_string(*hop) : "unreachable"; }

struct Row {
    const char* destination;
    const char* hop;
};

void check_all(const Network& network, std::initializer_list<Row> rows) {
    const NextHops hops{network};
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT("to " << row.destination) BOOST_TEST(text_of(hops.of(ip(row.destination))) == row.hop);
    }
}

}  // namespace next_hop_test

BOOST_AUTO_TEST_SUITE(next_hop_test)

BOOST_AUTO_TEST_CASE(neighbours_are_reached_directly_and_others_by_the_longest_prefix) {
    const Network network{
        .address = ip("10.0.1.5"),
        .on_link = prefix("10.0.1.0/24"),
        .gateway = ip("10.0.1.1"),
        .routes = {route("10.0.0.0/8", "10.0.1.2"), route("10.2.0.0/16", "10.0.1.3"), route("10.2.3.0/24", "10.0.1.4"),
                   route("10.0.1.64/26", "10.0.1.6"), route("10.2.0.0/16", "10.0.1.7")}};
    check_all(network, {{"10.0.1.9", "10.0.1.9"},
                        {"10.0.1.1", "10.0.1.1"},
                        {"10.0.1.65", "10.0.1.6"},
                        {"10.0.2.9", "10.0.1.2"},
                        {"10.2.9.9", "10.0.1.3"},
                        {"10.2.3.9", "10.0.1.4"},
                        {"198.51.100.7", "10.0.1.1"}});
}

BOOST_AUTO_TEST_CASE(what_is_on_the_link_is_so_against_an_equal_route) {
    check_all(
        {.address = ip("10.0.1.5"), .on_link = prefix("10.0.1.0/24"), .routes = {route("10.0.1.0/24", "10.0.1.2")}},
        {{"10.0.1.9", "10.0.1.9"}});
}

BOOST_AUTO_TEST_CASE(a_static_default_route_goes_before_the_gateway) {
    check_all({.address = ip("10.0.1.5"),
               .on_link = prefix("10.0.1.0/24"),
               .gateway = ip("10.0.1.1"),
               .routes = {route("0.0.0.0/0", "10.0.1.2")}},
              {{"198.51.100.7", "10.0.1.2"}});
}

BOOST_AUTO_TEST_CASE(without_a_gateway_only_the_link_and_its_routes_are_reached) {
    check_all(
        {.address = ip("10.0.1.5"), .on_link = prefix("10.0.1.0/24"), .routes = {route("10.2.0.0/16", "10.0.1.3")}},
        {{"10.0.1.9", "10.0.1.9"}, {"10.2.0.1", "10.0.1.3"}, {"10.3.0.1", "unreachable"}});
}

BOOST_AUTO_TEST_CASE(addresses_that_no_single_host_has_are_unreachable) {
    check_all({.address = ip("10.0.1.5"), .on_link = prefix("10.0.1.0/24"), .gateway = ip("10.0.1.1")},
              {{"0.0.0.0", "unreachable"},
               {"0.1.2.3", "unreachable"},
               {"127.0.0.1", "unreachable"},
               {"224.0.0.1", "unreachable"},
               {"239.255.255.250", "unreachable"},
               {"240.0.0.1", "unreachable"},
               {"255.255.255.255", "unreachable"},
               {"10.0.1.0", "unreachable"},
               {"10.0.1.255", "unreachable"},
               {"10.0.1.5", "unreachable"},
               {"10.0.2.255", "10.0.1.1"}});
}

BOOST_AUTO_TEST_CASE(no_route_makes_a_broadcast_address_of_the_link_reachable) {
    check_all(
        {.address = ip("10.0.1.5"), .on_link = prefix("10.0.1.0/24"), .routes = {route("10.0.1.255", "10.0.1.2")}},
        {{"10.0.1.255", "unreachable"}});
}

BOOST_AUTO_TEST_CASE(a_pair_has_no_broadcast_address) {
    check_all({.address = ip("10.0.1.0"), .on_link = prefix("10.0.1.0/31")},
              {{"10.0.1.1", "10.0.1.1"}, {"10.0.1.0", "unreachable"}});
}

BOOST_AUTO_TEST_CASE(a_gateway_may_be_outside_of_the_prefix) {
    check_all({.address = ip("192.0.2.7"), .on_link = prefix("192.0.2.7"), .gateway = ip("198.51.100.1")},
              {{"203.0.113.9", "198.51.100.1"}, {"192.0.2.7", "unreachable"}});
}

BOOST_AUTO_TEST_CASE(a_router_that_cannot_be_one_leads_nowhere) {
    for (const char* const via : {"10.0.1.5", "10.0.1.255", "10.0.1.0", "0.0.0.0", "224.0.0.1", "255.255.255.255"}) {
        BOOST_TEST_CONTEXT("via " << via)
        check_all({.address = ip("10.0.1.5"), .on_link = prefix("10.0.1.0/24"), .gateway = ip(via)},
                  {{"198.51.100.7", "unreachable"}});
    }
    // Nor does a shorter route step in: that would send elsewhere what was meant for there.
    check_all({.address = ip("10.0.1.5"),
               .on_link = prefix("10.0.1.0/24"),
               .gateway = ip("10.0.1.1"),
               .routes = {route("10.2.0.0/16", "10.0.1.5")}},
              {{"10.2.0.1", "unreachable"}, {"10.3.0.1", "10.0.1.1"}});
}

BOOST_AUTO_TEST_SUITE_END()
