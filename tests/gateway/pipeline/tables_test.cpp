#include "gateway/pipeline/tables.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/pipeline_bench.hpp"
#include "tools/synth/random.hpp"

namespace tables_test {

using captures::base::Ipv4Address;
using gateway::pipeline::Tables;
using support::lab;
using support::Where;
using namespace std::chrono_literals;

Ipv4Address address(std::string_view text) { return Where{text}.endpoint.address; }

}  // namespace tables_test

BOOST_AUTO_TEST_SUITE(tables_test)

BOOST_AUTO_TEST_CASE(they_hold_what_the_configuration_says) {
    auto config = lab();
    config.firewall.network_deny_overrides = true;
    config.network_rules = policy::NetworkRules{{policy::NetworkRule{}}};
    const auto tables = Tables::build(config).value();
    BOOST_TEST(tables->nat().rules().size() == config.nat_rules.size());
    BOOST_TEST(tables->network().rules().size() == 1U);
    BOOST_TEST(tables->network_deny_overrides());
    BOOST_TEST(tables->instance() == address("10.0.1.5"));
    BOOST_TEST(!Tables::build(lab()).value()->network_deny_overrides());
}

BOOST_AUTO_TEST_CASE(timeouts_are_the_configured_ones_or_the_defaults) {
    const auto plain = Tables::build(lab()).value()->timeouts();
    BOOST_TEST((plain.tcp_idle == 240s && plain.tcp_idle_east_west == 300s && plain.tcp_transitory == 240s));
    BOOST_TEST((plain.udp_idle == 240s && plain.fragment == 30s));
    auto config = lab();
    config.timeouts = {.tcp_idle = 1s, .tcp_idle_east_west = 2s, .tcp_transitory = 3s, .udp_idle = 4s, .fragment = 5s};
    const auto set = Tables::build(config).value()->timeouts();
    BOOST_TEST((set.tcp_idle == 1s && set.tcp_idle_east_west == 2s && set.tcp_transitory == 3s));
    BOOST_TEST((set.udp_idle == 4s && set.fragment == 5s));
}

BOOST_AUTO_TEST_CASE(the_firewall_owns_its_public_private_and_instance_addresses) {
    const auto tables = Tables::build(lab()).value();
    for (const auto* const own : {"203.0.113.10", "203.0.113.11", "10.0.1.4", "10.0.1.5"}) {
        BOOST_TEST(tables->owns(address(own)));
    }
    for (const auto* const other : {"203.0.113.12", "10.0.1.6", "10.1.0.4", "0.0.0.0", "255.255.255.255"}) {
        BOOST_TEST(!tables->owns(address(other)));
    }
    BOOST_TEST(tables->is_private_ip(address("10.0.1.4")));
    BOOST_TEST(!tables->is_private_ip(address("10.0.1.5")));
    BOOST_TEST(!tables->is_private_ip(address("203.0.113.10")));

    auto without_private = lab();
    without_private.firewall.private_ip.reset();
    const auto fewer = Tables::build(without_private).value();
    BOOST_TEST(!fewer->owns(address("10.0.1.4")));
    BOOST_TEST(!fewer->is_private_ip(address("10.0.1.4")));
    BOOST_TEST(!fewer->is_private_ip(address("0.0.0.0")));
}

BOOST_AUTO_TEST_CASE(ownership_is_exact_however_many_addresses_there_are) {
    tools::Random random{250};
    auto config = lab();
    config.firewall.public_ips.clear();
    for (int i = 0; i < 250; ++i) {
        config.firewall.public_ips.push_back({static_cast<std::uint32_t>(random.next())});
    }
    const auto tables = Tables::build(config).value();
    for (const auto own : config.firewall.public_ips) BOOST_TEST(tables->owns(own));
    for (int i = 0; i < 10'000; ++i) {
        const Ipv4Address other{static_cast<std::uint32_t>(random.next())};
        if (std::ranges::count(config.firewall.public_ips, other) == 0) BOOST_REQUIRE(!tables->owns(other));
    }
}

BOOST_AUTO_TEST_CASE(groups_stand_before_a_machine_in_the_order_it_names_them) {
    const auto tables = Tables::build(lab()).value();
    const auto before_app = tables->nsgs_before(address("10.1.0.6"));
    BOOST_REQUIRE_EQUAL(before_app.size(), 2U);
    BOOST_TEST(before_app[0].name() == "subnet-nsg");
    BOOST_TEST(before_app[1].name() == "nic-nsg");
    BOOST_TEST(tables->nsgs_before(address("10.1.0.4")).empty());
    BOOST_TEST(tables->nsgs_before(address("10.9.9.9")).empty());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_built_is_told_to_a_person) {
    auto unknown_group = lab();
    unknown_group.machines[0].nsg = {"nowhere"};
    BOOST_TEST(Tables::build(unknown_group).error() == "virtual machine web01 names no known NSG: nowhere");
    auto bad_rule = lab();
    bad_rule.nat_rules[0].protocols.clear();
    BOOST_TEST(Tables::build(bad_rule).error() == "NAT rule inbound/ssh: no protocol");
}

BOOST_AUTO_TEST_SUITE_END()
