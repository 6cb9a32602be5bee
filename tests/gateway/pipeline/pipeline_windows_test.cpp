#include <boost/test/unit_test.hpp>

#include <array>

#include "gateway/access/access.hpp"
#include "tests/support/pipeline_bench.hpp"

namespace pipeline_windows_test {

// Just-in-time windows, as the pipeline sees them.

using captures::packet::Side;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

PacketBuilder from_client() { return tcp("198.51.100.7:40000", "203.0.113.10:50022"); }
PacketBuilder from_server() { return tcp("10.1.0.4:22", "10.0.1.5:40000"); }
PacketBuilder udp_from_client() { return udp("198.51.100.7:5353", "203.0.113.10:5353").payload("question"); }
PacketBuilder udp_from_server() { return udp("10.1.0.4:5353", "10.0.1.5:5353").payload("answer"); }

/// Opens an SSH connection: the client is at 1001, the server at 5001.
void connect(Bench& bench) {
    check(bench.from_outside(from_client().syn().seq(1000)), because(Reason::dnat));
    check(bench.from_inside(from_server().syn().ack(1001).seq(5000)), because(Reason::reply));
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::established));
}

void close(Bench& bench) {
    check(bench.from_outside(from_client().fin().ack(5001).seq(1001)), because(Reason::established));
    check(bench.from_inside(from_server().fin().ack(1002).seq(5001)), because(Reason::reply));
    check(bench.from_outside(from_client().ack(5002).seq(1002)), because(Reason::established));
}

}  // namespace pipeline_windows_test

BOOST_AUTO_TEST_SUITE(pipeline_windows_test)

BOOST_AUTO_TEST_CASE(a_window_lets_its_source_in_and_nobody_else) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.0/28", 1h);
    check(bench.from_outside(from_client().syn()), is_forwarded, because(Reason::dnat), by_rule("inbound/ssh"),
          with_window(window), with_detail("window 1"), to("10.1.0.4:22"), checksums_hold);
    check(bench.from_outside(tcp("198.51.100.16:40000", "203.0.113.10:50022").syn()), is_dropped,
          because(Reason::jit_closed));
    check(bench.from_inside(from_server().syn().ack(1)), because(Reason::reply), with_window(window));
}

BOOST_AUTO_TEST_CASE(a_window_is_open_from_its_first_nanosecond_until_just_before_its_end) {
    Bench bench;
    bench.set_clock(start_time + 1s);
    bench.open_window("198.51.100.7", 1h);
    struct Row {
        captures::base::Time time;
        Reason reason;
    };
    std::uint16_t port = 40000;
    for (const auto& row :
         {Row{start_time + 1s - 1ns, Reason::jit_closed}, Row{start_time + 1s, Reason::dnat},
          Row{start_time + 1s + 1h - 1ns, Reason::dnat}, Row{start_time + 1s + 1h, Reason::jit_closed}}) {
        bench.set_clock(row.time);
        const captures::base::Endpoint client{{0xc6336407}, port++};
        check(bench.from_outside(tcp(client, "203.0.113.10:50022").syn()), because(row.reason));
    }
}

BOOST_AUTO_TEST_CASE(a_syn_before_the_window_is_silent_and_its_retransmission_passes) {
    Bench bench;
    check(bench.from_outside(from_client().syn().seq(1000)), is_dropped, because(Reason::jit_closed));
    bench.after(1s);
    check(bench.from_outside(from_client().syn().seq(1000)), is_dropped, because(Reason::jit_closed));
    bench.open_window("198.51.100.7", 1h);
    bench.after(2s);
    connect(bench);
    BOOST_TEST(bench.synthesized().empty());
}

BOOST_AUTO_TEST_CASE(expiry_closes_the_door_to_new_flows_and_keeps_established_ones) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 5min);
    connect(bench);
    bench.after(3min);
    check(bench.from_outside(from_client().psh().ack(5001).seq(1001).payload("a")), because(Reason::established));
    bench.after(3min);
    bench.close_window(window);
    check(bench.from_outside(from_client().psh().ack(5001).seq(1002).payload("b")), because(Reason::established),
          with_window(window));
    check(bench.from_inside(from_server().ack(1003).seq(5001)), because(Reason::reply));
    check(bench.from_outside(tcp("198.51.100.7:40001", "203.0.113.10:50022").syn()), because(Reason::jit_closed));
}

