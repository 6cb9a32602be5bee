#include "gateway/live/neighbours.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include "tests/support/packet_builder.hpp"

using captures::Frame;
using captures::Ipv4Address;
using captures::Prefix;
using captures::Time;
using gateway::live::ArpPacket;
using gateway::live::broadcast_mac;
using gateway::live::build_arp;
using gateway::live::HeldFrames;
using gateway::live::MacAddress;
using gateway::live::Neighbours;
using gateway::live::NeighbourSink;
using gateway::live::NeighbourState;
using namespace std::chrono_literals;
using support::start_time;
using Resolution = Neighbours::Resolution;

namespace {

using Lines = std::vector<std::string>;

Ipv4Address ip(std::string_view text) { return Ipv4Address::parse(text).value(); }

/// Of a host in this test, by a number.
MacAddress mac(unsigned host) { return {std::byte{2}, {}, {}, {}, std::byte(host >> 8), std::byte(host)}; }
const MacAddress us = mac(0xffff);

std::string text_of(const MacAddress& address) {
    if (address == us) return "us";
    if (address == broadcast_mac) return "all";
    if (address == MacAddress{}) return "-";
    return "m" + std::to_string(std::to_integer<unsigned>(address[4]) * 256 + std::to_integer<unsigned>(address[5]));
}

/// Writes down what a side does, a line each.
class Wire final : public NeighbourSink {
public:
    void send_arp(std::span<const std::byte> frame) override {
        BOOST_TEST(frame.size() >= 60U);
        const auto packet = gateway::live::parse_arp(frame).value();
        MacAddress to;
        std::copy_n(frame.begin(), 6, to.begin());
        BOOST_TEST(std::equal(us.begin(), us.end(), frame.begin() + 6));
        lines.push_back((packet.operation == ArpPacket::Operation::request ? "request " : "reply ") +
                        to_string(packet.sender) + "/" + text_of(packet.sender_mac) + " " + to_string(packet.target) +
                        "/" + text_of(packet.target_mac) + " to " + text_of(to));
    }
    void release(const Frame& frame, const MacAddress& to) override {
        lines.push_back("release " + std::to_string(frame.number) + " to " + text_of(to));
        released.push_back({frame.bytes().begin(), frame.bytes().end()});
        offloads.push_back(frame.offload);
    }
    void abandon(const Frame& frame) override { lines.push_back("abandon " + std::to_string(frame.number)); }

    /// What was done since this was asked last.
    Lines done() { return std::exchange(lines, {}); }

    Lines lines;
    std::vector<std::vector<std::byte>> released;
    std::vector<captures::Offload> offloads;
};

/// A host's ARP packet and the Ethernet header before it.
struct Said {
    ArpPacket::Operation operation;
    unsigned host;
    const char* sender;
    const char* target;
    MacAddress to = broadcast_mac;
    MacAddress target_mac{};
};

Said asks(unsigned host, const char* sender, const char* target) {
    return {ArpPacket::Operation::request, host, sender, target};
}
Said answers(unsigned host, const char* sender) {
    return {ArpPacket::Operation::reply, host, sender, "10.0.1.5", us, us};
}
Said announces(unsigned host, const char* address) { return asks(host, address, address); }

struct Lab {
    Wire wire;
    Neighbours neighbours{{.mac = us,
                           .address = ip("10.0.1.5"),
                           .on_link = *Prefix::parse("10.0.1.0/24"),
                           .others = {ip("10.0.1.6"), ip("203.0.113.10")}},
                          wire};
    Time now = start_time;
    std::uint64_t number = 0;

    void hear(std::vector<std::byte> bytes) {
        Frame frame;
        frame.data = bytes.data();
        frame.captured = frame.length = static_cast<std::uint32_t>(bytes.size());
        BOOST_TEST(gateway::live::is_arp(bytes));
        neighbours.receive(frame, now);
    }
    void hear(const Said& said) { hear(bytes_of(said)); }
    static std::vector<std::byte> bytes_of(const Said& said) {
        const auto frame = build_arp(
            {said.operation, mac(said.host), ip(said.sender), said.target_mac, ip(said.target)}, said.to);
        return {frame.begin(), frame.end()};
    }

    void pass(captures::Duration duration) {
        const auto until = now + duration;
        while (neighbours.next_deadline() <= until) {
            now = neighbours.next_deadline();
            neighbours.advance(now);
            BOOST_REQUIRE((neighbours.next_deadline() > now));
        }
        now = until;
    }

