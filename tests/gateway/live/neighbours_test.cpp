#include "gateway/live/neighbours.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/neighbours_lab.hpp"

namespace neighbours_test {

using namespace support::neighbours_lab;
using namespace std::chrono_literals;

}  // namespace neighbours_test

BOOST_AUTO_TEST_SUITE(neighbours_test)

BOOST_AUTO_TEST_CASE(a_request_for_an_own_address_is_answered_to_its_sender) {
    for (const char* const own : {"10.0.1.5", "10.0.1.6", "203.0.113.10"}) {
        Lab lab;
        lab.receive(asks(9, "10.0.1.9", own));
        check(lab.wire.done(), {std::string{"reply "} + own + "/us 10.0.1.9/m9 to m9"});
        BOOST_TEST(lab.neighbours.numbers().answered == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_request_to_us_alone_is_answered_too) {
    Lab lab;
    auto poll = asks(9, "10.0.1.9", "10.0.1.5");
    poll.to = us;
    lab.receive(poll);
    check(lab.wire.done(), {"reply 10.0.1.5/us 10.0.1.9/m9 to m9"});
}

BOOST_AUTO_TEST_CASE(who_asks_for_us_is_known_but_asked_before_long) {
    Lab lab;
    lab.receive(asks(9, "10.0.1.9", "10.0.1.5"));
    lab.wire.done();
    check(lab.list(), {"10.0.1.9 m9 stale"});
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    BOOST_TEST((lab.last == mac(9)));
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to m9"});
    lab.receive(answers(9, "10.0.1.9"));
    check(lab.list(), {"10.0.1.9 m9 reachable"});
}

BOOST_AUTO_TEST_CASE(a_packet_waits_for_the_answer) {
    Lab lab;
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::pending));
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::pending));
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to all"});
    lab.pass(300ms);
    lab.receive(answers(9, "10.0.1.9"));
    check(lab.wire.done(), {"release 1 to m9", "release 2 to m9"});
    BOOST_TEST((lab.wire.released.at(1) == std::vector(100, std::byte{2})));
    BOOST_TEST((lab.wire.offloads.at(1) == captures::packet::Offload{.segment_size = 2, .partial_checksum = true}));
    BOOST_TEST(lab.neighbours.frames_held() == 0U);
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    BOOST_TEST((lab.last == mac(9)));
    check(lab.wire.done(), {});
}

BOOST_AUTO_TEST_CASE(a_host_that_does_not_answer_is_asked_three_times_and_then_left_alone_for_a_while) {
    Lab lab;
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::pending));
    lab.wire.done();
    lab.pass(999ms);
    check(lab.wire.done(), {});
    lab.pass(1ms);
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to all"});
    lab.pass(1s);
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to all"});
    lab.pass(1s);
    check(lab.wire.done(), {"abandon 1"});
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::unreachable));
    BOOST_TEST(lab.neighbours.numbers().unanswered == 1U);
    BOOST_TEST(lab.neighbours.numbers().held_lost == 1U);
    lab.pass(4999ms);
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::unreachable));
    check(lab.wire.done(), {});
    lab.pass(1ms);
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::pending));
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to all"});
}

BOOST_AUTO_TEST_CASE(a_late_answer_is_taken) {
    Lab lab;
    static_cast<void>(lab.send("10.0.1.9"));
    lab.pass(4s);
    lab.receive(answers(9, "10.0.1.9"));
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
}

BOOST_AUTO_TEST_CASE(a_neighbour_in_use_is_asked_again_by_unicast_while_packets_flow) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.pass(59s);
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    lab.pass(1s);
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to m9"});
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    lab.receive(answers(9, "10.0.1.9"));
    check(lab.list(), {"10.0.1.9 m9 reachable"});

    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    lab.pass(62s);
    check(lab.wire.done(), Lines(3, "request 10.0.1.5/us 10.0.1.9/- to m9"));
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    lab.pass(1s);
    check(lab.list(), {});
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::pending));
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to all"});
}

