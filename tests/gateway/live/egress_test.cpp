#include "gateway/live/egress.hpp"

#include <boost/test/unit_test.hpp>

#include "captures/port/offload.hpp"
#include "tests/support/packet_checks.hpp"

namespace egress_test {

using captures::base::Ipv4Address;
using captures::base::Prefix;
using captures::packet::Frame;
using gateway::live::ArpPacket;
using gateway::live::build_arp;
using gateway::live::Egress;
using gateway::live::MacAddress;
using namespace support;
using namespace std::chrono_literals;
using Outcome = Egress::Outcome;

MacAddress mac(unsigned host) { return {std::byte{2}, {}, {}, {}, {}, std::byte(host)}; }
const MacAddress us = mac(0xff);

Ipv4Address ip(std::string_view text) { return Where{text}.endpoint.address; }

/// A wire that may read what it was given until it is flushed, and does so only then: as late as it can.
class Wire final : public captures::port::Port {
public:
    std::size_t receive(std::span<Frame>) override { return 0; }
    bool send(const Frame& frame) override {
        if (refuses) return false;
        waiting.push_back(frame);
        return true;
    }
    void flush() override {
        for (const auto& frame : waiting) {
            const auto bytes = frame.bytes();
            auto& frames = gateway::live::is_arp(bytes) ? arp : sent;
            frames.emplace_back(std::vector(bytes.begin(), bytes.end()), frame);
        }
        waiting.clear();
    }
    int descriptor() const noexcept override { return -1; }
    bool works() const noexcept override { return true; }
    Numbers numbers() override { return {}; }

    bool refuses = false;
    std::vector<Frame> waiting;
    std::vector<OwnedFrame> sent;
    std::vector<OwnedFrame> arp;
};

struct Lab {
    Wire wire;
    std::vector<std::vector<std::byte>> undeliverable;
    Egress egress{
        {.address = ip("10.0.1.5"),
         .on_link = *Prefix::parse("10.0.1.0/24"),
         .gateway = ip("10.0.1.1"),
         .routes = {{*Prefix::parse("10.2.0.0/16"), ip("10.0.1.2")}}},
        {ip("10.0.1.6")},
        [this](const Frame& frame) { undeliverable.emplace_back(frame.bytes().begin(), frame.bytes().end()); }};
    captures::base::Time now = start_time;

    explicit Lab(std::uint32_t mtu = 1500) {
        egress.bind(wire, us, mtu, now);
        wire.arp.clear();
    }

    void answer(unsigned host) {
        auto bytes = build_arp(
            {ArpPacket::Operation::reply, mac(host), {ip("10.0.1.0").value + host}, us, ip("10.0.1.5")}, us);
        Frame frame;
        frame.data = bytes.data();
        frame.captured = frame.length = static_cast<std::uint32_t>(bytes.size());
        egress.receive_arp(frame, now);
        egress.flush();
    }
    Outcome send(OwnedFrame& owned, captures::packet::Offload offload = {}) {
        auto frame = owned.frame();
        frame.offload = offload;
        return egress.send(frame, now);
    }
    /// Sends and flushes.
    Outcome send(const PacketBuilder& builder, captures::packet::Offload offload = {}) {
        auto owned = builder.build();
        const auto outcome = send(owned, offload);
        egress.flush();
        return outcome;
    }
    void meet(unsigned host) {
        static_cast<void>(send(udp("10.9.9.9:1", Ipv4Address{ip("10.0.1.0").value + host})));
        answer(host);
        wire.sent.clear();
        wire.arp.clear();
        sent_before = egress.numbers().sent;
    }
    [[nodiscard]] std::uint64_t sent() const { return egress.numbers().sent - sent_before; }
    std::uint64_t sent_before = 0;
};

PacketBuilder to_neighbour() { return udp("198.51.100.7:1000", "10.0.1.9:2000").payload("hello"); }

std::string addresses_of(const OwnedFrame& frame) { return to_hex(std::span{frame.bytes()}.first(14)); }

}  // namespace egress_test

BOOST_AUTO_TEST_SUITE(egress_test)

