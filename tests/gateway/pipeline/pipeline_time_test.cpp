#include <boost/test/unit_test.hpp>

#include "tests/support/pipeline_bench.hpp"

namespace pipeline_time_test {

// What time does to flows.

using captures::base::Time;
using captures::packet::Side;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

PacketBuilder from_client() { return tcp("198.51.100.7:40000", "203.0.113.10:8080"); }
PacketBuilder from_server() { return tcp("10.1.0.4:80", "10.0.1.5:40000"); }

/// A connection between machines that goes through the firewall's private IP.
void connect_east_west(Bench& bench) {
    check(bench.from_outside(tcp("10.2.0.9:40000", "10.0.1.4:2222").syn().seq(1000)), because(Reason::dnat),
          by_rule("inbound/private"), from("10.0.1.5:40000"), to("10.1.0.4:2222"));
    check(bench.from_inside(tcp("10.1.0.4:2222", "10.0.1.5:40000").syn().ack(1001).seq(5000)), from("10.0.1.4:2222"),
          to("10.2.0.9:40000"));
    check(bench.from_outside(tcp("10.2.0.9:40000", "10.0.1.4:2222").ack(5001).seq(1001)), because(Reason::established));
}

}  // namespace pipeline_time_test

BOOST_AUTO_TEST_SUITE(pipeline_time_test)

BOOST_AUTO_TEST_CASE(after_239_idle_seconds_a_connection_is_alive) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.after(239s);
    check(bench.from_inside(from_server().ack(1001).seq(5001)), because(Reason::reply));
    bench.after(239s);
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::established));
    bench.after(240s - 1ns);
    BOOST_TEST(bench.synthesized().empty());
    check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::established));
}

BOOST_AUTO_TEST_CASE(after_240_idle_seconds_both_ends_get_a_reset_they_believe) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    check(bench.from_outside(from_client().psh().ack(5001).seq(1001).payload("request")), is_forwarded);
    check(bench.from_inside(from_server().psh().ack(1008).seq(5001).payload("answer")), is_forwarded);
    bench.after(241s);
    auto resets = bench.synthesized();
    BOOST_REQUIRE_EQUAL(resets.size(), 2U);
    check(resets[0], leaves(Side::outside), from("203.0.113.10:8080"), to("198.51.100.7:40000"), flags("R."), seq(5007),
          ack_number(1008), ttl(64), checksums_hold, on_link(captures::packet::LinkType::ethernet));
    check(resets[1], leaves(Side::inside), from("10.0.1.5:40000"), to("10.1.0.4:80"), flags("R."), seq(1008),
          ack_number(5007), ttl(64), checksums_hold);
    for (const auto& reset : resets) {
        BOOST_TEST((reset.time == start_time + 240s));  // when it was due, not when that was noticed
        BOOST_TEST(reset.number == 0U);
    }
    BOOST_TEST(bench.pipeline().counters().synthesized == 2U);
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
    check(bench.from_outside(from_client().ack(5007).seq(1008)), is_dropped, because(Reason::invalid_state));
    check(bench.from_inside(from_server().ack(1008).seq(5007)), is_dropped, because(Reason::no_flow));
}

BOOST_AUTO_TEST_CASE(the_reset_has_the_link_layer_of_the_connections_first_packet) {
    Bench bench;
    check(bench.from_outside(from_client().syn().seq(1000).on(captures::packet::LinkType::linux_sll)), is_forwarded);
    check(bench.from_inside(from_server().syn().ack(1001).seq(5000)), is_forwarded);
    check(bench.from_outside(from_client().ack(5001).seq(1001)), is_forwarded);
    bench.after(240s);
    for (auto& reset : bench.synthesized())
        check(reset, on_link(captures::packet::LinkType::linux_sll), checksums_hold);
}