BOOST_AUTO_TEST_CASE(a_neighbour_that_nobody_needs_is_forgotten_without_a_word) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.pass(60s);
    check(lab.list(), {"10.0.1.9 m9 stale"});
    lab.pass(60s);
    check(lab.list(), {});
    check(lab.wire.done(), {});
    BOOST_TEST((lab.neighbours.next_deadline() == Time::max()));
}

BOOST_AUTO_TEST_CASE(a_router_that_failed_over_is_followed_and_asked) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.pass(1s);
    lab.receive(announces(7, "10.0.1.9"));
    check(lab.list(), {"10.0.1.9 m7 stale"});
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    BOOST_TEST((lab.last == mac(7)));
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to m7"});
    BOOST_TEST(lab.neighbours.numbers().moved == 1U);
}

BOOST_AUTO_TEST_CASE(it_announces_its_addresses_twice) {
    Lab lab;
    const Lines all{"request 10.0.1.5/us 10.0.1.5/- to all", "request 10.0.1.6/us 10.0.1.6/- to all",
                    "request 203.0.113.10/us 203.0.113.10/- to all"};
    lab.neighbours.announce(lab.now);
    check(lab.wire.done(), all);
    lab.pass(1999ms);
    check(lab.wire.done(), {});
    lab.pass(1ms);
    check(lab.wire.done(), all);
    lab.pass(1h);
    check(lab.wire.done(), {});
}

BOOST_AUTO_TEST_CASE(an_own_address_is_never_asked_for) {
    Lab lab;
    for (const char* const address : {"10.0.1.5", "203.0.113.10", "0.0.0.0", "224.0.0.1", "255.255.255.255"}) {
        BOOST_TEST((lab.send(address) == Resolution::unreachable));
    }
    check(lab.wire.done(), {});
}

BOOST_AUTO_TEST_CASE(of_many_packets_to_one_neighbour_the_latest_wait) {
    Lab lab;
    for (int i = 0; i < 67; ++i) static_cast<void>(lab.send("10.0.1.9"));
    lab.wire.done();
    lab.receive(answers(9, "10.0.1.9"));
    Lines expected;
    for (int i = 4; i <= 67; ++i) expected.push_back("release " + std::to_string(i) + " to m9");
    check(lab.wire.done(), expected);
    BOOST_TEST(lab.neighbours.numbers().held_lost == 3U);
}

BOOST_AUTO_TEST_CASE(an_interface_that_came_back_starts_anew) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.receive(asks(7, "10.0.1.7", "10.0.1.5"));
    static_cast<void>(lab.send("10.0.1.8"));
    lab.wire.done();
    lab.neighbours.restart(
        {.mac = us, .address = ip("10.0.1.77"), .on_link = *Prefix::parse("10.0.1.0/24"), .others = {}}, lab.now);
    check(lab.wire.done(), {"abandon 2", "request 10.0.1.77/us 10.0.1.77/- to all"});
    check(lab.list(), {});
    lab.receive(asks(7, "10.0.1.7", "10.0.1.5"));
    check(lab.wire.done(), {});
    lab.receive(asks(7, "10.0.1.7", "10.0.1.77"));
    check(lab.wire.done(), {"reply 10.0.1.77/us 10.0.1.7/m7 to m7"});
}

BOOST_AUTO_TEST_CASE(a_new_own_address_is_announced_and_no_neighbour_any_more) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    static_cast<void>(lab.send("10.0.1.20"));
    lab.wire.done();
    lab.neighbours.answer_for({ip("10.0.1.6"), ip("10.0.1.20")}, lab.now);
    check(lab.wire.done(), {"abandon 2", "request 10.0.1.20/us 10.0.1.20/- to all"});
    check(lab.list(), {"10.0.1.9 m9 reachable"});
    lab.receive(asks(7, "10.0.1.7", "203.0.113.10"));
    check(lab.wire.done(), {});
    lab.receive(asks(7, "10.0.1.7", "10.0.1.20"));
    check(lab.wire.done(), {"reply 10.0.1.20/us 10.0.1.7/m7 to m7"});
}

BOOST_AUTO_TEST_SUITE_END()
