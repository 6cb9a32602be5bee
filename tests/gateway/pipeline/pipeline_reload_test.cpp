#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "tests/support/pipeline_bench.hpp"

namespace pipeline_reload_test {

// New rules while flows live.

using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

PacketBuilder from_client() { return tcp("198.51.100.7:40000", "203.0.113.10:8080").ack(5001).seq(1001); }
PacketBuilder from_server() { return tcp("10.1.0.4:80", "10.0.1.5:40000").ack(1001).seq(5001); }

void remove(gateway::config::Config& config, std::string_view rule) {
    std::erase_if(config.nat_rules, [&](const dnat::NatRule& one) { return one.name.rule == rule; });
}

/// A group that denies everything.
policy::Nsg deny_all(bool flush_connection) {
    const auto anywhere = std::vector{captures::base::AddressRange::any()};
    return {"closed",
            {{.name = "deny",
              .priority = 100,
              .access = policy::Access::deny,
              .protocol = {},
              .sources = anywhere,
              .source_ports = {{}},
              .destinations = anywhere,
              .destination_ports = {{}}}},
            flush_connection,
            policy::ServiceTags::azure_defaults()};
}

}  // namespace pipeline_reload_test

BOOST_AUTO_TEST_SUITE(pipeline_reload_test)

BOOST_AUTO_TEST_CASE(flows_that_the_new_rules_admit_live_on) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.reload(lab());
    check(bench.from_outside(from_client()), because(Reason::established), by_rule("inbound/web"));
    check(bench.from_inside(from_server()), because(Reason::reply));
}

BOOST_AUTO_TEST_CASE(flows_whose_rule_is_gone_end_in_silence) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    auto config = lab();
    remove(config, "web");
    bench.reload(config);
    BOOST_TEST(bench.synthesized().empty());
    check(bench.from_outside(from_client()), because(Reason::no_listener));
    check(bench.from_inside(from_server()), because(Reason::no_flow));
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
}

BOOST_AUTO_TEST_CASE(flows_end_where_the_rules_would_send_or_let_them_in_no_more) {
    struct Row {
        const char* sentence;
        void (*change)(gateway::config::Config&);
        Reason reason;
    };
    for (const auto& row : {
             Row{"another target", [](gateway::config::Config& c) { nat_rule(c, "web").translated.port = 81; },
                 Reason::invalid_state},
             Row{"another instance address", [](gateway::config::Config& c) { ++c.firewall.instance_ip.value; },
                 Reason::invalid_state},
             Row{"other sources",
                 [](gateway::config::Config& c) {
                     nat_rule(c, "web").sources = {{{1}, {2}}};
                 },
                 Reason::invalid_state},
             Row{"no sources", [](gateway::config::Config& c) { nat_rule(c, "web").sources.clear(); },
                 Reason::invalid_state},
             Row{"other protocols",
                 [](gateway::config::Config& c) { nat_rule(c, "web").protocols = {captures::base::Protocol::udp}; },
                 Reason::no_listener},
             Row{"an earlier rule that sends them elsewhere",
                 [](gateway::config::Config& c) {
                     auto earlier = nat_rule(c, "web");
                     earlier.translated = Where{"10.1.0.5:80"}.endpoint;
                     c.nat_rules.insert(c.nat_rules.begin(), earlier);
                 },
                 Reason::invalid_state},
             Row{"an overriding network rule",
                 [](gateway::config::Config& c) {
                     c.firewall.network_deny_overrides = true;
                     policy::NetworkRule deny;
                     deny.protocols = {captures::base::Protocol::tcp};
                     deny.sources = deny.destinations = {captures::base::AddressRange::any()};
                     deny.destination_ports = {{}};
                     c.network_rules = policy::NetworkRules{{deny}};
                 },
                 Reason::invalid_state},
             Row{"a group that flushes connections",
                 [](gateway::config::Config& c) {
                     c.nsgs = {deny_all(true)};
                     c.machines = {c.machines[0]};
                     c.machines[0].nsg = {"closed"};
                 },
                 Reason::invalid_state},
         }) {
        BOOST_TEST_CONTEXT(row.sentence) {
            Bench bench;
            bench.connect("198.51.100.7:40000");
            auto config = lab();
            row.change(config);
            bench.reload(config);
            check(bench.from_outside(from_client()), is_dropped, because(row.reason));
            BOOST_TEST(bench.synthesized().empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_group_keeps_established_flows_unless_it_flushes_them) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    auto config = lab();
    config.nsgs = {deny_all(false)};
    config.machines = {config.machines[0]};
    config.machines[0].nsg = {"closed"};
    bench.reload(config);
    check(bench.from_outside(from_client()), because(Reason::established));
    check(bench.from_inside(from_server()), because(Reason::reply));
    check(bench.from_outside(tcp("198.51.100.7:40001", "203.0.113.10:8080").syn()), because(Reason::nsg_deny));
}

BOOST_AUTO_TEST_CASE(rules_that_move_keep_their_flows_and_these_show_their_new_place) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    auto config = lab();
    std::ranges::reverse(config.nat_rules);
    nat_rule(config, "web").name.rule = "renamed";
    bench.reload(config);
    check(bench.from_outside(from_client()), because(Reason::established), by_rule("inbound/renamed"));
}

BOOST_AUTO_TEST_CASE(shorter_timeouts_count_at_once) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    auto config = lab();
    config.timeouts.tcp_idle = 20s;
    bench.reload(config);
    bench.after(20s - 1ns);
    BOOST_TEST(bench.synthesized().empty());
    bench.after(1ns);
    BOOST_TEST(bench.synthesized().size() == 2U);
}

