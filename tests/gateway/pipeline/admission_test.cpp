#include "gateway/pipeline/admission.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/pipeline_bench.hpp"

namespace admission_test {

using captures::base::AddressRange;
using captures::base::Protocol;
using dnat::Arrived;
using dnat::Delivered;
using gateway::pipeline::Tables;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

Arrived arrived(Where from, Where to, Protocol protocol = Protocol::tcp) {
    return {{from.endpoint, to.endpoint, protocol}};
}

policy::NetworkRule deny(std::string_view destination) {
    policy::NetworkRule rule;
    rule.protocols = {Protocol::tcp};
    rule.sources = {AddressRange::any()};
    rule.destinations = {AddressRange::parse(destination).value()};
    rule.destination_ports = {{}};
    return rule;
}

struct Lab {
    gateway::config::Config config = lab();
    policy::Doors doors;

    Lab() { doors.guard(Where{"10.1.0.4:22"}.endpoint, Protocol::tcp); }

    [[nodiscard]] gateway::pipeline::Admission ask(const Arrived& arrived, bool opens = true,
                                                   captures::base::Time now = start_time) {
        tables = Tables::build(config).value();
        return admit(*tables, doors, arrived, opens, now);
    }

    std::shared_ptr<const Tables> tables;
};

}  // namespace admission_test

BOOST_AUTO_TEST_SUITE(admission_test)

BOOST_AUTO_TEST_CASE(the_checks_stand_in_azures_order_and_the_first_that_fails_decides) {
    // One packet that fails all checks; one after the other is mended.
    Lab lab;
    auto& rule = nat_rule(lab.config, "app-web");
    rule.sources = {AddressRange::parse("192.0.2.1").value()};
    lab.config.firewall.network_deny_overrides = true;
    lab.config.network_rules = policy::NetworkRules{{deny("10.1.0.6")}};
    lab.doors.guard(Where{"10.1.0.6:80"}.endpoint, Protocol::tcp);
    const auto packet = arrived("198.51.100.7:40000", "203.0.113.10:50081");
    bool opens = false;

    const auto expect = [&](Reason reason, bool names_rule) {
        const auto admission = lab.ask(packet, opens);
        BOOST_TEST(admission.reason == reason);
        BOOST_TEST((admission.rule != gateway::pipeline::no_rule) == names_rule);
        if (names_rule) BOOST_TEST(admission.target == Where{"10.1.0.6:80"}.endpoint);
        return admission;
    };
    expect(Reason::no_listener, false);
    rule.destination_ports = {{50081, 50081}};
    expect(Reason::invalid_state, false);
    opens = true;
    expect(Reason::no_nat_rule, false);
    rule.sources = {AddressRange::any()};
    const auto overruled = expect(Reason::network_rule_deny, true);
    BOOST_TEST(overruled.network_rule == &lab.tables->network().rules()[0]);
    lab.config.firewall.network_deny_overrides = false;
    expect(Reason::jit_closed, true);
    lab.doors.open({.id = 5,
                    .target = Where{"10.1.0.6:80"}.endpoint,
                    .protocol = Protocol::tcp,
                    .sources = {captures::base::Prefix{{0}, 0}},
                    .start = start_time,
                    .end = start_time + 1h});
    const auto denied = expect(Reason::nsg_deny, true);
    BOOST_TEST(denied.window == 5U);
    BOOST_TEST(denied.nsg->name() == "subnet-nsg");
    BOOST_TEST(denied.security_rule->name == "nothing-else");
    lab.config.machines.clear();
    const auto admitted = expect(Reason::dnat, true);
    BOOST_TEST(admitted.window == 5U);
    BOOST_TEST(admitted.nsg == nullptr);
    BOOST_TEST(admitted.network_rule == nullptr);
}

