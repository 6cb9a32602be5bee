#include <boost/test/unit_test.hpp>

#include <array>

#include "gateway/access/access.hpp"
#include "tests/support/pipeline_bench.hpp"

namespace pipeline_fragments_test {

// Datagrams in fragments, as the pipeline judges them.

using captures::packet::Side;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

/// 8 bytes of header and 312 of payload: five fragments of 64 bytes.
PacketBuilder question(std::uint16_t id = 1) {
    return udp("198.51.100.7:5000", "203.0.113.10:53").payload_size(312).id(id);
}
/// The same as the machine gets it.
PacketBuilder delivered(std::uint16_t id = 1) {
    return udp("10.0.1.5:5000", "10.1.0.4:53").payload_size(312).id(id).ttl(63);
}
PacketBuilder answer(std::uint16_t id = 1) { return udp("10.1.0.4:53", "10.0.1.5:5000").payload_size(312).id(id); }

/// The datagram of the frame is the one that its sender would have built.
void check_datagram(Told told, OwnedFrame expected) {
    const Decoded same{std::move(expected)};
    const auto frame = told.frame();
    const auto found = captures::packet::decode(frame);
    BOOST_REQUIRE(found.ip != nullptr);
    const std::string_view bytes{reinterpret_cast<const char*>(found.ip), found.captured};
    const std::string_view should{reinterpret_cast<const char*>(same.packet.ip), same.packet.captured};
    BOOST_CHECK_MESSAGE(bytes == should, to_string(told) << "\nis not\n" << to_hex(same.frame.bytes()));
}

/// Numbers and reasons, in the order in which they were told.
std::string told_of(Bench& bench) {
    std::string text;
    for (const auto& one : bench.all_told()) {
        text += (text.empty() ? "" : ", ") + std::to_string(one.number) + ' ' + std::string{to_string(one.reason)};
    }
    return text;
}

}  // namespace pipeline_fragments_test

BOOST_AUTO_TEST_SUITE(pipeline_fragments_test)

BOOST_AUTO_TEST_CASE(in_order_all_fragments_go_where_the_first_goes) {
    Bench bench;
    for (std::size_t offset = 0; offset < 320; offset += 64) {
        const auto told = bench.from_outside(fragment_of(question(), offset, 64));
        check(told, is_forwarded, because(offset == 0 ? Reason::dnat : Reason::established), by_rule("inbound/dns"),
              leaves(Side::inside));
        check_datagram(told, fragment_of(delivered(), offset, 64));
    }
    for (std::size_t offset = 0; offset < 320; offset += 64) {
        const auto told = bench.from_inside(fragment_of(answer(), offset, 64));
        check(told, is_forwarded, because(Reason::reply), leaves(Side::outside), from("203.0.113.10"),
              to("198.51.100.7"), ttl(63));
    }
    BOOST_TEST(bench.pipeline().counters().flows_created == 1U);
}

BOOST_AUTO_TEST_CASE(what_comes_before_the_first_fragment_waits_and_follows_it_in_order) {
    Bench bench;
    for (const std::size_t offset : {256U, 64U, 192U}) {
        check(bench.from_outside(fragment_of(question(), offset, 64)), is_held);
    }
    BOOST_TEST(told_of(bench).empty());
    check(bench.from_outside(fragment_of(question(), 0, 64)), because(Reason::dnat));
    auto all = bench.all_told();
    BOOST_REQUIRE_EQUAL(all.size(), 4U);
    const std::vector<std::uint64_t> order{4, 1, 2, 3};
    const std::vector<std::size_t> offsets{0, 256, 64, 192};
    for (std::size_t i = 0; i < all.size(); ++i) {
        BOOST_TEST(all[i].number == order[i]);
        check(all[i], is_forwarded, because(i == 0 ? Reason::dnat : Reason::established), leaves(Side::inside),
              by_rule("inbound/dns"));
        check_datagram(all[i], fragment_of(delivered(), offsets[i], 64));
    }
    check(bench.from_outside(fragment_of(question(), 128, 64)), because(Reason::established));
}

