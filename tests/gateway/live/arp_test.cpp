// ARP as a hostile link speaks it, and what a side believes of it.

#include "gateway/live/arp.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/neighbours_lab.hpp"

namespace arp_test {

using gateway::live::HeldFrames;
using namespace support::neighbours_lab;
using namespace std::chrono_literals;

}  // namespace arp_test

BOOST_AUTO_TEST_SUITE(arp_test)

BOOST_AUTO_TEST_CASE(no_other_address_is_ever_answered_for) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    for (const char* const other : {"10.0.1.9", "10.0.1.4", "10.0.1.7", "203.0.113.9", "203.0.113.11", "0.0.0.0",
                                    "255.255.255.255", "10.0.1.255", "10.0.1.0"}) {
        lab.receive(asks(8, "10.0.1.8", other));
    }
    check(lab.wire.done(), {});
    check(lab.list(), {"10.0.1.9 m9 reachable"});
}

BOOST_AUTO_TEST_CASE(a_probe_for_an_own_address_is_answered_and_teaches_nothing) {
    Lab lab;
    lab.receive(asks(9, "0.0.0.0", "10.0.1.6"));
    check(lab.wire.done(), {"reply 10.0.1.6/us 0.0.0.0/m9 to m9"});
    check(lab.list(), {});
}

BOOST_AUTO_TEST_CASE(only_hosts_of_the_link_are_learned_from_requests) {
    Lab lab;
    for (const char* const sender : {"10.0.2.9", "198.51.100.7", "203.0.113.11"}) {
        lab.receive(asks(9, sender, "10.0.1.5"));
        check(lab.wire.done(), {std::string{"reply 10.0.1.5/us "} + sender + "/m9 to m9"});
    }
    check(lab.list(), {});
}

BOOST_AUTO_TEST_CASE(unknown_hosts_that_announce_themselves_or_answer_unasked_are_not_learned) {
    Lab lab;
    lab.receive(announces(9, "10.0.1.9"));
    lab.receive(answers(8, "10.0.1.8"));
    lab.receive(asks(7, "10.0.1.7", "10.0.1.1"));
    check(lab.list(), {});
    check(lab.wire.done(), {});
}

BOOST_AUTO_TEST_CASE(a_forged_claim_that_nobody_stands_behind_heals) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.pass(1s);
    lab.receive(announces(66, "10.0.1.9"));
    static_cast<void>(lab.send("10.0.1.9"));
    lab.pass(3s);
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::pending));
    lab.receive(answers(9, "10.0.1.9"));
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    BOOST_TEST((lab.last == mac(9)));
}

BOOST_AUTO_TEST_CASE(nothing_changes_an_answer_in_its_first_second) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.pass(999ms);
    lab.receive(announces(66, "10.0.1.9"));
    lab.receive(answers(66, "10.0.1.9"));
    lab.receive(asks(66, "10.0.1.9", "10.0.1.5"));
    check(lab.list(), {"10.0.1.9 m9 reachable"});
    BOOST_TEST(lab.neighbours.numbers().moves_refused == 3U);
}

BOOST_AUTO_TEST_CASE(what_confirms_a_known_address_without_having_been_asked_proves_nothing) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.pass(50s);
    lab.receive(answers(9, "10.0.1.9"));
    lab.receive(announces(9, "10.0.1.9"));
    lab.pass(10s);
    check(lab.list(), {"10.0.1.9 m9 stale"});
}

BOOST_AUTO_TEST_CASE(a_broadcast_reply_resolves_but_is_no_proof) {
    Lab lab;
    static_cast<void>(lab.send("10.0.1.9"));
    lab.wire.done();
    auto reply = answers(9, "10.0.1.9");
    reply.to = broadcast_mac;
    lab.receive(reply);
    check(lab.wire.done(), {"release 1 to m9"});
    check(lab.list(), {"10.0.1.9 m9 stale"});
}