BOOST_AUTO_TEST_CASE(a_port_that_nobody_guards_needs_no_window) {
    Lab lab;
    const auto admission = lab.ask(arrived("198.51.100.7:40000", "203.0.113.10:8080"));
    BOOST_TEST(admission.reason == Reason::dnat);
    BOOST_TEST(admission.window == 0U);
    BOOST_TEST(lab.tables->nat().rule(admission.rule).name.rule == "web");
}

BOOST_AUTO_TEST_CASE(every_group_must_allow_the_tuple_as_delivered) {
    Lab lab;
    const auto packet = arrived("198.51.100.7:40000", "203.0.113.10:50023");
    BOOST_TEST(lab.ask(packet).reason == Reason::dnat);
    lab.config.nsgs[1] = {"nic-nsg", {}, false, policy::ServiceTags{}};  // no tags: only the last default rule decides
    const auto denied = lab.ask(packet);
    BOOST_TEST(denied.reason == Reason::nsg_deny);
    BOOST_TEST(denied.nsg->name() == "nic-nsg");
    BOOST_TEST(denied.security_rule->name == "DenyAllInBound");
}

BOOST_AUTO_TEST_CASE(an_overriding_network_rule_judges_the_translated_destination) {
    Lab lab;
    lab.config.firewall.network_deny_overrides = true;
    const auto packet = arrived("198.51.100.7:40000", "203.0.113.10:8080");
    lab.config.network_rules = policy::NetworkRules{{deny("203.0.113.10")}};
    BOOST_TEST(lab.ask(packet).reason == Reason::dnat);
    lab.config.network_rules = policy::NetworkRules{{deny("10.1.0.4")}};
    BOOST_TEST(lab.ask(packet).reason == Reason::network_rule_deny);
    auto allow = deny("10.1.0.0/16");
    allow.access = policy::Access::allow;
    lab.config.network_rules = policy::NetworkRules{{allow, deny("10.1.0.4")}};
    BOOST_TEST(lab.ask(packet).reason == Reason::dnat);
}

BOOST_AUTO_TEST_CASE(a_packet_without_nat_rule_names_only_a_rule_that_denies_it) {
    Lab lab;
    const auto packet = arrived("198.51.100.7:40000", "203.0.113.10:5432");
    BOOST_TEST(lab.ask(packet).network_rule == nullptr);
    lab.config.network_rules = policy::NetworkRules{
        {deny("10.1.0.5")}};  // the translated address: not what this packet has
    BOOST_TEST(lab.ask(packet).network_rule == nullptr);
    lab.config.network_rules = policy::NetworkRules{{deny("203.0.113.10")}};
    const auto named = lab.ask(packet);
    BOOST_TEST(named.network_rule == &lab.tables->network().rules()[0]);
    auto allow = deny("203.0.113.10");
    allow.access = policy::Access::allow;
    lab.config.network_rules = policy::NetworkRules{{allow}};
    BOOST_TEST(lab.ask(packet).network_rule == nullptr);
    BOOST_TEST(lab.ask(packet).reason == Reason::no_nat_rule);
}

BOOST_AUTO_TEST_CASE(an_established_flow_asks_for_no_window_but_for_all_else) {
    auto config = lab();
    const auto ssh = arrived("198.51.100.7:40000", "203.0.113.10:50022");
    const Delivered delivered{{Where{"10.0.1.5:40000"}.endpoint, Where{"10.1.0.4:22"}.endpoint, Protocol::tcp}};
    std::uint32_t rule = 99;
    BOOST_TEST(still_admitted(*Tables::build(config).value(), {}, ssh, delivered, 0, rule));
    BOOST_TEST(rule == 0U);
    std::swap(config.nat_rules[0], config.nat_rules[3]);
    BOOST_TEST(still_admitted(*Tables::build(config).value(), {}, ssh, delivered, 0, rule));
    BOOST_TEST(rule == 3U);
    config.nat_rules.clear();
    BOOST_TEST(!still_admitted(*Tables::build(config).value(), {}, ssh, delivered, 0, rule));
    BOOST_TEST(rule == 3U);  // only told where it is true
}

BOOST_AUTO_TEST_SUITE_END()