BOOST_AUTO_TEST_CASE(a_window_whose_number_needs_more_than_32_bits_is_named_in_full_and_cut) {
    Bench bench;
    bench.number_windows_from(policy::WindowId{1} << 32U);
    const auto window = bench.open_window("198.51.100.7", 1h);
    connect(bench);
    check(bench.from_outside(from_client().psh().ack(5001).seq(1001).payload("hello")), is_forwarded,
          with_window(window));
    bench.close_window(window);
    bench.cut(window);
    BOOST_TEST(bench.synthesized().size() == 2U);
    check(bench.from_outside(from_client().ack(5001).seq(1006)), is_dropped, because(Reason::window_cut),
          with_window(window), with_detail("window 4294967296"));
}

BOOST_AUTO_TEST_CASE(a_cut_resets_both_ends_and_drops_what_they_still_send) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    connect(bench);
    check(bench.from_outside(from_client().psh().ack(5001).seq(1001).payload("hello")), is_forwarded);
    bench.close_window(window);
    bench.cut(window);

    auto resets = bench.synthesized();
    BOOST_REQUIRE_EQUAL(resets.size(), 2U);
    check(resets[0], leaves(Side::outside), from("203.0.113.10:50022"), to("198.51.100.7:40000"), flags("R."),
          seq(5001), ack_number(1006), checksums_hold);
    check(resets[1], leaves(Side::inside), from("10.0.1.5:40000"), to("10.1.0.4:22"), flags("R."), seq(1006),
          ack_number(5001), checksums_hold);

    check(bench.from_outside(from_client().ack(5001).seq(1006)), is_dropped, because(Reason::window_cut),
          by_rule("inbound/ssh"), with_window(window), with_detail("window 1"));
    check(bench.from_inside(from_server().psh().ack(1006).seq(5001).payload("x")), is_dropped,
          because(Reason::window_cut));
    check(bench.from_outside(from_client().syn().seq(9000)), is_dropped, because(Reason::jit_closed));
    bench.cut(window);
    BOOST_TEST(bench.synthesized().empty());  // once is enough
}

BOOST_AUTO_TEST_CASE(a_cut_ends_the_flows_of_that_window_only) {
    Bench bench;
    const auto first = bench.open_window("198.51.100.7", 1h);
    const auto second = bench.open_window("198.51.100.8", 1h);
    connect(bench);
    check(bench.from_outside(tcp("198.51.100.8:40000", "203.0.113.10:50022").syn()), with_window(second));
    bench.connect("198.51.100.7:50000");
    bench.cut(first);
    BOOST_TEST(bench.synthesized().size() == 2U);
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::window_cut));
    check(bench.from_outside(tcp("198.51.100.8:40000", "203.0.113.10:50022").syn()), because(Reason::established));
    check(bench.from_outside(tcp("198.51.100.7:50000", "203.0.113.10:8080").ack(5001).seq(1001)),
          because(Reason::established));
}

BOOST_AUTO_TEST_CASE(a_cut_of_a_connection_that_nobody_has_answered_yet) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    check(bench.from_outside(from_client().syn().seq(1000)), because(Reason::dnat));
    bench.cut(window);
    auto resets = bench.synthesized();
    BOOST_REQUIRE_EQUAL(resets.size(), 2U);
    check(resets[0], leaves(Side::outside), flags("R."), seq(0), ack_number(1001), checksums_hold);
    check(resets[1], leaves(Side::inside), flags("R"), seq(1001), ack_number(0), checksums_hold);
}

BOOST_AUTO_TEST_CASE(a_cut_of_a_connection_that_is_over_is_silent) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    connect(bench);
    close(bench);
    bench.cut(window);
    BOOST_TEST(bench.synthesized().empty());
    check(bench.from_inside(from_server().ack(1002).seq(5002)), because(Reason::window_cut));
}

