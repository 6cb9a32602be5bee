#include <boost/test/unit_test.hpp>

#include "tests/support/pipeline_bench.hpp"

namespace pipeline_outside_test {

// Captures that were taken on the outside wire only: replies come translated and are untranslated.

using captures::packet::Side;
using gateway::pipeline::Vantage;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

struct Outside : Bench {
    explicit Outside(const gateway::config::Config& config = lab()) : Bench{config, Vantage::outside} {}

    /// A connection to web01:80, as the outside wire has it: the client is at 1001, the server at 5001.
    void connect_outside() {
        check(from_outside(from_client().syn().seq(1000)), because(Reason::dnat));
        check(from_outside(from_server().syn().ack(1001).seq(5000)), because(Reason::reply));
        check(from_outside(from_client().ack(5001).seq(1001)), because(Reason::established));
    }
    [[nodiscard]] static PacketBuilder from_client() { return tcp("198.51.100.7:40000", "203.0.113.10:8080"); }
    [[nodiscard]] static PacketBuilder from_server() { return tcp("203.0.113.10:8080", "198.51.100.7:40000"); }
};

}  // namespace pipeline_outside_test

BOOST_AUTO_TEST_SUITE(pipeline_outside_test)

BOOST_AUTO_TEST_CASE(a_reply_is_undone_to_what_the_machine_sent) {
    Outside bench;
    check(bench.from_outside(bench.from_client().syn().seq(1000)), is_forwarded, because(Reason::dnat),
          from("10.0.1.5:40000"), to("10.1.0.4:80"), ttl(63), leaves(Side::inside), checksums_hold);
    check(bench.from_outside(bench.from_server().syn().ack(1001).seq(5000).ttl(63)), is_forwarded,
          because(Reason::reply), by_rule("inbound/web"), from("10.1.0.4:80"), to("10.0.1.5:40000"), ttl(64),
          flags("S."), checksums_hold);
    check(bench.from_outside(bench.from_client().ack(5001).seq(1001)), because(Reason::established));
}

BOOST_AUTO_TEST_CASE(the_side_that_a_frame_says_does_not_matter) {
    Outside bench;
    check(bench.from_inside(bench.from_client().syn()), because(Reason::dnat));
    check(bench.from_inside(bench.from_server().syn().ack(1)), because(Reason::reply), from("10.1.0.4:80"));
}

BOOST_AUTO_TEST_CASE(a_reply_gets_back_the_hop_that_the_gateway_took_from_it) {
    Outside bench;
    bench.connect_outside();
    struct Row {
        std::uint8_t before;
        int after;
    };
    for (const auto& row : {Row{0, 1}, Row{1, 2}, Row{128, 129}, Row{254, 255}, Row{255, 255}}) {
        check(bench.from_outside(bench.from_server().ack(1001).seq(5001).ttl(row.before)), is_forwarded, ttl(row.after),
              checksums_hold);
    }
}

BOOST_AUTO_TEST_CASE(replies_advance_the_flow_like_any) {
    Outside bench;
    bench.connect_outside();
    check(bench.from_outside(bench.from_server().psh().ack(1001).seq(5001).payload("bye")), is_forwarded);
    check(bench.from_outside(bench.from_server().fin().ack(1001).seq(5004)), because(Reason::reply));
    check(bench.from_outside(bench.from_client().fin().ack(5005).seq(1001)), because(Reason::established));
    check(bench.from_outside(bench.from_server().syn().seq(77)), is_dropped, because(Reason::invalid_state));
    check(bench.from_outside(bench.from_client().syn().seq(9000)), because(Reason::dnat));
}

BOOST_AUTO_TEST_CASE(idle_flows_are_reset_as_seen_by_both_ends) {
    Outside bench;
    bench.connect_outside();
    bench.after(240s);
    auto resets = bench.synthesized();
    BOOST_REQUIRE_EQUAL(resets.size(), 2U);
    check(resets[0], leaves(Side::outside), from("203.0.113.10:8080"), to("198.51.100.7:40000"), seq(5001),
          ack_number(1001));
    check(resets[1], leaves(Side::inside), from("10.0.1.5:40000"), to("10.1.0.4:80"), seq(1001), ack_number(5001));
}

BOOST_AUTO_TEST_CASE(a_reply_without_a_flow_is_dropped) {
    Outside bench;
    for (const auto* const source : {"203.0.113.10:8080", "203.0.113.11:1", "10.0.1.4:2222", "10.0.1.5:40000"}) {
        check(bench.from_outside(tcp(source, "198.51.100.7:40000").syn().ack(1)), is_dropped, because(Reason::no_flow));
    }
    check(bench.from_outside(udp("203.0.113.10:53", "198.51.100.7:5000")), because(Reason::no_flow));
}

