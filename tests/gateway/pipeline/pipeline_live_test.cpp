#include <boost/test/unit_test.hpp>

#include "captures/base/checksum.hpp"
#include "captures/packet/link_layer.hpp"
#include "tests/support/pipeline_bench.hpp"

namespace pipeline_live_test {

// What only a live gateway asks of the pipeline: wires that do not take every frame, flows that are ended by hand.

using captures::packet::Side;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

constexpr std::uint32_t tcp_headers = 40;

PacketBuilder data(std::size_t bytes) {
    return tcp("198.51.100.7:40000", "203.0.113.10:8080").ack(5001).seq(1001).payload_size(bytes);
}

/// The fragment, not to be cut again.
OwnedFrame with_df(OwnedFrame fragment) {
    auto* const ip = fragment.frame().data + captures::packet::ethernet_size;
    captures::base::store_be16(ip + 6, static_cast<std::uint16_t>(captures::base::load_be16(ip + 6) | 0x4000));
    captures::base::store_be16(ip + 10, 0);
    captures::base::store_be16(ip + 10, captures::base::checksum_of({ip, 20}));
    return fragment;
}

}  // namespace pipeline_live_test

BOOST_AUTO_TEST_SUITE(pipeline_live_test)

BOOST_AUTO_TEST_CASE(a_datagram_that_must_stay_whole_and_does_not_fit_is_dropped) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.pipeline().set_mtu(Side::inside, 1400);
    check(bench.from_outside(data(1400 - tcp_headers).df()), because(Reason::established));
    check(bench.from_outside(data(1400 - tcp_headers + 1).df()), is_dropped, because(Reason::too_big),
          by_rule("inbound/web"));
    check(bench.from_outside(data(1400 - tcp_headers + 1).df(false)), because(Reason::established));
    const auto answer = tcp("10.1.0.4:80", "10.0.1.5:40000").ack(1001).seq(5001).payload_size(1460).df();
    check(bench.from_inside(answer), because(Reason::reply));  // the other wire's limit is its own
}

BOOST_AUTO_TEST_CASE(a_frame_that_stands_for_several_segments_fits_if_each_of_them_does) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.pipeline().set_mtu(Side::inside, 1400);
    auto built = data(4000).df().build();
    for (const auto& [size, reason] :
         {std::pair{std::uint16_t{1360}, Reason::established}, std::pair{std::uint16_t{1361}, Reason::too_big}}) {
        auto owned = built;
        auto frame = owned.frame();
        frame.offload.segment_size = size;
        frame.time = bench.now();
        bench.feed({&frame, 1});
        check(bench.all_told().back(), because(reason));
    }
    auto owned = built;
    auto frame = owned.frame();
    frame.offload = {.segment_size = 1460, .size_is_guess = true, .partial_checksum = false};
    frame.time = bench.now();
    bench.feed({&frame, 1});
    check(bench.all_told().back(), because(Reason::established));  // it is cut as the next wire needs it
}

BOOST_AUTO_TEST_CASE(a_flow_that_is_ended_by_hand_gets_a_reset_to_either_end) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    static_cast<void>(bench.all_told());
    const dnat::Arrived arrived{{{captures::base::Ipv4Address{0xc6336407}, 40000},
                                 {captures::base::Ipv4Address{0xcb00710a}, 8080},
                                 captures::base::Protocol::tcp}};
    Recorder recorder;
    BOOST_TEST(bench.pipeline().end(arrived, bench.now(), recorder));
    BOOST_REQUIRE_EQUAL(recorder.told.size(), 2U);
    check(recorder.told[0], seq(5001), ack_number(1001));
    check(recorder.told[1], seq(1001), ack_number(5001));
    BOOST_TEST(!bench.pipeline().end(arrived, bench.now(), recorder));
    check(bench.from_outside(data(10)), because(Reason::invalid_state));
}

BOOST_AUTO_TEST_CASE(windows_may_be_told_in_a_clock_that_is_ahead_of_the_frames) {
    Bench bench;
    policy::Doors doors;
    policy::Window window{1, {captures::base::Ipv4Address{0x0a010004}, 22}, {}, {captures::base::Prefix{}}, {}, {}};
    window.sources = {captures::base::Prefix{{}, 0}};
    window.start = bench.now() + 1h;
    window.end = bench.now() + 2h;
    doors.guard(window.target, {});
    doors.open(window);
    const auto syn = tcp("198.51.100.7:40000", "203.0.113.10:50022").syn();
    bench.pipeline().use(doors, 59min);
    check(bench.from_outside(syn), because(Reason::jit_closed));
    bench.pipeline().use(doors, 1h);
    check(bench.from_outside(syn), because(Reason::dnat));
}

BOOST_AUTO_TEST_CASE(a_fragment_that_waited_must_fit_as_others_must) {
    Bench bench;
    bench.pipeline().set_mtu(Side::inside, 1000);
    const auto datagram = udp("198.51.100.7:5000", "203.0.113.10:53").payload_size(1400).id(1);
    check(bench.from_outside(with_df(fragment_of(datagram, 64, 1200))), is_held);
    check(bench.from_outside(fragment_of(datagram, 0, 64)), because(Reason::dnat));
    check(bench.all_told().back(), is_dropped, because(Reason::too_big), is_unchanged);
    BOOST_TEST(bench.count(Reason::too_big) == 1U);
    const auto cuttable = udp("198.51.100.7:5000", "203.0.113.10:53").payload_size(1400).id(2);
    check(bench.from_outside(fragment_of(cuttable, 64, 1200)), is_held);
    check(bench.from_outside(fragment_of(cuttable, 0, 64)), because(Reason::established));
    check(bench.all_told().back(), because(Reason::established), leaves(Side::inside));
}

BOOST_AUTO_TEST_CASE(what_could_not_leave_opens_no_flow_and_says_so) {
    const auto tagged = tcp("198.51.100.7:40000", "203.0.113.10:8080").syn().vlan(7);
    const auto endless = tcp("198.51.100.7:40001", "203.0.113.10:8080").syn().total_length(0);
    Bench bench;
    check(bench.from_outside(tagged), because(Reason::dnat));
    check(bench.from_outside(endless), because(Reason::dnat));
    Bench live;
    live.pipeline().take_only_untagged();
    check(live.from_outside(tagged), is_dropped, because(Reason::unsupported), with_detail("the frame has a VLAN tag"));
    check(live.from_outside(endless), is_dropped, because(Reason::malformed));
    BOOST_TEST(live.pipeline().flows().size() == 0U);
    live.connect("198.51.100.7:40000");
    check(live.from_outside(data(10).vlan(7)), because(Reason::unsupported));
    check(live.from_outside(ip_protocol(132, "198.51.100.7", "203.0.113.10").vlan(7)), because(Reason::unsupported));
    check(live.from_outside(data(10)), because(Reason::established));
}

BOOST_AUTO_TEST_SUITE_END()