    /// As a sender does: looks up, and holds what is not known yet. Frames count from 1.
    Resolution send(const char* to, std::size_t size = 100) {
        std::vector<std::byte> bytes(size, std::byte(++number));
        Frame frame;
        frame.data = bytes.data();
        frame.captured = frame.length = static_cast<std::uint32_t>(size);
        frame.number = number;
        frame.offload = {.segment_size = static_cast<std::uint16_t>(number), .partial_checksum = true};
        const auto answer = neighbours.look_up(ip(to), now);
        if (answer.resolution == Resolution::pending) neighbours.hold(ip(to), frame);
        last = answer.mac;
        return answer.resolution;
    }
    MacAddress last{};

    /// `10.0.1.9 m9 reachable`, a line each.
    Lines list() const {
        static constexpr const char* states[] = {"incomplete", "reachable", "stale", "probing", "unreachable"};
        Lines lines;
        for (const auto& entry : neighbours.list(now)) {
            lines.push_back(to_string(entry.address) + " " + (entry.mac ? text_of(*entry.mac) : "-") + " " +
                            states[static_cast<int>(entry.state)]);
        }
        return lines;
    }
    void make_reachable(unsigned host, const char* address) {
        BOOST_TEST_REQUIRE((send(address) == Resolution::pending));
        hear(answers(host, address));
        wire.done();
    }
};

void check(const Lines& actual, const Lines& expected, int line = __builtin_LINE()) {
    BOOST_TEST_CONTEXT("line " << line) BOOST_TEST(actual == expected, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(live_neighbours_test)

BOOST_AUTO_TEST_CASE(a_request_for_an_own_address_is_answered_to_its_sender) {
    for (const char* const own : {"10.0.1.5", "10.0.1.6", "203.0.113.10"}) {
        Lab lab;
        lab.hear(asks(9, "10.0.1.9", own));
        check(lab.wire.done(), {std::string{"reply "} + own + "/us 10.0.1.9/m9 to m9"});
        BOOST_TEST(lab.neighbours.numbers().answered == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_request_to_us_alone_is_answered_too) {
    Lab lab;
    auto poll = asks(9, "10.0.1.9", "10.0.1.5");
    poll.to = us;
    lab.hear(poll);
    check(lab.wire.done(), {"reply 10.0.1.5/us 10.0.1.9/m9 to m9"});
}

BOOST_AUTO_TEST_CASE(no_other_address_is_ever_answered_for) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    for (const char* const other : {"10.0.1.9", "10.0.1.4", "10.0.1.7", "203.0.113.9", "203.0.113.11", "0.0.0.0",
                                    "255.255.255.255", "10.0.1.255", "10.0.1.0"}) {
        lab.hear(asks(8, "10.0.1.8", other));
    }
    check(lab.wire.done(), {});
    check(lab.list(), {"10.0.1.9 m9 reachable"});
}

BOOST_AUTO_TEST_CASE(a_probe_for_an_own_address_is_answered_and_teaches_nothing) {
    Lab lab;
    lab.hear(asks(9, "0.0.0.0", "10.0.1.6"));
    check(lab.wire.done(), {"reply 10.0.1.6/us 0.0.0.0/m9 to m9"});
    check(lab.list(), {});
}

BOOST_AUTO_TEST_CASE(who_asks_for_us_is_known_but_asked_before_long) {
    Lab lab;
    lab.hear(asks(9, "10.0.1.9", "10.0.1.5"));
    lab.wire.done();
    check(lab.list(), {"10.0.1.9 m9 stale"});
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    BOOST_TEST((lab.last == mac(9)));
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to m9"});
    lab.hear(answers(9, "10.0.1.9"));
    check(lab.list(), {"10.0.1.9 m9 reachable"});
}

BOOST_AUTO_TEST_CASE(only_hosts_of_the_link_are_learned_from_requests) {
    Lab lab;
    for (const char* const sender : {"10.0.2.9", "198.51.100.7", "203.0.113.11"}) {
        lab.hear(asks(9, sender, "10.0.1.5"));
        check(lab.wire.done(), {std::string{"reply 10.0.1.5/us "} + sender + "/m9 to m9"});
    }
    check(lab.list(), {});
}

BOOST_AUTO_TEST_CASE(unknown_hosts_that_announce_themselves_or_answer_unasked_are_not_learned) {
    Lab lab;
    lab.hear(announces(9, "10.0.1.9"));
    lab.hear(answers(8, "10.0.1.8"));
    lab.hear(asks(7, "10.0.1.7", "10.0.1.1"));
    check(lab.list(), {});
    check(lab.wire.done(), {});
}

BOOST_AUTO_TEST_CASE(a_packet_waits_for_the_answer) {
    Lab lab;
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::pending));
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::pending));
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to all"});
    lab.pass(300ms);
    lab.hear(answers(9, "10.0.1.9"));
    check(lab.wire.done(), {"release 1 to m9", "release 2 to m9"});
    BOOST_TEST((lab.wire.released.at(1) == std::vector(100, std::byte{2})));
    BOOST_TEST((lab.wire.offloads.at(1) == captures::Offload{.segment_size = 2, .partial_checksum = true}));
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
    lab.hear(answers(9, "10.0.1.9"));
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
    lab.hear(answers(9, "10.0.1.9"));
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
    lab.hear(announces(7, "10.0.1.9"));
    check(lab.list(), {"10.0.1.9 m7 stale"});
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    BOOST_TEST((lab.last == mac(7)));
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.9/- to m7"});
    BOOST_TEST(lab.neighbours.numbers().moved == 1U);
}

