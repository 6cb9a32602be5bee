#include <boost/test/unit_test.hpp>

#include "tests/support/pipeline_bench.hpp"

namespace pipeline_icmp_test {

// ICMP errors about tracked flows (RFC 5508).

using captures::packet::Side;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

/// What the client got from the listener, and what the machine got from the instance.
PacketBuilder reply() { return tcp("203.0.113.10:8080", "198.51.100.7:40000").ack(1001).seq(5001).payload("reply"); }
PacketBuilder request() { return tcp("10.0.1.5:40000", "10.1.0.4:80").ack(5001).seq(1001).payload("request"); }

}  // namespace pipeline_icmp_test

BOOST_AUTO_TEST_SUITE(pipeline_icmp_test)

BOOST_AUTO_TEST_CASE(an_error_from_outside_reaches_the_machine_as_if_the_instance_had_sent_it) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    check(bench.from_outside(icmp_error(3, 1, "198.51.100.7", "203.0.113.10").quoting(reply(), 1000)), is_forwarded,
          because(Reason::related), by_rule("inbound/web"), leaves(Side::inside), from("10.0.1.5"), to("10.1.0.4"),
          ttl(63), icmp(3, 1), quotes_from("10.1.0.4:80"), quotes_to("10.0.1.5:40000"), checksums_hold);
}

BOOST_AUTO_TEST_CASE(an_error_from_inside_reaches_the_client_as_if_the_listener_had_sent_it) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    check(bench.from_inside(icmp_error(3, 3, "10.1.0.4", "10.0.1.5").quoting(request(), 1000)), is_forwarded,
          because(Reason::related), by_rule("inbound/web"), leaves(Side::outside), from("203.0.113.10"),
          to("198.51.100.7"), ttl(63), icmp(3, 3), quotes_from("198.51.100.7:40000"), quotes_to("203.0.113.10:8080"),
          checksums_hold);
}

BOOST_AUTO_TEST_CASE(a_router_on_the_way_may_send_it_and_stays_hidden) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    check(bench.from_outside(icmp_error(11, 0, "192.0.2.254", "203.0.113.10").quoting(reply())), is_forwarded,
          because(Reason::related), from("10.0.1.5"), to("10.1.0.4"), checksums_hold);
    check(bench.from_inside(icmp_error(3, 4, "10.1.0.1", "10.0.1.5").mtu(1400).quoting(request())), is_forwarded,
          because(Reason::related), from("203.0.113.10"), to("198.51.100.7"), checksums_hold);
}

BOOST_AUTO_TEST_CASE(all_types_of_error_pass_with_their_code) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    for (const int type : {3, 4, 11, 12}) {
        for (int code = 0; code < (type == 3 ? 16 : 2); ++code) {
            check(bench.from_outside(icmp_error(static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code),
                                                "198.51.100.7", "203.0.113.10")
                                         .quoting(reply())),
                  because(Reason::related), icmp(type, code), checksums_hold);
        }
    }
    check(bench.from_outside(icmp_error(5, 1, "198.51.100.7", "203.0.113.10").quoting(reply())), is_dropped,
          because(Reason::unsupported));  // a redirect
}

BOOST_AUTO_TEST_CASE(errors_about_udp_and_a_changed_port_pass) {
    Bench bench;
    check(bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53")), from("10.0.1.5:5000"));
    check(bench.from_outside(udp("198.51.100.8:5000", "203.0.113.10:53")), from("10.0.1.5:5001"));
    check(bench.from_inside(icmp_error(3, 3, "10.1.0.4", "10.0.1.5")
                                .quoting(udp("10.0.1.5:5001", "10.1.0.4:53").payload("question"), 1000)),
          is_forwarded, to("198.51.100.8"), quotes_from("198.51.100.8:5000"), quotes_to("203.0.113.10:53"),
          checksums_hold);
}

BOOST_AUTO_TEST_CASE(an_error_about_nothing_that_is_tracked_is_dropped) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    struct Row {
        const char* sentence;
        PacketBuilder quoted;
    };
    const auto* const detail = "ICMP error about no tracked flow";
    for (const auto& row : {
             Row{"another client", tcp("203.0.113.10:8080", "198.51.100.8:40000").ack(1)},
             Row{"another port", tcp("203.0.113.10:8080", "198.51.100.7:40001").ack(1)},
             Row{"another protocol", udp("203.0.113.10:8080", "198.51.100.7:40000")},
             Row{"the client's own packet", tcp("198.51.100.7:40000", "203.0.113.10:8080").ack(1)},
             Row{"what the machine sent, before translation", tcp("10.1.0.4:80", "10.0.1.5:40000").ack(1)},
         }) {
        BOOST_TEST_CONTEXT(row.sentence) {
            check(bench.from_outside(icmp_error(3, 1, "198.51.100.7", "203.0.113.10").quoting(row.quoted)), is_dropped,
                  because(Reason::no_flow), with_detail(detail));
        }
    }
    check(bench.from_inside(icmp_error(3, 1, "10.1.0.4", "10.0.1.5").quoting(reply())), because(Reason::no_flow));
}

