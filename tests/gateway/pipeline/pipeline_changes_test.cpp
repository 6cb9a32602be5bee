#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/support/pipeline_bench.hpp"

namespace pipeline_changes_test {

// Rules and windows that change while more flows live than may be visited at once.

using gateway::pipeline::Vantage;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

/// Visits so many flows when something changes.
struct SlowBench : Bench {
    explicit SlowBench(std::size_t flows_at_once) : Bench{lab(), Vantage::both, flows_at_once} {}

    void sweep_all() {
        while (pipeline().is_behind()) sweep();
    }
};

gateway::config::Config without(std::string_view rule) {
    auto config = lab();
    std::erase_if(config.nat_rules, [&](const dnat::NatRule& one) { return one.name.rule == rule; });
    return config;
}

PacketBuilder web_client(const std::string& port) {
    return tcp("198.51.100.7:" + port, "203.0.113.10:8080").ack(5001).seq(1001);
}
PacketBuilder web_server(const std::string& port) { return tcp("10.1.0.4:80", "10.0.1.5:" + port).ack(1001).seq(5001); }
PacketBuilder ssh_client(const std::string& port) {
    return tcp("198.51.100.7:" + port, "203.0.113.10:50022").ack(1).seq(1);
}
PacketBuilder ssh_server(const std::string& port) { return tcp("10.1.0.4:22", "10.0.1.5:" + port).ack(1).seq(1); }

/// Begins three connections under a window.
policy::WindowId open_three(Bench& bench) {
    const auto window = bench.open_window("198.51.100.7", 1h);
    for (const auto* const port : {"41001", "41002", "41003"}) {
        check(bench.from_outside(tcp("198.51.100.7:" + std::string{port}, "203.0.113.10:50022").syn()),
              because(Reason::dnat), with_window(window));
    }
    bench.all_told();
    return window;
}

}  // namespace pipeline_changes_test

BOOST_AUTO_TEST_SUITE(pipeline_changes_test)