BOOST_AUTO_TEST_CASE(a_forged_claim_that_nobody_stands_behind_heals) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.pass(1s);
    lab.hear(announces(66, "10.0.1.9"));
    static_cast<void>(lab.send("10.0.1.9"));
    lab.pass(3s);
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::pending));
    lab.hear(answers(9, "10.0.1.9"));
    BOOST_TEST((lab.send("10.0.1.9") == Resolution::known));
    BOOST_TEST((lab.last == mac(9)));
}

BOOST_AUTO_TEST_CASE(nothing_changes_an_answer_in_its_first_second) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.pass(999ms);
    lab.hear(announces(66, "10.0.1.9"));
    lab.hear(answers(66, "10.0.1.9"));
    lab.hear(asks(66, "10.0.1.9", "10.0.1.5"));
    check(lab.list(), {"10.0.1.9 m9 reachable"});
    BOOST_TEST(lab.neighbours.numbers().moves_refused == 3U);
}

BOOST_AUTO_TEST_CASE(what_confirms_a_known_address_without_having_been_asked_proves_nothing) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.pass(50s);
    lab.hear(answers(9, "10.0.1.9"));
    lab.hear(announces(9, "10.0.1.9"));
    lab.pass(10s);
    check(lab.list(), {"10.0.1.9 m9 stale"});
}

BOOST_AUTO_TEST_CASE(a_broadcast_reply_resolves_but_is_no_proof) {
    Lab lab;
    static_cast<void>(lab.send("10.0.1.9"));
    lab.wire.done();
    auto reply = answers(9, "10.0.1.9");
    reply.to = broadcast_mac;
    lab.hear(reply);
    check(lab.wire.done(), {"release 1 to m9"});
    check(lab.list(), {"10.0.1.9 m9 stale"});
}

BOOST_AUTO_TEST_CASE(who_claims_an_own_address_is_told_otherwise_but_not_often) {
    Lab lab;
    const Lines defence{"request 10.0.1.6/us 10.0.1.6/- to all"};
    lab.hear(announces(66, "10.0.1.6"));
    check(lab.wire.done(), defence);
    lab.hear(announces(66, "10.0.1.6"));
    lab.hear(asks(66, "10.0.1.6", "10.0.1.5"));
    lab.hear(answers(66, "10.0.1.6"));
    check(lab.wire.done(), {});
    lab.hear(announces(66, "10.0.1.5"));
    check(lab.wire.done(), {"request 10.0.1.5/us 10.0.1.5/- to all"});
    lab.pass(9999ms);
    lab.hear(announces(66, "10.0.1.6"));
    check(lab.wire.done(), {});
    lab.pass(1ms);
    lab.hear(announces(66, "10.0.1.6"));
    check(lab.wire.done(), defence);
    BOOST_TEST(lab.neighbours.numbers().conflicts == 7U);
    BOOST_REQUIRE(lab.neighbours.last_conflict());
    BOOST_TEST((lab.neighbours.last_conflict()->mac == mac(66)));
    BOOST_TEST(to_string(lab.neighbours.last_conflict()->address) == "10.0.1.6");
    check(lab.list(), {});
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

BOOST_AUTO_TEST_CASE(what_it_hears_of_itself_is_no_conflict) {
    Lab lab;
    auto own = announces(0xffff, "10.0.1.5");
    lab.hear(own);
    own.sender = "10.0.1.9";
    lab.hear(own);
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
        lab.hear(said);
        said = asks(9, "10.0.1.9", "10.0.1.5");
        said.to = to;
        lab.hear(said);
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
            lab.hear(bytes);
            BOOST_TEST(lab.neighbours.numbers().malformed == before + 1);
        }
    }
    for (std::size_t size = 14; size < 42; ++size)
        lab.hear({request.begin(), request.begin() + static_cast<std::ptrdiff_t>(size)});
    auto nobody = request;
    std::fill_n(nobody.begin() + 22, 6, std::byte{});
    lab.hear(nobody);
    std::fill_n(nobody.begin() + 22, 6, std::byte{0xff});
    lab.hear(nobody);
    lab.hear(answers(9, "0.0.0.0"));
    BOOST_TEST(lab.neighbours.numbers().malformed == 20U + 28 + 3);
    check(lab.wire.done(), {});
    check(lab.list(), {});
    lab.hear({request.begin(), request.begin() + 42});
    BOOST_TEST(lab.wire.done().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_tagged_frame_is_not_arp) {
    auto frame = support::arp("10.0.1.9", "10.0.1.5").vlan(7).build();
    BOOST_TEST(!gateway::live::is_arp(frame.bytes()));
    auto untagged = support::arp("10.0.1.9", "10.0.1.5").build();
    BOOST_TEST(gateway::live::is_arp(untagged.bytes()));
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
    for (int i = 0; i < 11; ++i) static_cast<void>(lab.send("10.0.1.9"));
    lab.wire.done();
    lab.hear(answers(9, "10.0.1.9"));
    Lines expected;
    for (int i = 4; i <= 11; ++i) expected.push_back("release " + std::to_string(i) + " to m9");
    check(lab.wire.done(), expected);
    BOOST_TEST(lab.neighbours.numbers().held_lost == 3U);
}