BOOST_AUTO_TEST_CASE(after_a_cut_a_new_window_lets_a_new_connection_in_on_the_same_ports) {
    Bench bench;
    const auto first = bench.open_window("198.51.100.7", 1h);
    connect(bench);
    bench.close_window(first);
    bench.cut(first);
    check(bench.from_outside(from_client().syn().seq(70000)), because(Reason::jit_closed));
    const auto second = bench.open_window("198.51.100.7", 1h);
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::window_cut));
    check(bench.from_outside(from_client().syn().seq(80000)), is_forwarded, because(Reason::dnat), with_window(second),
          from("10.0.1.5:40000"));
    check(bench.from_inside(from_server().syn().ack(80001).seq(6000)), because(Reason::reply), with_window(second));
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_cut_flow_is_forgotten_after_a_while) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    connect(bench);
    bench.cut(window);
    BOOST_TEST(bench.synthesized().size() == 2U);
    bench.after(240s - 1ns);
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::window_cut));
    bench.after(1ns);
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::invalid_state));
    BOOST_TEST(bench.synthesized().empty());
}

BOOST_AUTO_TEST_CASE(udp_is_cut_without_a_reset) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    check(bench.from_outside(udp_from_client()), because(Reason::dnat), with_window(window));
    bench.close_window(window);
    bench.cut(window);
    BOOST_TEST(bench.synthesized().empty());
    check(bench.from_outside(udp_from_client()), is_dropped, because(Reason::window_cut), with_window(window));
    check(bench.from_inside(udp_from_server()), is_dropped, because(Reason::window_cut));
}

BOOST_AUTO_TEST_CASE(after_a_cut_a_new_window_lets_udp_in_again) {
    Bench bench;
    const auto first = bench.open_window("198.51.100.7", 1h);
    check(bench.from_outside(udp_from_client()), because(Reason::dnat), with_window(first));
    bench.close_window(first);
    bench.cut(first);
    bench.after(10s);
    const auto second = bench.open_window("198.51.100.7", 1h);
    check(bench.from_inside(udp_from_server()), because(Reason::window_cut));
    check(bench.from_outside(udp_from_client()), is_forwarded, because(Reason::dnat), with_window(second),
          from("10.0.1.5:5353"), to("10.1.0.4:5353"));
    check(bench.from_inside(udp_from_server()), because(Reason::reply), with_window(second));
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_closed_connections_ports_may_be_used_again_if_the_rules_admit_it_now) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    connect(bench);
    close(bench);
    check(bench.from_inside(from_server().syn().seq(90000)), is_dropped, because(Reason::invalid_state),
          with_detail("the flow is closed"));
    check(bench.from_outside(from_client().syn().seq(70000)), because(Reason::dnat), with_window(window));
    check(bench.from_inside(from_server().syn().ack(70001).seq(6000)), because(Reason::reply));
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
    BOOST_TEST(bench.pipeline().counters().flows_created == 2U);
}

BOOST_AUTO_TEST_CASE(a_closed_connections_ports_are_not_used_again_once_the_window_is_over) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 5min);
    connect(bench);
    bench.after(3min);
    close(bench);
    bench.after(2min);
    bench.close_window(window);
    check(bench.from_outside(from_client().syn().seq(70000)), is_dropped, because(Reason::jit_closed));
    check(bench.from_inside(from_server().ack(1002).seq(5002)), because(Reason::reply));  // the old one's last words
}

BOOST_AUTO_TEST_CASE(a_machine_that_forgot_a_connection_gets_no_other_one_without_a_window) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 5min);
    connect(bench);
    check(bench.from_outside(from_client().syn().seq(70000)), is_forwarded, because(Reason::established));
    bench.after(3min);
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::established));
    bench.after(3min);
    bench.close_window(window);
    check(bench.from_outside(from_client().syn().seq(80000)), is_dropped, because(Reason::jit_closed));
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::established));  // the old one lives
}

BOOST_AUTO_TEST_CASE(a_syn_that_nobody_answered_is_not_repeated_when_the_window_is_over) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 5min);
    bench.after(5min - 1s);
    check(bench.from_outside(from_client().syn().seq(1000)), because(Reason::dnat));
    bench.after(1s);
    bench.close_window(window);
    check(bench.from_outside(from_client().syn().seq(1000)), is_dropped, because(Reason::jit_closed));
    check(bench.from_inside(from_server().syn().ack(1001).seq(5000)), because(Reason::reply));
}

