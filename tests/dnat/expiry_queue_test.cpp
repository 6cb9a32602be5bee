#include "dnat/expiry_queue.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <set>

#include "tools/synth/random.hpp"

namespace expiry_queue_test {

using captures::base::Time;
using dnat::ExpiryQueue;
using dnat::FlowIndex;

Time at(std::int64_t nanoseconds) { return Time{captures::base::Duration{nanoseconds}}; }

/// Empties a queue; the flows in the order they came up.
std::vector<FlowIndex> drained(ExpiryQueue& queue) {
    std::vector<FlowIndex> order;
    while (!queue.empty()) {
        order.push_back(queue.top().flow);
        queue.remove(order.back());
    }
    return order;
}

using Order = std::vector<FlowIndex>;

}  // namespace expiry_queue_test

BOOST_AUTO_TEST_SUITE(expiry_queue_test)

BOOST_AUTO_TEST_CASE(flows_come_up_by_deadline_and_on_equal_ones_by_index) {
    ExpiryQueue queue{8};
    BOOST_TEST(queue.empty());
    queue.put(3, at(30));
    queue.put(7, at(10));
    queue.put(5, at(20));
    queue.put(1, at(20));
    queue.put(0, at(-5));
    BOOST_TEST((queue.top().deadline == at(-5)));
    BOOST_TEST(drained(queue) == (Order{0, 7, 1, 5, 3}));
}

BOOST_AUTO_TEST_CASE(put_moves_a_flow_that_is_there_either_way) {
    ExpiryQueue queue{4};
    for (FlowIndex flow = 0; flow < 4; ++flow) queue.put(flow, at(10 * (std::int64_t{flow} + 1)));
    queue.put(0, at(35));
    queue.put(3, at(5));
    BOOST_TEST(drained(queue) == (Order{3, 1, 2, 0}));
}

BOOST_AUTO_TEST_CASE(put_earlier_ignores_later_deadlines) {
    ExpiryQueue queue{2};
    queue.put_earlier(0, at(20));
    queue.put_earlier(1, at(10));
    queue.put_earlier(1, at(30));
    BOOST_TEST((queue.top().deadline == at(10)));
    queue.put_earlier(0, at(5));
    BOOST_TEST(drained(queue) == (Order{0, 1}));
}

BOOST_AUTO_TEST_CASE(removing_what_is_not_there_changes_nothing) {
    ExpiryQueue queue{3};
    queue.remove(0);
    queue.put(1, at(1));
    queue.remove(2);
    BOOST_TEST(queue.top().flow == 1U);
    queue.remove(1);
    queue.remove(1);
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(it_holds_as_many_flows_as_it_was_made_for) {
    constexpr FlowIndex capacity = 1000;
    ExpiryQueue queue{capacity};
    for (FlowIndex flow = 0; flow < capacity; ++flow) queue.put(flow, at(capacity - flow));
    const auto order = drained(queue);
    BOOST_REQUIRE_EQUAL(order.size(), capacity);
    for (FlowIndex i = 0; i < capacity; ++i) BOOST_REQUIRE_EQUAL(order[i], capacity - 1 - i);
}

BOOST_AUTO_TEST_CASE(it_agrees_with_an_ordered_set) {
    constexpr FlowIndex capacity = 150;
    tools::Random random{7};
    ExpiryQueue queue{capacity};
    std::set<std::pair<Time, FlowIndex>> order;
    std::map<FlowIndex, Time> noted;
    const auto note = [&](FlowIndex flow, Time deadline) {
        if (noted.contains(flow)) order.erase({noted[flow], flow});
        noted[flow] = deadline;
        order.insert({deadline, flow});
    };
    for (int step = 0; step < 200'000; ++step) {
        const auto flow = static_cast<FlowIndex>(random.below(capacity));
        const auto deadline = at(static_cast<std::int64_t>(random.below(400)));
        switch (random.below(4)) {
            case 0:
                queue.put(flow, deadline);
                note(flow, deadline);
                break;
            case 1:
                queue.put_earlier(flow, deadline);
                if (!noted.contains(flow) || deadline < noted[flow]) note(flow, deadline);
                break;
            case 2:
                queue.remove(flow);
                if (noted.contains(flow)) order.erase({noted[flow], flow});
                noted.erase(flow);
                break;
            default:
                if (order.empty()) break;
                queue.remove(order.begin()->second);
                noted.erase(order.begin()->second);
                order.erase(order.begin());
        }
        BOOST_REQUIRE_EQUAL(queue.empty(), order.empty());
        if (order.empty()) continue;
        BOOST_REQUIRE_EQUAL(queue.top().flow, order.begin()->second);
        BOOST_REQUIRE(queue.top().deadline == order.begin()->first);
    }
}

BOOST_AUTO_TEST_SUITE_END()