BOOST_AUTO_TEST_CASE(an_error_must_go_to_the_sender_of_what_it_quotes) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    const auto* const detail = "ICMP error is not addressed to the sender of what it quotes";
    check(bench.from_outside(icmp_error(3, 1, "198.51.100.7", "203.0.113.11").quoting(reply())), is_dropped,
          because(Reason::no_flow), with_detail(detail));
    check(bench.from_inside(icmp_error(3, 1, "10.1.0.4", "10.0.1.4").quoting(request())), is_dropped,
          because(Reason::no_flow), with_detail(detail));
}

BOOST_AUTO_TEST_CASE(the_firewalls_own_address_is_forged_as_a_source_outside) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    check(bench.from_outside(icmp_error(3, 1, "10.0.1.5", "203.0.113.10").quoting(reply())), is_dropped,
          because(Reason::malformed));
}

BOOST_AUTO_TEST_CASE(an_error_whose_checksums_are_wrong_is_dropped) {  // RFC 5508 REQ-3
    Bench bench;
    bench.connect("198.51.100.7:40000");
    const auto error = [] { return icmp_error(3, 1, "198.51.100.7", "203.0.113.10"); };
    check(bench.from_outside(error().quoting(reply()).bad_checksum()), is_dropped, because(Reason::malformed),
          with_detail("ICMP checksum is wrong"));
    check(bench.from_outside(error().quoting(reply()).bad_quoted_ip_checksum()), is_dropped, because(Reason::malformed),
          with_detail("packet quoted by the ICMP error is not usable"));
    check(bench.from_outside(error().quoting(reply(), 7)), is_dropped, because(Reason::malformed));
    check(bench.from_outside(error().quoting(reply().bad_checksum(), 1000)), is_forwarded, because(Reason::related));
}

BOOST_AUTO_TEST_CASE(an_error_changes_nothing_about_the_flow) {  // RFC 5508 REQ-6
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.after(239s);
    check(bench.from_outside(icmp_error(3, 1, "198.51.100.7", "203.0.113.10").quoting(reply())),
          because(Reason::related));
    check(bench.from_inside(icmp_error(3, 3, "10.1.0.4", "10.0.1.5").quoting(request())), because(Reason::related));
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
    bench.after(1s);
    auto resets = bench.synthesized();
    BOOST_REQUIRE_EQUAL(resets.size(), 2U);
    check(resets[0], seq(5001), ack_number(1001));
}

BOOST_AUTO_TEST_CASE(an_error_with_a_time_to_live_of_1_does_not_pass) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    check(bench.from_outside(icmp_error(3, 1, "198.51.100.7", "203.0.113.10").quoting(reply()).ttl(1)), is_dropped,
          because(Reason::ttl_expired));
}

BOOST_AUTO_TEST_CASE(after_a_cut_errors_about_it_do_not_pass) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50022").syn()), because(Reason::dnat));
    bench.cut(window);
    check(
        bench.from_inside(icmp_error(3, 1, "10.1.0.4", "10.0.1.5").quoting(tcp("10.0.1.5:40000", "10.1.0.4:22").syn())),
        is_dropped, because(Reason::window_cut), with_window(window));
}

BOOST_AUTO_TEST_SUITE_END()