BOOST_AUTO_TEST_CASE(what_is_released_leaves_between_the_first_fragment_and_the_next_packet) {
    Bench bench;
    std::vector<OwnedFrame> owned;
    owned.push_back(fragment_of(question(), 64, 64));
    owned.push_back(udp("198.51.100.9:5000", "203.0.113.10:53").build());
    owned.push_back(fragment_of(question(), 0, 64));
    owned.push_back(udp("198.51.100.9:5000", "203.0.113.10:53").build());
    std::vector<captures::packet::Frame> frames;
    for (auto& one : owned) {
        frames.push_back(one.frame());
        frames.back().number = frames.size();
    }
    Recorder recorder;
    bench.pipeline().process(frames, recorder);
    std::vector<std::uint64_t> order;
    for (const auto& one : recorder.told) order.push_back(one.number);
    BOOST_TEST(order == (std::vector<std::uint64_t>{2, 3, 1, 4}));
}

BOOST_AUTO_TEST_CASE(what_is_decided_of_the_first_fragment_holds_for_all) {
    Bench bench;
    const auto closed = [] { return udp("198.51.100.7:5353", "203.0.113.10:5353").payload_size(312).id(9); };
    check(bench.from_outside(fragment_of(closed(), 128, 64)), is_held);
    check(bench.from_outside(fragment_of(closed(), 0, 64)), is_dropped, because(Reason::jit_closed),
          by_rule("inbound/mdns"), with_detail("no window is open for 198.51.100.7 to 10.1.0.4:5353"));
    check(bench.from_outside(fragment_of(closed(), 64, 64)), is_dropped, because(Reason::jit_closed),
          by_rule("inbound/mdns"), with_detail("as its first fragment"));
    BOOST_TEST(told_of(bench) == "2 jit-closed, 1 jit-closed, 3 jit-closed");
}

BOOST_AUTO_TEST_CASE(fragments_whose_first_never_comes_are_dropped_when_their_time_is_over) {
    Bench bench;
    check(bench.from_outside(fragment_of(question(), 64, 64)), is_held);
    bench.after(30s - 1ns);
    BOOST_TEST(told_of(bench).empty());
    BOOST_TEST(bench.count(Reason::fragment) == 0U);
    bench.after(1ns);
    auto all = bench.all_told();
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    check(all[0], is_dropped, because(Reason::fragment), by_rule(""),
          with_detail("its first fragment did not come in time"));
    BOOST_TEST(bench.count(Reason::fragment) == 1U);
}

BOOST_AUTO_TEST_CASE(fragments_that_still_wait_at_the_end_are_dropped) {
    Bench bench;
    check(bench.from_outside(fragment_of(question(1), 64, 64)), is_held);
    bench.after(1s);
    check(bench.from_outside(fragment_of(question(2), 64, 64)), is_held);
    check(bench.from_outside(fragment_of(question(3), 0, 64)), is_forwarded);
    bench.all_told();
    bench.finish();
    auto all = bench.all_told();
    BOOST_REQUIRE_EQUAL(all.size(), 2U);
    for (const auto& one : all) {
        check(one, is_dropped, because(Reason::fragment), with_detail("the capture ended before its first fragment"));
    }
    BOOST_TEST(all[0].number == 1U);
    const auto& counters = bench.pipeline().counters();
    BOOST_TEST(counters.packets == 3U);
    BOOST_TEST(bench.count(Reason::fragment) + bench.count(Reason::dnat) == 3U);
}

