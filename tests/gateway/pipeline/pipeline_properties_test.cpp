#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <numeric>

#include "tests/support/traffic_play.hpp"

namespace pipeline_properties_test {

// What must hold of any traffic, tried on much that is made up.

using gateway::pipeline::Vantage;
using policy::Fate;
using policy::Reason;
using namespace support;

/// A few, or as many as somebody asks for who has the time.
std::uint64_t seeds() {
    const auto* const asked = std::getenv("PORTCULLIS_SEEDS");
    return asked == nullptr ? 12 : std::stoull(asked);
}

constexpr std::size_t steps = 3000;

}  // namespace pipeline_properties_test

BOOST_AUTO_TEST_SUITE(pipeline_properties_test)

BOOST_AUTO_TEST_CASE(the_pipeline_agrees_with_a_naive_reference) {
    std::array<std::size_t, policy::reason_count> seen{};
    for (const auto vantage : {Vantage::both, Vantage::outside}) {
        for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
            BOOST_TEST_CONTEXT((vantage == Vantage::both ? "both" : "outside") << ", seed " << seed) {
                const auto play = make_up(seed, vantage, steps);
                if (!check_same(TrafficStage{vantage}.play_comparable(play.steps, 1), play.expected)) return;
                for (const auto& one : play.expected) {
                    if (one.number != 0) ++seen[static_cast<std::size_t>(one.reason)];
                }
            }
        }
    }
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const auto reason = static_cast<Reason>(i);
        const bool not_tried = reason == Reason::network_rule_deny || reason == Reason::ports_exhausted ||
                               reason == Reason::too_big || reason == Reason::table_full;
        BOOST_TEST_CONTEXT(reason) { BOOST_TEST((seen[i] != 0) != not_tried); }
    }
}

BOOST_AUTO_TEST_CASE(every_packet_is_forwarded_dropped_or_ignored_and_told_once) {
    for (const auto vantage : {Vantage::both, Vantage::outside}) {
        const auto play = make_up(77, vantage, steps);
        TrafficStage stage{vantage};
        const auto told = stage.play(play.steps, captures::packet::burst_capacity);
        const auto& counters = stage.bench().pipeline().counters();
        std::array<std::uint64_t, policy::reason_count> reasons{};
        std::vector<bool> seen(counters.packets + 1);
        std::uint64_t synthesized = 0;
        for (const auto& one : told) {
            if (one.number == 0) {
                ++synthesized;
                continue;
            }
            BOOST_REQUIRE_LE(one.number, counters.packets);
            BOOST_REQUIRE(!seen[one.number]);
            seen[one.number] = true;
            ++reasons[static_cast<std::size_t>(one.reason)];
            BOOST_REQUIRE((one.fate() == Fate::forward) == (one.before != one.bytes));
        }
        BOOST_TEST(counters.reasons == reasons);
        BOOST_TEST(std::accumulate(reasons.begin(), reasons.end(), std::uint64_t{0}) == counters.packets);
        BOOST_TEST(counters.synthesized == synthesized);
        BOOST_TEST(counters.flows_created >= reasons[static_cast<std::size_t>(Reason::dnat)]);
        BOOST_TEST(counters.flows_peak <= counters.flows_created);
        BOOST_TEST(synthesized > 0U);
        BOOST_TEST(counters.clock_steps_back > 0U);
    }
}

BOOST_AUTO_TEST_CASE(playing_twice_tells_the_same) {
    for (const auto vantage : {Vantage::both, Vantage::outside}) {
        const auto play = make_up(4711, vantage, steps);
        const auto once = TrafficStage{vantage}.play(play.steps, 100);
        check_same(TrafficStage{vantage}.play(play.steps, 100), once);
    }
}

BOOST_AUTO_TEST_SUITE_END()