BOOST_AUTO_TEST_CASE(longer_timeouts_count_at_once) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    auto config = lab();
    config.timeouts.tcp_idle = 500s;
    bench.reload(config);
    bench.after(500s - 1ns);
    BOOST_TEST(bench.synthesized().empty());
    bench.after(1ns);
    BOOST_TEST(bench.synthesized().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_flow_under_a_window_survives_a_reload_with_its_window) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50022").syn()), with_window(window));
    bench.close_window(window);
    bench.reload(lab());
    check(bench.from_inside(tcp("10.1.0.4:22", "10.0.1.5:40000").syn().ack(1)), because(Reason::reply),
          with_window(window));
    bench.cut(window);
    BOOST_TEST(bench.synthesized().size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_rest_of_a_datagram_is_not_ruled_by_a_rule_that_is_gone) {
    Bench bench;
    const auto denied = udp("198.51.100.7:5353", "203.0.113.10:5353").payload_size(312).id(1);
    const auto admitted = udp("198.51.100.7:5000", "203.0.113.10:53").payload_size(312).id(2);
    check(bench.from_outside(fragment_of(denied, 0, 64)), because(Reason::jit_closed), by_rule("inbound/mdns"));
    check(bench.from_outside(fragment_of(admitted, 0, 64)), because(Reason::dnat), by_rule("inbound/dns"));
    auto config = lab();
    config.nat_rules.resize(1);
    bench.reload(config);
    check(bench.from_outside(fragment_of(denied, 64, 64)), is_held);
    check(bench.from_outside(fragment_of(admitted, 64, 64)), is_held);
    bench.finish();
    BOOST_TEST(bench.count(Reason::fragment) == 2U);
}

BOOST_AUTO_TEST_CASE(a_shorter_timeout_sends_no_reset_into_the_past) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.after(58s);
    check(bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53").payload("question")), because(Reason::dnat));
    const auto latest = bench.now();
    static_cast<void>(bench.all_told());
    auto config = lab();
    config.timeouts.tcp_idle = 50s;
    bench.reload(config);
    bench.after(4s);
    const auto resets = bench.synthesized();
    BOOST_REQUIRE_EQUAL(resets.size(), 2U);
    for (const auto& reset : resets) BOOST_TEST((reset.time >= latest));
}

BOOST_AUTO_TEST_SUITE_END()