BOOST_AUTO_TEST_CASE(overlaps_repetitions_and_scatterings_are_dropped) {
    Bench bench;
    check(bench.from_outside(fragment_of(question(), 0, 64)), is_forwarded);
    check(bench.from_outside(fragment_of(question(), 0, 64)), is_dropped, because(Reason::fragment),
          with_detail("it repeats what came before"));
    check(bench.from_outside(fragment_of(question(), 64, 64)), is_forwarded);
    check(bench.from_outside(fragment_of(question(), 64, 64)), is_dropped, because(Reason::fragment),
          with_detail("it repeats what came before"));
    check(bench.from_outside(fragment_of(question(), 120, 64)), is_dropped, because(Reason::fragment),
          with_detail("it overlaps what came before"));
    check(bench.from_outside(fragment_of(question(), 256, 64)), is_dropped, because(Reason::fragment));

    const auto wide = [] { return question(2).payload_size(1400); };
    check(bench.from_outside(fragment_of(wide(), 0, 8)), is_forwarded);
    for (std::size_t piece = 1; piece < 16; ++piece) {
        check(bench.from_outside(fragment_of(wide(), piece * 16, 8)), is_forwarded);
    }
    check(bench.from_outside(fragment_of(wide(), 800, 8)), is_dropped, because(Reason::fragment),
          with_detail("its datagram is scattered in too many pieces"));
}

BOOST_AUTO_TEST_CASE(a_first_fragment_that_overlaps_takes_those_that_wait_with_it) {
    Bench bench;
    check(bench.from_outside(fragment_of(question(), 56, 64)), is_held);
    check(bench.from_outside(fragment_of(question(), 0, 64)), is_dropped, because(Reason::fragment),
          with_detail("it overlaps what came before"));
    auto all = bench.all_told();
    BOOST_REQUIRE_EQUAL(all.size(), 2U);
    check(all[1], is_dropped, because(Reason::fragment), by_rule(""), with_detail("fragments of its datagram overlap"));
}

BOOST_AUTO_TEST_CASE(tiny_first_fragments_are_dropped) {
    Bench bench;
    const auto segment = tcp("198.51.100.7:40000", "203.0.113.10:8080").syn().payload_size(100).id(4);
    for (const std::size_t size : {8U, 16U}) {
        check(bench.from_outside(fragment_of(segment, 0, size)), is_dropped, because(Reason::fragment),
              with_detail("fragment cuts the transport header (RFC 1858)"));
    }
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
}

BOOST_AUTO_TEST_CASE(fragments_to_where_nothing_listens_are_not_waited_for) {
    Bench bench;
    const auto to_nobody = udp("198.51.100.7:5000", "203.0.113.99:53").payload_size(312);
    check(bench.from_outside(fragment_of(to_nobody, 64, 64)), is_dropped, because(Reason::no_listener));
    check(bench.from_inside(fragment_of(udp("10.1.0.4:53", "192.0.2.1:53").payload_size(312), 64, 64)), is_dropped,
          because(Reason::no_flow));
    check(bench.from_inside(fragment_of(udp("10.1.0.4:53", "203.0.113.10:53").payload_size(312), 64, 64)), is_dropped,
          because(Reason::hairpin));
}

BOOST_AUTO_TEST_CASE(each_fragment_has_its_own_time_to_live) {
    Bench bench;
    check(bench.from_outside(fragment_of(question().ttl(1), 64, 64)), is_held);
    check(bench.from_outside(fragment_of(question().ttl(9), 128, 64)), is_held);
    check(bench.from_outside(fragment_of(question(), 0, 64)), is_forwarded);
    check(bench.from_outside(fragment_of(question().ttl(1), 192, 64)), is_dropped, because(Reason::ttl_expired));
    check(bench.from_outside(fragment_of(question(), 256, 64)), is_forwarded);
    auto all = bench.all_told();
    BOOST_REQUIRE_EQUAL(all.size(), 5U);
    check(all[1], is_dropped, because(Reason::ttl_expired));
    check(all[2], is_forwarded, ttl(8));
}