BOOST_AUTO_TEST_CASE(who_claims_an_own_address_is_told_otherwise_but_not_often) {
    Lab lab;
    const Lines defence{"request 10.0.1.6/us 10.0.1.6/- to all"};
    lab.receive(announces(66, "10.0.1.6"));
    check(lab.wire.done(), defence);
    lab.receive(announces(66, "10.0.1.6"));
    lab.receive(asks(66, "10.0.1.6", "10.0.1.5"));
    lab.receive(answers(66, "10.0.1.6"));
    check(lab.wire.done(), {});
    lab.receive(announces(66, "10.0.1.5"));
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.5/- to all"});
    lab.pass(9999ms);
    lab.receive(announces(66, "10.0.1.6"));
    check(lab.wire.done(), {});
    lab.pass(1ms);
    lab.receive(announces(66, "10.0.1.6"));
    check(lab.wire.done(), defence);
    BOOST_TEST(lab.neighbours.numbers().conflicts == 7U);
    BOOST_REQUIRE(lab.neighbours.last_conflict());
    BOOST_TEST((lab.neighbours.last_conflict()->mac == mac(66)));
    BOOST_TEST(to_string(lab.neighbours.last_conflict()->address) == "10.0.1.6");
    check(lab.list(), {});
}

BOOST_AUTO_TEST_CASE(what_it_hears_of_itself_is_no_conflict) {
    Lab lab;
    auto own = announces(0xffff, "10.0.1.5");
    lab.receive(own);
    own.sender = "10.0.1.9";
    lab.receive(own);
    check(lab.wire.done(), {});
    BOOST_TEST(lab.neighbours.numbers().conflicts == 0U);
    BOOST_TEST(lab.neighbours.numbers().not_for_us == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_sent_to_another_station_is_not_listened_to) {
    Lab lab;
    static_cast<void>(lab.send("10.0.1.9"));
    lab.wire.done();
    for (const auto& to : {mac(4), MacAddress{std::byte{1}, {}, std::byte{0x5e}, {}, {}, std::byte{1}}, MacAddress{}}) {
        auto said = answers(9, "10.0.1.9");
        said.to = to;
        lab.receive(said);
        said = asks(9, "10.0.1.9", "10.0.1.5");
        said.to = to;
        lab.receive(said);
    }
    check(lab.wire.done(), {});
    check(lab.list(), {"10.0.1.9 - incomplete"});
    BOOST_TEST(lab.neighbours.numbers().not_for_us == 6U);
}

BOOST_AUTO_TEST_CASE(malformed_packets_are_counted_and_do_nothing) {
    struct Poke {
        std::size_t offset;
        unsigned value;
    };
    const auto request = Lab::bytes_of(asks(9, "10.0.1.9", "10.0.1.5"));
    Lab lab;
    for (const auto& poke :
         {Poke{14, 1}, {15, 6}, {16, 0x86}, {17, 1}, {18, 8},   {18, 0},   {19, 16},  {19, 0},   {20, 1},   {21, 0},
          {21, 3},     {21, 8}, {22, 3},    {28, 0}, {28, 127}, {28, 224}, {28, 240}, {28, 255}, {31, 255}, {31, 0}}) {
        BOOST_TEST_CONTEXT("byte " << poke.offset << " is " << poke.value) {
            auto bytes = request;
            bytes[poke.offset] = std::byte(poke.value);
            const auto before = lab.neighbours.numbers().malformed;
            lab.receive(bytes);
            BOOST_TEST(lab.neighbours.numbers().malformed == before + 1);
        }
    }
    for (std::size_t size = 14; size < 42; ++size)
        lab.receive({request.begin(), request.begin() + static_cast<std::ptrdiff_t>(size)});
    auto nobody = request;
    std::fill_n(nobody.begin() + 22, 6, std::byte{});
    lab.receive(nobody);
    std::fill_n(nobody.begin() + 22, 6, std::byte{0xff});
    lab.receive(nobody);
    lab.receive(answers(9, "0.0.0.0"));
    BOOST_TEST(lab.neighbours.numbers().malformed == 20U + 28 + 3);
    check(lab.wire.done(), {});
    check(lab.list(), {});
    lab.receive({request.begin(), request.begin() + 42});
    BOOST_TEST(lab.wire.done().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_tagged_frame_is_not_arp) {
    auto frame = support::arp("10.0.1.9", "10.0.1.5").vlan(7).build();
    BOOST_TEST(!gateway::live::is_arp(frame.bytes()));
    auto untagged = support::arp("10.0.1.9", "10.0.1.5").build();
    BOOST_TEST(gateway::live::is_arp(untagged.bytes()));
}

BOOST_AUTO_TEST_CASE(forged_requests_get_half_of_the_table_and_evict_nobody) {
    Wire wire;
    Neighbours neighbours{{.mac = us, .address = ip("10.0.0.5"), .on_link = *Prefix::parse("10.0.0.0/8"), .others = {}},
                          wire};
    const auto receive = [&](unsigned host, Ipv4Address sender, Time now) {
        auto bytes = build_arp({ArpPacket::Operation::request, mac(host), sender, {}, ip("10.0.0.5")}, broadcast_mac);
        Frame frame;
        frame.data = bytes.data();
        frame.captured = frame.length = static_cast<std::uint32_t>(bytes.size());
        neighbours.receive(frame, now);
    };
    for (unsigned i = 0; i < 10000; ++i) receive(i, {ip("10.1.0.0").value + i}, start_time);
    BOOST_TEST(neighbours.list(start_time).size() == Neighbours::capacity / 2);
    BOOST_TEST(neighbours.numbers().not_learned == 10000 - Neighbours::capacity / 2);
    for (unsigned i = 0; i < Neighbours::capacity / 2; ++i) {
        BOOST_TEST_REQUIRE(
            (neighbours.look_up({ip("10.2.0.0").value + i}, start_time).resolution == Resolution::pending));
    }
    BOOST_TEST((neighbours.look_up(ip("10.3.0.0"), start_time).resolution == Resolution::no_room));
    BOOST_TEST((neighbours.look_up(ip("10.1.0.0"), start_time).resolution == Resolution::known));
    // One of the learned ones is used now, so there is room for one more of them, but not in the table.
    receive(1, ip("10.4.0.1"), start_time);
    BOOST_TEST(neighbours.list(start_time).size() == Neighbours::capacity);
    neighbours.advance(start_time + 1h);
    while (neighbours.next_deadline() < Time::max()) neighbours.advance(neighbours.next_deadline() + 1h);
    BOOST_TEST(neighbours.list(start_time).empty());
    receive(1, ip("10.4.0.1"), start_time);
    BOOST_TEST(neighbours.list(start_time).size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_held_is_bounded_and_what_is_lost_is_counted) {
    Lab lab;
    const std::size_t large = 60000;
    std::size_t sent = 0;
    for (int host = 10; host < 100; ++host) {
        for (int i = 0; i < 8; ++i, ++sent)
            static_cast<void>(lab.send(("10.0.1." + std::to_string(host)).c_str(), large));
    }
    BOOST_TEST(lab.neighbours.frames_held() == HeldFrames::most_bytes / large);
    BOOST_TEST(lab.neighbours.numbers().held_lost == sent - HeldFrames::most_bytes / large);
    lab.pass(3s);
    BOOST_TEST(lab.neighbours.frames_held() == 0U);
    BOOST_TEST(lab.neighbours.numbers().held_lost == sent);
    lab.pass(5s);
    for (int host = 10; host < 100; ++host) {
        for (int i = 0; i < 16; ++i) static_cast<void>(lab.send(("10.0.1." + std::to_string(host)).c_str()));
    }
    BOOST_TEST(lab.neighbours.frames_held() == HeldFrames::most_frames);
}

BOOST_AUTO_TEST_SUITE_END()