BOOST_AUTO_TEST_CASE(east_west_a_connection_ends_after_300_idle_seconds_and_in_silence) {
    Bench bench;
    connect_east_west(bench);
    bench.after(299s);
    check(bench.from_inside(tcp("10.1.0.4:2222", "10.0.1.5:40000").ack(1001).seq(5001)), because(Reason::reply));
    bench.after(301s);
    BOOST_TEST(bench.synthesized().empty());
    check(bench.from_inside(tcp("10.1.0.4:2222", "10.0.1.5:40000").ack(1001).seq(5001)), because(Reason::no_flow));
}

BOOST_AUTO_TEST_CASE(udp_ends_after_240_idle_seconds_and_in_silence) {
    Bench bench;
    const auto question = [] { return udp("198.51.100.7:5000", "203.0.113.10:53"); };
    check(bench.from_outside(question()), because(Reason::dnat));
    bench.after(239s);
    check(bench.from_inside(udp("10.1.0.4:53", "10.0.1.5:5000")), because(Reason::reply));
    bench.after(239s);
    check(bench.from_outside(question()), because(Reason::established));
    bench.after(240s);
    check(bench.from_inside(udp("10.1.0.4:53", "10.0.1.5:5000")), because(Reason::no_flow));
    check(bench.from_outside(question()), because(Reason::dnat));
    BOOST_TEST(bench.synthesized().empty());
}

BOOST_AUTO_TEST_CASE(what_is_being_opened_closed_or_reset_ends_in_silence) {
    struct Row {
        const char* sentence;
        void (*play)(Bench&);
    };
    for (const auto& row : {
             Row{"a SYN without answer",
                 [](Bench& bench) { check(bench.from_outside(from_client().syn()), is_forwarded); }},
             Row{"an answer that is not acknowledged",
                 [](Bench& bench) {
                     check(bench.from_outside(from_client().syn()), is_forwarded);
                     check(bench.from_inside(from_server().syn().ack(1)), is_forwarded);
                 }},
             Row{"both sides have closed",
                 [](Bench& bench) {
                     bench.connect("198.51.100.7:40000");
                     check(bench.from_outside(from_client().fin().ack(5001).seq(1001)), is_forwarded);
                     check(bench.from_inside(from_server().fin().ack(1002).seq(5001)), is_forwarded);
                 }},
             Row{"a reset",
                 [](Bench& bench) {
                     bench.connect("198.51.100.7:40000");
                     check(bench.from_inside(from_server().rst().seq(5001)), is_forwarded);
                 }},
         }) {
        BOOST_TEST_CONTEXT(row.sentence) {
            auto config = lab();
            config.timeouts.tcp_transitory = 100s;
            Bench bench{config};
            row.play(bench);
            bench.after(100s - 1ns);
            BOOST_TEST(bench.pipeline().flows().size() == 1U);
            bench.after(1ns);
            BOOST_TEST(bench.pipeline().flows().size() == 0U);
            BOOST_TEST(bench.synthesized().empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_closed_connection_ends_on_time_whatever_its_ends_still_say) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    check(bench.from_outside(from_client().fin().ack(5001).seq(1001)), is_forwarded);
    check(bench.from_inside(from_server().fin().ack(1002).seq(5001)), is_forwarded);
    bench.after(200s);
    check(bench.from_outside(from_client().ack(5002).seq(1002)), because(Reason::established));
    bench.after(40s);
    check(bench.from_outside(from_client().ack(5002).seq(1002)), because(Reason::invalid_state));
}

BOOST_AUTO_TEST_CASE(a_half_closed_connection_is_alive_and_answered_with_resets) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    check(bench.from_outside(from_client().fin().ack(5001).seq(1001)), is_forwarded);
    bench.after(200s);
    check(bench.from_inside(from_server().psh().ack(1002).seq(5001).payload("more")), because(Reason::reply));
    bench.after(240s);
    auto resets = bench.synthesized();
    BOOST_REQUIRE_EQUAL(resets.size(), 2U);
    check(resets[0], seq(5005), ack_number(1002));
}

BOOST_AUTO_TEST_CASE(forged_resets_and_icmp_errors_do_not_keep_a_connection_alive) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.after(200s);
    check(bench.from_outside(from_client().rst().seq(900000000)), because(Reason::established));
    check(bench.from_outside(icmp_error(3, 1, "198.51.100.7", "203.0.113.10")
                                 .quoting(tcp("203.0.113.10:8080", "198.51.100.7:40000").ack(1001).seq(5001))),
          because(Reason::related));
    bench.after(40s);
    BOOST_TEST(bench.synthesized().size() == 2U);
}

