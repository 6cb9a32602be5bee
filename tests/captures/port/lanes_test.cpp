#include "captures/port/lanes.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace lanes_test {

using captures::base::Time;
using captures::packet::Frame;
using captures::port::Lanes;

/// An interface whose frames are numbered and timed as they arrive; each look at a queue comes after new arrivals.
struct Wire {
    std::deque<std::uint64_t> connections;
    std::deque<std::uint64_t> others;
    std::uint64_t arrived = 0;
    std::function<void(Wire&)> before_look = [](Wire&) {};

    void connection() { connections.push_back(++arrived); }
    void other() { others.push_back(++arrived); }
};

class Queue {
public:
    Queue(Wire& wire, std::deque<std::uint64_t>& arrivals, std::size_t room = 1000)
        : wire_{&wire}, arrivals_{&arrivals}, room_{room} {}

    [[nodiscard]] bool can_receive() const { return held < room_; }
    std::size_t receive(std::span<Frame> frames) {
        wire_->before_look(*wire_);
        const auto count = std::min({frames.size(), arrivals_->size(), room_ - held});
        for (Frame& frame : frames.first(count)) {
            frame = {};
            frame.number = arrivals_->front();
            arrivals_->pop_front();
        }
        held += count;
        return count;
    }
    void release(std::size_t count) {
        BOOST_REQUIRE(count <= held);
        held -= count;
    }
    [[nodiscard]] static Time time_of(const Frame& frame) { return Time{std::chrono::nanoseconds{frame.number}}; }

    std::size_t held = 0;

private:
    Wire* wire_;
    std::deque<std::uint64_t>* arrivals_;
    std::size_t room_;
};

std::vector<std::uint64_t> receive(Lanes<Queue>& lanes, std::size_t most = captures::packet::burst_capacity) {
    std::vector<Frame> frames(most);
    frames.resize(lanes.receive(frames));
    std::vector<std::uint64_t> numbers(frames.size());
    std::ranges::transform(frames, numbers.begin(), &Frame::number);
    return numbers;
}

std::vector<std::uint64_t> first(std::uint64_t count) {
    std::vector<std::uint64_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 1);
    return numbers;
}

Lanes<Queue> over(Wire& wire, std::size_t room = 1000) {
    return {Queue{wire, wire.connections, room}, Queue{wire, wire.others, room}};
}

}  // namespace lanes_test

BOOST_AUTO_TEST_SUITE(lanes_test)

BOOST_AUTO_TEST_CASE(frames_of_both_queues_come_in_the_order_of_their_arrival) {
    Wire wire;
    auto lanes = over(wire);
    BOOST_TEST(receive(lanes).empty());
    for (int round = 0; round < 3; ++round) {
        wire.other();
        wire.connection();
        wire.connection();
        wire.other();
    }
    BOOST_TEST(receive(lanes) == first(12), boost::test_tools::per_element());
    BOOST_TEST(receive(lanes).empty());
}

BOOST_AUTO_TEST_CASE(one_that_comes_while_the_other_queue_is_looked_at_is_not_overtaken) {
    for (const bool connection_first : {true, false}) {
        Wire wire;
        auto lanes = over(wire);
        int looks = 0;
        // The queue that is looked at first is still empty then; both have one when the second is looked at.
        wire.before_look = [&](Wire& now) {
            if (++looks != 2) return;
            connection_first ? now.connection() : now.other();
            connection_first ? now.other() : now.connection();
        };
        BOOST_TEST(receive(lanes) == first(2), boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_full_queue_keeps_nothing_from_the_other) {
    Wire wire;
    auto lanes = over(wire);
    for (int i = 0; i < 10'000; ++i) wire.other();
    std::size_t flood = 0;
    for (int round = 0; round < 10; ++round) flood += receive(lanes).size();
    BOOST_TEST(flood == 10 * captures::packet::burst_capacity);
    wire.others.resize(100);  // what found no room was never there
    wire.connection();
    for (int i = 0; i < 10'000; ++i) wire.other();
    const auto next = receive(lanes);
    BOOST_TEST(std::ranges::count(next, 10'001U) == 1);
}

BOOST_AUTO_TEST_CASE(whoever_cannot_hear_more_is_not_overtaken) {
    Wire wire;
    auto lanes = over(wire, 4);
    for (int i = 0; i < 6; ++i) wire.connection();
    wire.other();
    std::vector<std::uint64_t> all;
    while (true) {
        const auto some = receive(lanes);
        if (some.empty()) break;
        all.insert(all.end(), some.begin(), some.end());
    }
    BOOST_TEST(all == first(7), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(whatever_arrives_and_however_much_is_taken_at_a_time_all_come_once_and_in_order) {
    std::mt19937 random{7};
    const auto up_to = [&](unsigned most) { return std::uniform_int_distribution<unsigned>{0, most}(random); };
    for (int trial = 0; trial < 200; ++trial) {
        Wire wire;
        auto lanes = over(wire, 1 + up_to(400));
        const unsigned burst = 1 + up_to(300);
        const unsigned share = up_to(10);
        wire.before_look = [&](Wire& now) {
            for (auto left = up_to(burst); left > 0 && now.arrived < 3000; --left) {
                up_to(10) < share ? now.connection() : now.other();
            }
        };
        std::vector<std::uint64_t> all;
        for (int nothing = 0; nothing < 50;) {
            const auto some = receive(lanes, 1 + up_to(captures::packet::burst_capacity - 1));
            nothing = some.empty() ? nothing + 1 : 0;
            all.insert(all.end(), some.begin(), some.end());
        }
        BOOST_TEST_REQUIRE(all == first(wire.arrived), boost::test_tools::per_element());
        BOOST_TEST(lanes.connections().held == 0U);
        BOOST_TEST(lanes.others().held == 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