BOOST_AUTO_TEST_CASE(forged_requests_get_half_of_the_table_and_evict_nobody) {
    Wire wire;
    Neighbours neighbours{{.mac = us, .address = ip("10.0.0.5"), .on_link = *Prefix::parse("10.0.0.0/8"), .others = {}},
                          wire};
    const auto hear = [&](unsigned host, Ipv4Address sender, Time now) {
        auto bytes = build_arp({ArpPacket::Operation::request, mac(host), sender, {}, ip("10.0.0.5")}, broadcast_mac);
        Frame frame;
        frame.data = bytes.data();
        frame.captured = frame.length = static_cast<std::uint32_t>(bytes.size());
        neighbours.receive(frame, now);
    };
    for (unsigned i = 0; i < 10000; ++i) hear(i, {ip("10.1.0.0").value + i}, start_time);
    BOOST_TEST(neighbours.list(start_time).size() == Neighbours::capacity / 2);
    BOOST_TEST(neighbours.numbers().not_learned == 10000 - Neighbours::capacity / 2);
    for (unsigned i = 0; i < Neighbours::capacity / 2; ++i) {
        BOOST_TEST_REQUIRE(
            (neighbours.look_up({ip("10.2.0.0").value + i}, start_time).resolution == Resolution::pending));
    }
    BOOST_TEST((neighbours.look_up(ip("10.3.0.0"), start_time).resolution == Resolution::no_room));
    BOOST_TEST((neighbours.look_up(ip("10.1.0.0"), start_time).resolution == Resolution::known));
    // One of the learned ones is used now, so there is room for one more of them, but not in the table.
    hear(1, ip("10.4.0.1"), start_time);
    BOOST_TEST(neighbours.list(start_time).size() == Neighbours::capacity);
    neighbours.advance(start_time + 1h);
    while (neighbours.next_deadline() < Time::max()) neighbours.advance(neighbours.next_deadline() + 1h);
    BOOST_TEST(neighbours.list(start_time).empty());
    hear(1, ip("10.4.0.1"), start_time);
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
        for (int i = 0; i < 8; ++i) static_cast<void>(lab.send(("10.0.1." + std::to_string(host)).c_str()));
    }
    BOOST_TEST(lab.neighbours.frames_held() == HeldFrames::most_frames);
}

BOOST_AUTO_TEST_CASE(an_interface_that_came_back_starts_anew) {
    Lab lab;
    lab.make_reachable(9, "10.0.1.9");
    lab.hear(asks(7, "10.0.1.7", "10.0.1.5"));
    static_cast<void>(lab.send("10.0.1.8"));
    lab.wire.done();
    lab.neighbours.restart(
        {.mac = us, .address = ip("10.0.1.77"), .on_link = *Prefix::parse("10.0.1.0/24"), .others = {}}, lab.now);
    check(lab.wire.done(), {"abandon 2", "request 10.0.1.77/us 10.0.1.77/- to all"});
    check(lab.list(), {});
    lab.hear(asks(7, "10.0.1.7", "10.0.1.5"));
    check(lab.wire.done(), {});
    lab.hear(asks(7, "10.0.1.7", "10.0.1.77"));
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
    lab.hear(asks(7, "10.0.1.7", "203.0.113.10"));
    check(lab.wire.done(), {});
    lab.hear(asks(7, "10.0.1.7", "10.0.1.20"));
    check(lab.wire.done(), {"reply 10.0.1.20/us 10.0.1.7/m7 to m7"});
}

BOOST_AUTO_TEST_SUITE_END()
