#include <boost/test/unit_test.hpp>

#include "tests/support/traffic_play.hpp"

namespace pipeline_bursts_test {

// How frames are cut into bursts changes nothing.

using gateway::pipeline::Vantage;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

/// Processes all packets in one burst, each at its time and from its side.
std::vector<Told> in_one_burst(Bench& bench, const std::vector<PacketBuilder>& packets) {
    std::vector<OwnedFrame> owned;
    std::vector<captures::packet::Frame> frames;
    owned.reserve(packets.size());
    frames.reserve(packets.size());
    for (const auto& packet : packets) owned.push_back(packet.build());
    for (auto& one : owned) {
        frames.push_back(one.frame());
        frames.back().number = frames.size();
    }
    bench.feed(frames);
    return bench.all_told();
}

std::string told_of(const std::vector<Told>& all) {
    std::string text;
    for (const auto& one : all) {
        if (!text.empty()) text += ", ";
        text += one.number == 0 ? "RST" : std::string{to_string(one.reason)};
    }
    return text;
}

PacketBuilder from_client() { return tcp("198.51.100.7:40000", "203.0.113.10:8080"); }
PacketBuilder from_server() { return tcp("10.1.0.4:80", "10.0.1.5:40000").inside(); }

}  // namespace pipeline_bursts_test

BOOST_AUTO_TEST_SUITE(pipeline_bursts_test)

BOOST_AUTO_TEST_CASE(bursts_of_any_size_tell_the_same) {
    for (const auto vantage : {Vantage::both, Vantage::outside}) {
        for (const std::uint64_t seed : {21U, 22U, 23U}) {
            const auto play = make_up(seed, vantage, 3000);
            const auto one_by_one = TrafficStage{vantage}.play(play.steps, 1);
            for (const std::size_t burst : {2U, 7U, 63U, 64U, 65U, 256U, 1000U}) {
                BOOST_TEST_CONTEXT("seed " << seed << ", bursts of " << burst) {
                    if (!check_same(TrafficStage{vantage}.play(play.steps, burst), one_by_one)) return;
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_burst_may_hold_a_whole_conversation) {
    Bench bench;
    auto told = in_one_burst(bench, {from_client().syn().seq(1000), from_server().syn().ack(1001).seq(5000),
                                     from_client().ack(5001).seq(1001), from_client().rst().seq(1001),
                                     from_client().syn().seq(9000), from_server().syn().ack(9001).seq(7000)});
    BOOST_TEST(told_of(told) == "dnat, reply, established, established, dnat, reply");
    check(told[5], to("198.51.100.7:40000"), flags("S."), ack_number(9001), checksums_hold);
}

BOOST_AUTO_TEST_CASE(a_flow_that_ends_in_mid_burst_is_gone_for_the_rest_of_it) {
    Bench bench;
    auto told = in_one_burst(bench,
                             {from_client().syn().seq(1000), from_server().syn().ack(1001).seq(5000),
                              from_client().ack(5001).seq(1001), from_client().ack(5001).seq(1001).after(239s),
                              from_server().ack(1001).seq(5001).after(479s), from_client().ack(5001).after(480s)});
    BOOST_TEST(told_of(told) == "dnat, reply, established, established, RST, RST, no-flow, invalid-state");
    BOOST_TEST((told[4].time == start_time + 479s));
}

BOOST_AUTO_TEST_CASE(a_sparse_capture_ends_each_flow_on_time_though_it_is_one_burst) {
    Bench bench;
    std::vector<PacketBuilder> packets;
    for (int minute = 0; minute < 100; minute += 3) {
        packets.push_back(udp("198.51.100.7:5000", "203.0.113.10:53").after(minute * 1min));
        if (minute % 2 != 0) continue;
        packets.push_back(udp("198.51.100.8:5000", "203.0.113.10:53").after(minute * 1min + 1s));
    }
    const auto told = in_one_burst(bench, packets);
    // One client asks every three minutes and keeps its flow; the other every six, and begins anew each time.
    BOOST_TEST(bench.count(Reason::dnat) == 1U + 17);
    BOOST_TEST(bench.count(Reason::established) == 33U);
    BOOST_TEST(told.size() == 51U);
}

BOOST_AUTO_TEST_CASE(more_frames_than_a_burst_holds_are_all_processed) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.all_told();
    const std::vector<PacketBuilder> packets(1000, from_client().ack(5001).seq(1001));
    BOOST_TEST(in_one_burst(bench, packets).size() == 1000U);
    BOOST_TEST(bench.count(Reason::established) == 1001U);
}

BOOST_AUTO_TEST_CASE(no_frames_are_no_work) {
    Bench bench;
    bench.feed({});
    BOOST_TEST(bench.all_told().empty());
    BOOST_TEST(bench.pipeline().counters().packets == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