BOOST_AUTO_TEST_CASE(flows_end_in_the_order_of_their_deadlines) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.after(1s);
    bench.connect("198.51.100.7:40001");
    bench.after(1s);
    bench.connect("198.51.100.7:40002");
    bench.after(1s);
    check(bench.from_outside(from_client().ack(5001).seq(1001)), is_forwarded);  // the first is the last now
    bench.after(1h);
    auto resets = bench.synthesized();
    BOOST_REQUIRE_EQUAL(resets.size(), 6U);
    check(resets[0], to("198.51.100.7:40001"));
    check(resets[2], to("198.51.100.7:40002"));
    check(resets[4], to("198.51.100.7:40000"));
    BOOST_TEST((resets[0].time == start_time + 241s));
    BOOST_TEST((resets[4].time == start_time + 243s));
}

BOOST_AUTO_TEST_CASE(timeouts_are_settable) {
    auto config = lab();
    config.timeouts.tcp_idle = 10s;
    config.timeouts.udp_idle = 20s;
    config.timeouts.tcp_idle_east_west = 30s;
    Bench bench{config};
    bench.connect("198.51.100.7:41000");
    check(bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53")), is_forwarded);
    connect_east_west(bench);
    BOOST_TEST(bench.pipeline().flows().size() == 3U);
    bench.after(10s);
    BOOST_TEST(bench.pipeline().flows().size() == 2U);
    bench.after(10s);
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
    bench.after(10s);
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_clock_that_runs_backwards_stands_still) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.set_clock(start_time - 1h);
    auto earlier = bench.from_outside(from_client().ack(5001).seq(1001));
    check(earlier, because(Reason::established));
    BOOST_TEST((earlier.time == start_time - 1h));  // the frame itself keeps its time
    BOOST_TEST(bench.pipeline().counters().clock_steps_back == 1U);
    bench.set_clock(start_time);
    bench.after(240s);
    BOOST_TEST(bench.synthesized().size() == 2U);
    bench.set_clock(start_time + 100s);
    bench.after(1s);  // to the past: nothing comes back, nothing else ends
    check(bench.from_outside(from_client().syn().seq(7000)), because(Reason::dnat));
}

BOOST_AUTO_TEST_CASE(a_window_is_judged_by_the_clock_that_stands_still) {
    Bench bench;
    bench.open_window("198.51.100.7", 1h);
    bench.after(2h);
    bench.set_clock(start_time + 30min);
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50022").syn()), because(Reason::jit_closed));
}

BOOST_AUTO_TEST_CASE(time_stamps_of_any_size_end_flows_and_nothing_worse) {
    for (const auto extreme : {Time::max(), Time::max() - 1ns, Time::max() - 240s}) {
        Bench bench;
        bench.connect("198.51.100.7:40000");
        bench.set_clock(extreme);
        check(bench.from_outside(from_client().ack(5001).seq(1001)), because(Reason::invalid_state));
        BOOST_TEST(bench.synthesized().size() == 2U);
        check(bench.from_outside(from_client().syn().seq(7000)), because(Reason::dnat));
        check(bench.from_inside(from_server().syn().ack(7001).seq(8000)), because(Reason::reply));
        bench.after(0s);
        bench.cut(1);
        bench.finish();
        BOOST_TEST(bench.pipeline().flows().size() == 1U);
    }
    Bench early;
    early.set_clock(Time::min());
    check(early.from_outside(from_client().syn().seq(1000)), because(Reason::dnat));
    early.set_clock(Time::min() + 240s - 1ns);
    check(early.from_outside(from_client().syn().seq(1000)), because(Reason::established));
}

BOOST_AUTO_TEST_SUITE_END()