BOOST_AUTO_TEST_CASE(a_reply_to_a_client_that_was_refused_is_dropped) {
    Outside bench;
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50022").syn()), because(Reason::jit_closed));
    check(bench.from_outside(tcp("203.0.113.10:50022", "198.51.100.7:40000").syn().ack(1)), because(Reason::no_flow));
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50022").ack(1)), because(Reason::invalid_state));
}

BOOST_AUTO_TEST_CASE(other_traffic_on_the_wire_has_no_listener) {
    Outside bench;
    check(bench.from_outside(tcp("198.51.100.7:40000", "192.0.2.80:443").syn()), because(Reason::no_listener));
    check(bench.from_outside(tcp("192.0.2.80:443", "198.51.100.7:40000").syn().ack(1)), because(Reason::no_listener));
}

BOOST_AUTO_TEST_CASE(east_west_flows_are_undone_from_the_private_ip) {
    Outside bench;
    check(bench.from_outside(tcp("10.2.0.9:40000", "10.0.1.4:2222").syn()), because(Reason::dnat));
    check(bench.from_outside(tcp("10.0.1.4:2222", "10.2.0.9:40000").syn().ack(1)), because(Reason::reply),
          from("10.1.0.4:2222"), to("10.0.1.5:40000"));
}

BOOST_AUTO_TEST_CASE(icmp_errors_are_undone_with_what_they_quote) {
    Outside bench;
    bench.connect_outside();
    const auto seen = [&] { return bench.from_client().ack(5001).seq(1001).ttl(60).payload("seen outside"); };
    check(bench.from_outside(icmp_error(3, 3, "203.0.113.10", "198.51.100.7").quoting(seen(), 1000).ttl(62)),
          is_forwarded, because(Reason::related), from("10.1.0.4"), to("10.0.1.5"), ttl(63),
          quotes_from("10.0.1.5:40000"), quotes_to("10.1.0.4:80"), icmp(3, 3), checksums_hold);
    check(bench.from_outside(
              icmp_error(11, 0, "192.0.2.254", "203.0.113.10").quoting(bench.from_server().ack(1001).seq(5001), 8)),
          is_forwarded, because(Reason::related), from("10.0.1.5"), to("10.1.0.4"), ttl(63), quotes_from("10.1.0.4:80"),
          quotes_to("10.0.1.5:40000"), icmp(11, 0), checksums_hold);
    check(bench.from_outside(icmp_error(3, 3, "192.0.2.254", "198.51.100.7").quoting(seen())),
          because(Reason::no_flow));  // a router's, to the client: it never came to the gateway
}

BOOST_AUTO_TEST_CASE(fragmented_replies_are_undone_in_any_order) {
    Outside bench;
    const auto answer = [] { return udp("203.0.113.10:53", "198.51.100.7:5000").payload_size(312).id(7); };
    check(bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53")), because(Reason::dnat));
    check(bench.from_outside(fragment_of(answer().ttl(1), 64, 64)), is_held);
    check(bench.from_outside(fragment_of(answer(), 0, 64)), is_forwarded, because(Reason::reply), from("10.1.0.4:53"));
    check(bench.from_outside(fragment_of(answer(), 128, 192)), is_forwarded, because(Reason::reply), from("10.1.0.4"),
          to("10.0.1.5"), ttl(65));
    auto all = bench.all_told();
    BOOST_REQUIRE_EQUAL(all.size(), 4U);
    BOOST_TEST(all[2].number == 2U);
    check(all[2], is_forwarded, because(Reason::reply), from("10.1.0.4"), to("10.0.1.5"), ttl(2), is_fragment,
          checksums_hold);
}

BOOST_AUTO_TEST_CASE(windows_count_from_outside_too) {
    Outside bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50022").syn().seq(1000)), with_window(window));
    check(bench.from_outside(tcp("203.0.113.10:50022", "198.51.100.7:40000").syn().ack(1001).seq(5000)),
          with_window(window), because(Reason::reply));
    bench.cut(window);
    BOOST_TEST(bench.synthesized().size() == 2U);
    check(bench.from_outside(tcp("203.0.113.10:50022", "198.51.100.7:40000").ack(1001).seq(5001)), is_dropped,
          because(Reason::window_cut));
}

BOOST_AUTO_TEST_SUITE_END()