BOOST_AUTO_TEST_CASE(after_a_reload_a_flow_is_judged_again_on_its_next_packet_in_either_direction) {
    SlowBench bench{0};
    bench.connect("198.51.100.7:40001");
    bench.connect("198.51.100.7:40002");
    check(bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53")), because(Reason::dnat));
    bench.reload(without("web"));
    BOOST_TEST(bench.pipeline().flows().size() == 3U);
    check(bench.from_outside(web_client("40001")), because(Reason::no_listener));
    check(bench.from_inside(web_server("40002")), because(Reason::no_flow));
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
    check(bench.from_inside(udp("10.1.0.4:53", "10.0.1.5:5000")), because(Reason::reply), by_rule("inbound/dns"));
    check(bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53")), because(Reason::established));
    BOOST_TEST(bench.synthesized().empty());
}

BOOST_AUTO_TEST_CASE(an_icmp_error_about_a_flow_whose_rule_is_gone_goes_nowhere) {
    SlowBench bench{0};
    bench.connect("198.51.100.7:40001");
    const auto reply = tcp("203.0.113.10:8080", "198.51.100.7:40001").ack(1001).seq(5001);
    check(bench.from_outside(icmp_error(3, 1, "198.51.100.7", "203.0.113.10").quoting(reply)),
          because(Reason::related));
    bench.reload(without("web"));
    check(bench.from_outside(icmp_error(3, 1, "198.51.100.7", "203.0.113.10").quoting(reply)),
          because(Reason::no_flow));
}

BOOST_AUTO_TEST_CASE(a_flow_that_a_reload_ends_does_not_come_back_with_the_next_one) {
    SlowBench bench{0};
    bench.connect("198.51.100.7:40001");
    check(bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53")), because(Reason::dnat));
    bench.reload(without("web"));
    bench.reload(lab());
    check(bench.from_outside(web_client("40001")), because(Reason::invalid_state));
    check(bench.from_inside(web_server("40001")), because(Reason::no_flow));
    check(bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53")), because(Reason::established));
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_over_by_the_new_timeouts_lets_no_packet_through) {
    SlowBench bench{0};
    bench.connect("198.51.100.7:40001");
    bench.connect("198.51.100.7:40002");
    bench.after(100s);
    check(bench.from_inside(web_server("40002")), because(Reason::reply));
    auto config = lab();
    config.timeouts.tcp_idle = 60s;
    bench.reload(config);
    check(bench.from_inside(web_server("40001")), because(Reason::no_flow));
    BOOST_TEST(bench.synthesized().size() == 2U);
    check(bench.from_inside(web_server("40002")), because(Reason::reply));
    BOOST_TEST(bench.synthesized().empty());
}

BOOST_AUTO_TEST_CASE(a_sweep_ends_what_no_packet_asks_for) {
    SlowBench bench{1};
    bench.connect("198.51.100.7:40001");
    bench.connect("198.51.100.7:40002");
    bench.connect("198.51.100.7:40003");
    bench.reload(without("web"));
    BOOST_TEST(bench.pipeline().flows().size() == 2U);
    bench.sweep();
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
    bench.sweep_all();
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
    BOOST_TEST(bench.synthesized().empty());
}

BOOST_AUTO_TEST_CASE(a_flow_whose_rule_is_gone_expires_in_silence) {
    SlowBench bench{0};
    bench.connect("198.51.100.7:40001");
    bench.reload(without("web"));
    bench.after(240s);
    BOOST_TEST(bench.synthesized().empty());
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
}

BOOST_AUTO_TEST_CASE(who_looks_at_the_flows_sees_none_whose_rule_is_gone) {
    SlowBench bench{0};
    bench.connect("198.51.100.7:40001");
    bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53"));
    bench.reload(without("web"));
    std::vector<std::uint16_t> seen;
    BOOST_TEST(!bench.pipeline().visit(0, 64, [&](const dnat::Flow& flow) { seen.push_back(flow.called.port); }));
    BOOST_TEST(seen == std::vector<std::uint16_t>{53});
}

BOOST_AUTO_TEST_CASE(after_a_cut_nothing_passes_whether_its_flow_was_visited_or_not) {
    for (const std::size_t at_once : {0U, 1U, 2U, 100U}) {
        BOOST_TEST_CONTEXT(at_once << " flows at once") {
            SlowBench bench{at_once};
            const auto window = open_three(bench);
            bench.connect("198.51.100.7:40001");
            bench.all_told();
            bench.close_window(window);
            bench.cut(window);
            for (const auto* const port : {"41001", "41002", "41003"}) {
                check(bench.from_outside(ssh_client(port)), because(Reason::window_cut), with_window(window));
                check(bench.from_inside(ssh_server(port)), because(Reason::window_cut), with_window(window));
            }
            check(bench.from_outside(web_client("40001")), because(Reason::established));
        }
    }
}

BOOST_AUTO_TEST_CASE(both_ends_of_all_cut_connections_are_reset_though_not_at_once) {
    for (const bool asked : {false, true}) {
        SlowBench bench{2};
        const auto window = open_three(bench);
        bench.close_window(window);
        bench.cut(window);
        auto resets = bench.synthesized();
        if (asked) check(bench.from_outside(ssh_client("41003")), because(Reason::window_cut));
        for (int sweeps = 0; sweeps < 4; ++sweeps) bench.sweep();
        BOOST_TEST(!bench.pipeline().is_behind());
        std::ranges::move(bench.synthesized(), std::back_inserter(resets));
        BOOST_TEST(resets.size() == 6U);
        bench.cut(window);
        bench.sweep_all();
        BOOST_TEST(bench.synthesized().empty());
    }
}

BOOST_AUTO_TEST_CASE(a_cut_connection_begins_again_only_after_both_ends_were_reset) {
    SlowBench bench{1};
    const auto window = open_three(bench);
    bench.close_window(window);
    bench.cut(window);
    BOOST_TEST(bench.synthesized().size() == 2U);  // of the oldest
    const auto newer = bench.open_window("198.51.100.7", 1h);
    const auto again = tcp("198.51.100.7:41003", "203.0.113.10:50022").seq(900'000).syn();
    check(bench.from_outside(again), because(Reason::window_cut), with_window(window));
    bench.sweep_all();
    BOOST_TEST(bench.synthesized().size() == 4U);
    check(bench.from_outside(again), because(Reason::dnat), with_window(newer));
}

BOOST_AUTO_TEST_CASE(a_cut_connection_that_expires_first_is_reset_then) {
    SlowBench bench{0};
    const auto window = open_three(bench);
    bench.close_window(window);
    bench.cut(window);
    check(bench.from_outside(ssh_client("41001")), because(Reason::window_cut));
    BOOST_TEST(bench.synthesized().empty());
    bench.after(2h);
    BOOST_TEST(bench.synthesized().size() == 6U);
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
}

BOOST_AUTO_TEST_CASE(flows_of_a_renewed_window_are_cut_with_the_newer_one) {
    for (const std::size_t at_once : {0U, 1U, 2U, 100U}) {
        BOOST_TEST_CONTEXT(at_once << " flows at once") {
            SlowBench bench{at_once};
            const auto older = open_three(bench);
            bench.close_window(older);
            const auto newer = bench.open_window("198.51.100.7", 1h);
            bench.adopt(std::array{policy::Adoption{older, newer}});
            check(bench.from_inside(ssh_server("41003")), because(Reason::reply), with_window(newer));
            bench.close_window(newer);
            bench.cut(older);
            check(bench.from_inside(ssh_server("41002")), because(Reason::reply), with_window(newer));
            bench.cut(newer);
            for (const auto* const port : {"41001", "41002", "41003"}) {
                check(bench.from_outside(ssh_client(port)), because(Reason::window_cut), with_window(newer));
            }
            if (at_once == 0) continue;  // then it never comes to an end
            bench.sweep_all();
            BOOST_TEST(bench.synthesized().size() == 6U);
        }
    }
}

BOOST_AUTO_TEST_CASE(connections_that_were_cut_before_their_rule_was_gone_are_reset) {
    SlowBench bench{1};
    const auto window = open_three(bench);
    bench.close_window(window);
    bench.cut(window);
    BOOST_TEST(bench.synthesized().size() == 2U);
    bench.reload(without("ssh"));
    bench.sweep_all();
    BOOST_TEST(bench.synthesized().size() == 4U);
}

BOOST_AUTO_TEST_CASE(connections_whose_rule_was_gone_before_the_cut_end_in_silence) {
    SlowBench bench{0};
    const auto window = open_three(bench);
    bench.reload(without("ssh"));
    bench.cut(window);
    check(bench.from_outside(ssh_client("41001")), because(Reason::no_listener));
    check(bench.from_inside(ssh_server("41002")), because(Reason::no_flow));
    BOOST_TEST(bench.synthesized().empty());
}

BOOST_AUTO_TEST_CASE(a_change_of_windows_leaves_the_fragments_of_other_flows_alone) {
    Bench bench;
    const auto first = bench.open_window("198.51.100.7", 1h);
    const auto second = bench.open_window("198.51.100.8", 1h);
    const auto of_second = udp("198.51.100.8:5353", "203.0.113.10:5353").payload_size(312).id(1);
    const auto of_nobody = udp("198.51.100.7:5000", "203.0.113.10:53").payload_size(312).id(2);
    check(bench.from_outside(fragment_of(of_second, 0, 64)), because(Reason::dnat), with_window(second));
    check(bench.from_outside(fragment_of(of_nobody, 0, 64)), because(Reason::dnat));
    const auto third = bench.open_window("198.51.100.9", 1h);
    bench.close_window(first);
    bench.adopt(std::array{policy::Adoption{first, third}});
    bench.cut(third);
    check(bench.from_outside(fragment_of(of_second, 64, 64)), because(Reason::established), with_window(second));
    check(bench.from_outside(fragment_of(of_nobody, 64, 64)), because(Reason::established));
}

BOOST_AUTO_TEST_SUITE_END()