BOOST_AUTO_TEST_CASE(a_flood_of_fragments_without_a_first_does_not_keep_others_out) {
    Bench bench;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const captures::base::Endpoint flooder{{0x0b000000 + i}, 5000};
        const auto told = bench.from_outside(fragment_of(udp(flooder, "203.0.113.10:53").payload_size(312), 64, 64));
        if (!told.bytes.empty()) BOOST_REQUIRE_EQUAL(told.detail, "too many datagrams in fragments");
    }
    BOOST_TEST(bench.count(Reason::fragment) == 992U);  // half of sixteen wait
    for (std::uint16_t id = 1; id <= 100; ++id) {
        for (std::size_t offset = 0; offset < 320; offset += 64) {
            BOOST_REQUIRE((bench.from_outside(fragment_of(question(id), offset, 64)).fate() == policy::Fate::forward));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_first_fragment_that_finds_no_room_is_dropped) {
    auto config = lab();
    config.limits.fragmented_datagrams = 1;
    Bench bench{config};
    check(bench.from_outside(fragment_of(question(1), 0, 64)), is_forwarded);
    check(bench.from_outside(fragment_of(question(2), 0, 64)), is_dropped, because(Reason::fragment),
          with_detail("too many datagrams in fragments"));
}

BOOST_AUTO_TEST_CASE(after_a_cut_the_rest_of_a_datagram_does_not_pass) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    const auto guarded = [] { return udp("198.51.100.7:5353", "203.0.113.10:5353").payload_size(312).id(9); };
    check(bench.from_outside(fragment_of(guarded(), 0, 64)), because(Reason::dnat), with_window(window));
    check(bench.from_outside(fragment_of(question(), 0, 64)), is_forwarded);
    bench.cut(window);
    check(bench.from_outside(fragment_of(guarded(), 64, 64)), is_held);
    check(bench.from_outside(fragment_of(question(), 64, 64)), is_forwarded);
    bench.finish();
    BOOST_TEST(bench.count(Reason::fragment) == 1U);
}

BOOST_AUTO_TEST_CASE(a_first_fragment_that_is_refused_opens_no_flow) {
    Bench bench;
    check(bench.from_outside(fragment_of(question(), 256, 64)), is_held);
    check(bench.from_outside(fragment_of(question(), 192, 128)), because(Reason::fragment));
    check(bench.from_outside(fragment_of(question(), 0, 64)), is_dropped, because(Reason::fragment),
          with_detail("it overlaps what came before"));
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
    BOOST_TEST(bench.count(Reason::fragment) == 3U);
    const auto whole = udp("198.51.100.7:5000", "203.0.113.10:53").payload("question");
    check(bench.from_outside(whole), because(Reason::dnat));
}

BOOST_AUTO_TEST_CASE(a_second_first_fragment_opens_no_flow_either) {
    Bench bench;
    check(bench.from_outside(fragment_of(question(), 0, 64)), because(Reason::dnat));
    const auto other = udp("198.51.100.7:6000", "203.0.113.10:53").payload_size(312).id(1);
    check(bench.from_outside(fragment_of(other, 0, 64)), is_dropped, because(Reason::fragment));
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_refused_first_fragment_keeps_no_flow_alive) {
    Bench bench;
    check(bench.from_outside(fragment_of(question(), 0, 64)), because(Reason::dnat));
    bench.after(20s);
    check(bench.from_outside(fragment_of(question(), 0, 64)), because(Reason::fragment),
          with_detail("it repeats what came before"));
    bench.after(220s);
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
}

BOOST_AUTO_TEST_CASE(fragments_of_a_renewed_window_are_cut_with_the_newer_one) {
    Bench bench;
    const auto window = bench.open_window("198.51.100.7", 1h);
    const auto guarded = udp("198.51.100.7:5353", "203.0.113.10:5353").payload_size(312).id(9);
    check(bench.from_outside(fragment_of(guarded, 0, 64)), because(Reason::dnat), with_window(window));
    bench.adopt(std::array{policy::Adoption{window, 7}});
    check(bench.from_outside(fragment_of(guarded, 64, 64)), because(Reason::established), with_window(7));
    bench.cut(7);
    check(bench.from_outside(fragment_of(guarded, 128, 64)), is_held);
}

BOOST_AUTO_TEST_SUITE_END()