BOOST_AUTO_TEST_CASE(a_connection_that_only_a_newer_window_let_in_is_the_newers) {
    for (const bool answered : {false, true}) {
        BOOST_TEST_CONTEXT((answered ? "the machine has answered the older's SYN" : "nobody has answered")) {
            Bench bench;
            const auto older = bench.open_window("198.51.100.7", 5min);
            bench.after(5min - 1s);
            check(bench.from_outside(from_client().syn().seq(1000)), because(Reason::dnat), with_window(older));
            if (answered) check(bench.from_inside(from_server().syn().ack(1001).seq(5000)), because(Reason::reply));
            bench.after(1s);
            bench.close_window(older);
            check(bench.from_outside(from_client().syn().seq(1000)), is_dropped, because(Reason::jit_closed));
            const auto newer = bench.open_window("198.51.100.7", 1h);
            check(bench.from_outside(from_client().syn().seq(1000)), because(Reason::dnat), with_window(newer));
            check(bench.from_outside(from_client().syn().seq(1000)), because(Reason::established), with_window(newer));
            check(bench.from_inside(from_server().syn().ack(1001).seq(5000)), because(Reason::reply),
                  with_window(newer));
            check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::established));
            BOOST_TEST(bench.pipeline().flows().size() == 1U);
            BOOST_TEST(bench.pipeline().counters().flows_created == bench.count(Reason::dnat));
            bench.all_told();
            bench.close_window(newer);
            bench.cut(newer);
            BOOST_TEST(bench.synthesized().size() == 2U);
            check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::window_cut));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_open_connection_stays_its_windows_whoever_admits_another_syn) {
    Bench bench;
    const auto older = bench.open_window("198.51.100.7", 1h);
    connect(bench);
    bench.close_window(older);
    const auto newer = bench.open_window("198.51.100.7", 1h);
    check(bench.from_outside(from_client().syn().seq(9000)), because(Reason::established), with_window(older));
    bench.cut(newer);
    BOOST_TEST(bench.synthesized().empty());
}

BOOST_AUTO_TEST_CASE(windows_that_end_together_are_cut_together) {
    Bench bench;
    const auto first = bench.open_window("198.51.100.7", 1h);
    const auto second = bench.open_window("198.51.100.8", 1h);
    const auto third = bench.open_window("198.51.100.9", 1h);
    for (const char* const client : {"198.51.100.7:1", "198.51.100.8:2", "198.51.100.9:3"}) {
        check(bench.from_outside(tcp(client, "203.0.113.10:50022").syn()), because(Reason::dnat));
    }
    bench.all_told();
    bench.adopt(std::array{policy::Adoption{first, 7}, policy::Adoption{7, 8}, policy::Adoption{third, 9}});
    check(bench.from_outside(tcp("198.51.100.9:3", "203.0.113.10:50022").ack(1).seq(1)), with_window(9));
    bench.cut(std::array<policy::WindowId, 2>{8, second});
    BOOST_TEST(bench.synthesized().size() == 4U);
    check(bench.from_outside(tcp("198.51.100.7:1", "203.0.113.10:50022").ack(1).seq(1)), because(Reason::window_cut),
          with_window(8));
    check(bench.from_outside(tcp("198.51.100.8:2", "203.0.113.10:50022").ack(1).seq(1)), because(Reason::window_cut));
    check(bench.from_outside(tcp("198.51.100.9:3", "203.0.113.10:50022").ack(1).seq(1)), because(Reason::established));
}

BOOST_AUTO_TEST_CASE(a_renewed_windows_flows_are_cut_with_the_newer_one) {
    Bench bench;
    const auto older = bench.open_window("198.51.100.7", 1h);
    connect(bench);
    bench.close_window(older);
    const auto newer = bench.open_window("198.51.100.7", 1h);
    bench.adopt(std::array{policy::Adoption{older, newer}});
    check(bench.from_outside(from_client().ack(5001).seq(1001)), with_window(newer));
    bench.cut(older);
    BOOST_TEST(bench.synthesized().empty());
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::established));
    bench.cut(newer);
    BOOST_TEST(bench.synthesized().size() == 2U);
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::window_cut), with_window(newer));
}

BOOST_AUTO_TEST_SUITE_END()