BOOST_AUTO_TEST_CASE(a_packet_leaves_with_the_mac_addresses_of_its_next_hop_and_of_the_side) {
    struct Row {
        const char* to;
        unsigned host;
        const char* link;
    };
    for (const auto& row : {Row{"10.0.1.9:2000", 9, "02 00 00 00 00 09 02 00 00 00 00 ff 08 00"},
                            Row{"10.2.0.1:2000", 2, "02 00 00 00 00 02 02 00 00 00 00 ff 08 00"},
                            Row{"192.0.2.1:2000", 1, "02 00 00 00 00 01 02 00 00 00 00 ff 08 00"}}) {
        Lab lab;
        lab.meet(row.host);
        auto packet = udp("198.51.100.7:1000", row.to).payload("hello").build();
        BOOST_TEST((lab.send(packet) == Outcome::sent));
        BOOST_TEST(lab.wire.waiting.at(0).data == packet.frame().data);
        lab.egress.flush();
        BOOST_TEST_REQUIRE(lab.wire.sent.size() == 1U);
        BOOST_TEST(addresses_of(lab.wire.sent[0]) == row.link);
        egress_test::check(lab.wire.sent[0], is_udp, to(row.to), payload("hello"), checksums_hold);
        BOOST_TEST(lab.sent() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(it_announces_itself_when_it_gets_an_interface_and_again_when_it_gets_another) {
    Lab lab;
    lab.meet(9);
    lab.egress.unbind();
    BOOST_TEST((lab.send(to_neighbour()) == Outcome::refused));
    Wire other;
    lab.egress.bind(other, mac(0xee), 1400, lab.now);
    BOOST_TEST(other.arp.size() == 2U);
    BOOST_TEST(lab.egress.mtu() == 1400U);
    BOOST_TEST((lab.send(to_neighbour()) == Outcome::held));
    BOOST_TEST(lab.wire.sent.empty());
    BOOST_TEST(addresses_of(other.arp.back()) == "ff ff ff ff ff ff 02 00 00 00 00 ee 08 06");
}

BOOST_AUTO_TEST_CASE(a_packet_waits_for_its_neighbour_with_all_that_is_known_of_it) {
    Lab lab;
    auto packet = to_neighbour().build();
    BOOST_TEST((lab.send(packet, {.segment_size = 1400, .partial_checksum = true}) == Outcome::held));
    lab.egress.flush();
    BOOST_TEST(lab.wire.arp.size() == 1U);
    lab.answer(9);
    BOOST_TEST_REQUIRE(lab.wire.sent.size() == 1U);
    BOOST_TEST((lab.wire.sent[0].frame().offload ==
                captures::packet::Offload{.segment_size = 1400, .partial_checksum = true}));
    BOOST_TEST(addresses_of(lab.wire.sent[0]) == "02 00 00 00 00 09 02 00 00 00 00 ff 08 00");
    egress_test::check(lab.wire.sent[0], is_udp, payload("hello"));
    BOOST_TEST(lab.egress.numbers().held == 1U);
    BOOST_TEST(lab.sent() == 1U);
}

BOOST_AUTO_TEST_CASE(what_waits_in_vain_is_counted_and_told) {
    Lab lab;
    auto waiting = to_neighbour().build();
    static_cast<void>(lab.send(waiting));
    BOOST_TEST(lab.undeliverable.empty());
    while (lab.egress.next_deadline() <= start_time + 3s) lab.egress.advance(lab.now = lab.egress.next_deadline());
    BOOST_TEST(lab.egress.numbers().abandoned == 1U);
    BOOST_TEST_REQUIRE(lab.undeliverable.size() == 1U);
    BOOST_TEST(lab.undeliverable[0] == waiting.bytes());
    BOOST_TEST((lab.send(to_neighbour()) == Outcome::unreachable));
    BOOST_TEST(lab.undeliverable.size() == 2U);
}

BOOST_AUTO_TEST_CASE(where_no_route_leads_nothing_goes) {
    Lab lab;
    for (const char* const to :
         {"224.0.0.1:1", "255.255.255.255:1", "0.0.0.0:1", "10.0.1.255:1", "10.0.1.5:1", "10.0.1.6:1"}) {
        BOOST_TEST_CONTEXT(to) BOOST_TEST((lab.send(udp("198.51.100.7:1", to)) == Outcome::unreachable));
    }
    BOOST_TEST(lab.egress.numbers().unreachable == 6U);
    BOOST_TEST(lab.undeliverable.size() == 6U);
    BOOST_TEST(lab.wire.sent.empty());
    BOOST_TEST(lab.wire.arp.empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_whole_datagram_in_plain_ethernet_does_not_leave) {
    Lab lab;
    lab.meet(9);
    for (const auto& builder :
         {to_neighbour().vlan(7), to_neighbour().snap(40), to_neighbour().total_length(19),
          to_neighbour().total_length(0), to_neighbour().total_length(200), to_neighbour().ip_byte(0, 0x65),
          to_neighbour().ip_byte(0, 0x44), to_neighbour().ip_byte(0, 0x4f), support::arp("10.0.1.9", "10.0.1.5")}) {
        BOOST_TEST((lab.send(builder) == Outcome::unfit));
    }
    BOOST_TEST(lab.wire.sent.empty());
    BOOST_TEST(lab.egress.numbers().unfit == 9U);
}

BOOST_AUTO_TEST_CASE(a_port_that_refuses_is_told_of) {
    Lab lab;
    lab.meet(9);
    lab.wire.refuses = true;
    BOOST_TEST((lab.send(to_neighbour()) == Outcome::refused));
    BOOST_TEST((lab.send(to_neighbour().payload_size(5000)) == Outcome::refused));
    BOOST_TEST(lab.egress.numbers().refused == 2U);
    BOOST_TEST(lab.sent() == 0U);
}

BOOST_AUTO_TEST_CASE(a_datagram_longer_than_the_mtu_leaves_in_fragments_unless_it_may_not) {
    Lab lab;
    lab.meet(9);
    BOOST_TEST((lab.send(to_neighbour().payload_size(1472)) == Outcome::sent));
    BOOST_TEST(lab.wire.sent.size() == 1U);
    lab.wire.sent.clear();
    BOOST_TEST((lab.send(to_neighbour().payload_size(1473).df()) == Outcome::too_big));
    BOOST_TEST(lab.wire.sent.empty());
    BOOST_TEST((lab.send(to_neighbour().payload_size(1473)) == Outcome::sent));
    BOOST_TEST_REQUIRE(lab.wire.sent.size() == 2U);
    egress_test::check(lab.wire.sent[0], fragment_at(0, true), length(1500));
    egress_test::check(lab.wire.sent[1], fragment_at(1480, false), length(21));
    BOOST_TEST(addresses_of(lab.wire.sent[1]) == "02 00 00 00 00 09 02 00 00 00 00 ff 08 00");
    BOOST_TEST(lab.egress.numbers().fragmented == 1U);
    BOOST_TEST(lab.sent() == 3U);
    BOOST_TEST(lab.egress.numbers().too_big == 1U);
}

BOOST_AUTO_TEST_CASE(what_was_held_is_fragmented_when_it_leaves) {
    Lab lab{600};
    BOOST_TEST((lab.send(to_neighbour().payload_size(1473)) == Outcome::held));
    lab.answer(9);
    BOOST_TEST(lab.wire.sent.size() == 3U);
}

BOOST_AUTO_TEST_CASE(fragments_of_a_partial_checksum_carry_the_complete_one) {
    Lab lab{600};
    lab.meet(9);
    const auto whole = to_neighbour().payload_size(1000).build();
    auto partial = whole;
    captures::port::store_partial_checksum(captures::port::transport_of(partial.frame()));
    BOOST_TEST((lab.send(partial, {.segment_size = 0, .partial_checksum = true}) == Outcome::sent));
    lab.egress.flush();
    BOOST_TEST_REQUIRE(lab.wire.sent.size() == 2U);
    BOOST_TEST((lab.wire.sent[0].frame().offload == captures::packet::Offload{}));
    BOOST_TEST(
        std::equal(whole.bytes().begin() + 34, whole.bytes().begin() + 42, lab.wire.sent[0].bytes().begin() + 34));
    // A fragment's cannot be completed by anybody.
    auto fragment = fragment_of(to_neighbour().payload_size(3000), 0, 1400);
    BOOST_TEST((lab.send(fragment, {.segment_size = 0, .partial_checksum = true}) == Outcome::unfit));
}

BOOST_AUTO_TEST_CASE(a_frame_of_many_segments_is_measured_by_one_of_them) {
    Lab lab;
    lab.meet(9);
    const auto stream = tcp("198.51.100.7:1000", "10.0.1.9:22").ack().payload_size(60000);
    const captures::packet::Offload fits{.segment_size = 1460, .partial_checksum = true};
    BOOST_TEST((lab.send(stream, fits) == Outcome::sent));
    BOOST_TEST_REQUIRE(lab.wire.sent.size() == 1U);
    BOOST_TEST((lab.wire.sent[0].frame().offload == fits));
    BOOST_TEST(lab.wire.sent[0].bytes().size() == 60054U);
    lab.wire.sent.clear();
    auto unyielding = stream;
    BOOST_TEST((lab.send(unyielding.df(), {.segment_size = 1461, .partial_checksum = true}) == Outcome::too_big));
    BOOST_TEST((lab.send(stream, {.segment_size = 1461, .partial_checksum = true}) == Outcome::sent));
    BOOST_TEST(lab.wire.sent.size() == 2U * 41 + 1);
    egress_test::check(lab.wire.sent[0], fragment_at(0, true), length(1500));
    egress_test::check(lab.wire.sent[1], fragment_at(1480, false), length(21));
    egress_test::check(lab.wire.sent.back(), is_tcp, fragment_at(0, false), length(60000 % 1461 + 40), checksums_hold);
}

BOOST_AUTO_TEST_CASE(a_copy_needs_its_bytes_no_longer) {
    Lab lab;
    lab.meet(9);
    {
        auto packet = to_neighbour().build();
        BOOST_TEST((lab.egress.send_copy(packet.frame(), lab.now) == Outcome::sent));
        std::fill_n(packet.frame().data, packet.bytes().size(), std::byte{0xdd});
    }
    lab.egress.flush();
    egress_test::check(lab.wire.sent.at(0), is_udp, payload("hello"), checksums_hold);
}

BOOST_AUTO_TEST_CASE(more_than_the_buffer_holds_leaves_intact_between_two_flushes) {
    Lab lab{576};
    lab.meet(9);
    std::vector<OwnedFrame> packets;
    packets.reserve(10);
    for (int i = 0; i < 10; ++i)
        packets.push_back(to_neighbour().id(static_cast<std::uint16_t>(i)).payload_size(60000).build());
    for (auto& packet : packets) BOOST_TEST((lab.send(packet) == Outcome::sent));
    lab.egress.flush();
    BOOST_TEST_REQUIRE(lab.wire.sent.size() == 1090U);
    std::size_t index = 0;
    for (auto& packet : packets) {
        std::vector<std::byte> payload;
        for (std::size_t end = index + 109; index < end; ++index) {
            const auto& bytes = lab.wire.sent[index].bytes();
            payload.insert(payload.end(), bytes.begin() + 34, bytes.end());
        }
        BOOST_TEST(std::equal(payload.begin(), payload.end(), packet.bytes().begin() + 34, packet.bytes().end()));
    }
}

BOOST_AUTO_TEST_CASE(a_trailer_stays_where_the_link_takes_it) {
    Lab lab;
    lab.meet(9);
    static_cast<void>(lab.send(to_neighbour().pad_to(60)));
    static_cast<void>(lab.send(to_neighbour().pad_to(1600)));
    BOOST_TEST(lab.wire.sent.at(0).bytes().size() == 60U);
    BOOST_TEST(lab.wire.sent.at(1).bytes().size() == 1514U);
}

BOOST_AUTO_TEST_CASE(a_new_own_address_is_announced_at_once) {
    Lab lab;
    lab.egress.answer_for({ip("10.0.1.6"), ip("10.0.1.7")}, lab.now);
    BOOST_TEST(lab.wire.arp.size() == 1U);
    BOOST_TEST((lab.send(udp("198.51.100.7:1", "10.0.1.7:1")) == Outcome::unreachable));
}

BOOST_AUTO_TEST_SUITE_END()
