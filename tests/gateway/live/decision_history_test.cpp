#include "gateway/live/decision_history.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/packet_builder.hpp"

namespace decision_history_test {

using gateway::live::DecisionFilter;
using gateway::live::DecisionHistory;
using gateway::outputs::Decision;
using policy::Reason;
using support::Where;
using namespace std::chrono_literals;

constexpr DecisionHistory::Clock::time_point start{1h};

Decision decision(std::uint64_t packet, Reason reason = Reason::dnat) {
    Decision made;
    made.packet = packet;
    made.reason = reason;
    made.kind = captures::packet::Kind::tcp;
    made.addressed = true;
    made.tuple = {Where{"198.51.100.7:40000"}.endpoint, Where{"203.0.113.10:50022"}.endpoint,
                  captures::base::Protocol::tcp};
    made.out_from = Where{"10.0.1.5:40000"}.endpoint;
    made.out_to = Where{"10.1.0.4:22"}.endpoint;
    return made;
}

std::vector<std::uint64_t> packets_of(const DecisionHistory::Seen& seen) {
    std::vector<std::uint64_t> packets;
    for (const auto& one : seen.decisions) packets.push_back(one.packet);
    return packets;
}

}  // namespace decision_history_test

BOOST_AUTO_TEST_SUITE(decision_history_test)

BOOST_AUTO_TEST_CASE(nothing_is_kept_until_somebody_looks) {
    DecisionHistory history;
    BOOST_TEST(!history.is_wanted());
    history.add(decision(1));
    const auto first = history.since(0, {}, 10, start);
    BOOST_TEST(first.decisions.empty());
    BOOST_TEST(history.is_wanted());
    history.add(decision(2));
    history.add(decision(3));
    const auto next = history.since(first.next, {}, 10, start);
    BOOST_TEST(packets_of(next) == (std::vector<std::uint64_t>{2, 3}), boost::test_tools::per_element());
    BOOST_TEST(next.missed == 0U);
    BOOST_TEST(history.since(next.next, {}, 10, start).decisions.empty());
}

BOOST_AUTO_TEST_CASE(a_limit_leaves_the_rest_for_the_next_look) {
    DecisionHistory history;
    auto next = history.since(0, {}, 1, start).next;
    for (std::uint64_t i = 1; i <= 5; ++i) history.add(decision(i));
    std::vector<std::uint64_t> all;
    for (int look = 0; look < 3; ++look) {
        const auto seen = history.since(next, {}, 2, start);
        for (const auto packet : packets_of(seen)) all.push_back(packet);
        next = seen.next;
    }
    BOOST_TEST(all == (std::vector<std::uint64_t>{1, 2, 3, 4, 5}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_is_too_slow_is_told_how_much_he_missed) {
    DecisionHistory history;
    const auto from = history.since(0, {}, 1, start).next;
    const auto more = DecisionHistory::capacity + 100;
    for (std::uint64_t i = 1; i <= more; ++i) history.add(decision(i));
    const auto seen = history.since(from, {}, more, start);
    BOOST_TEST(seen.missed == 100U);
    BOOST_TEST(seen.decisions.size() == DecisionHistory::capacity);
    BOOST_TEST(seen.decisions.front().packet == 101U);
    history.skip(7);  // lost on the way here
    BOOST_TEST(history.since(seen.next, {}, 1, start).missed == 7U);
}

BOOST_AUTO_TEST_CASE(watching_ends_when_nobody_has_looked_for_a_while_and_who_comes_back_knows) {
    DecisionHistory history;
    const auto from = history.since(0, {}, 1, start).next;
    history.tick(start + DecisionHistory::watch_timeout);
    BOOST_TEST(history.is_wanted());
    history.tick(start + DecisionHistory::watch_timeout + 1ms);
    BOOST_TEST(!history.is_wanted());
    history.add(decision(1));
    const auto seen = history.since(from, {}, 10, start + 1h);
    BOOST_TEST(seen.decisions.empty());
    BOOST_TEST(seen.missed > 0U);
}

BOOST_AUTO_TEST_CASE(a_number_of_another_life_begins_anew) {
    DecisionHistory history;
    const auto seen = history.since(1'000'000, {}, 10, start);
    BOOST_TEST(seen.decisions.empty());
    history.add(decision(1));
    BOOST_TEST(history.since(seen.next, {}, 10, start).decisions.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_filter_selects_by_all_that_it_names) {
    struct Row {
        const char* sentence;
        DecisionFilter filter;
        bool forwarded;
        bool dropped;
    };
    const auto prefix = [](const char* text) { return captures::base::Prefix::parse(text); };
    for (const auto& row : {
             Row{"nothing named", {}, true, true},
             Row{"a fate", {.fate = policy::Fate::drop}, false, true},
             Row{"a reason", {.reason = Reason::dnat}, true, false},
             Row{"the other side", {.side = captures::packet::Side::inside}, false, false},
             Row{"the client's network", {.address = prefix("198.51.100.0/24")}, true, true},
             Row{"an address that only what is forwarded gets", {.address = prefix("10.1.0.4")}, true, false},
             Row{"a port that only what is forwarded gets", {.port = std::uint16_t{22}}, true, false},
             Row{"the listener's port", {.port = std::uint16_t{50022}}, true, true},
             Row{"the other protocol", {.protocol = captures::base::Protocol::udp}, false, false},
         }) {
        BOOST_TEST(row.filter.selects(decision(1)) == row.forwarded, row.sentence);
        BOOST_TEST(row.filter.selects(decision(2, Reason::jit_closed)) == row.dropped, row.sentence);
    }
    Decision arp;
    BOOST_TEST(DecisionFilter{}.selects(arp));
    BOOST_TEST(!DecisionFilter{.port = std::uint16_t{22}}.selects(arp));
}

BOOST_AUTO_TEST_SUITE_END()
