#include "captures/port/vnet_header.hpp"

#include <boost/test/unit_test.hpp>
#include <memory>

#include "captures/base/checksum.hpp"
#include "captures/packet/packet.hpp"
#include "captures/packet/tcp.hpp"
#include "captures/port/offload.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/packet_checks.hpp"
#include "tools/synth/random.hpp"

namespace vnet_header_test {

using captures::packet::Frame;
using captures::packet::Offload;
using captures::port::hand_offload;
using captures::port::take_offload;
using captures::port::VnetHeader;
namespace tcp_flag = captures::packet::tcp_flag;

support::PacketBuilder tcp() { return support::tcp("198.51.100.7:40000", "203.0.113.10:443"); }
support::PacketBuilder udp() { return support::udp("198.51.100.7:40000", "203.0.113.10:443"); }

/// As a sender leaves it whose interface computes checksums, with the header that the kernel gives with it.
VnetHeader make_partial(const Frame& frame) {
    const auto transport = captures::port::transport_of(frame);
    BOOST_REQUIRE(transport);
    captures::port::store_partial_checksum(transport);
    VnetHeader header;
    header.flags = VnetHeader::needs_checksum;
    header.checksum_start = static_cast<std::uint16_t>(transport.offset);
    header.checksum_offset = static_cast<std::uint16_t>(transport.checksum_offset);
    return header;
}

}  // namespace vnet_header_test

BOOST_AUTO_TEST_SUITE(vnet_header_test)

BOOST_AUTO_TEST_CASE(a_whole_frame_is_passed_on_as_it_is) {
    auto built = tcp().payload("whole").pad_to(90, 1).build();
    const auto before = built.bytes();
    auto frame = built.frame();
    BOOST_TEST(take_offload({}, frame));
    BOOST_TEST((frame.offload == Offload{}));
    VnetHeader header;
    BOOST_TEST(hand_offload(frame, header));
    BOOST_TEST(header.flags == 0);
    BOOST_TEST(header.gso_type == VnetHeader::gso_none);
    BOOST_TEST(frame.captured == before.size());
    BOOST_TEST(built.bytes() == before);
}

BOOST_AUTO_TEST_CASE(a_partial_checksum_is_passed_on_whatever_the_field_holds_meanwhile) {
    for (const auto& builder : {tcp().payload("some"), udp().payload("odd"), tcp().vlan(7)}) {
        auto built = builder.build();
        auto frame = built.frame();
        const auto arrived = make_partial(frame);
        const auto transport = captures::port::transport_of(frame);
        BOOST_TEST(take_offload(arrived, frame));
        BOOST_TEST((frame.offload == Offload{.partial_checksum = true}));
        captures::base::store_be16(transport.at + transport.checksum_offset, 0xbeef);
        VnetHeader header;
        BOOST_TEST(hand_offload(frame, header));
        BOOST_TEST(header.flags == VnetHeader::needs_checksum);
        BOOST_TEST(header.checksum_start == arrived.checksum_start);
        BOOST_TEST(header.checksum_offset == arrived.checksum_offset);
        BOOST_TEST(header.gso_type == VnetHeader::gso_none);
        BOOST_TEST(captures::port::looks_partial(frame));
    }
}

BOOST_AUTO_TEST_CASE(segments_are_passed_on_with_their_size) {
    struct Row {
        support::OwnedFrame built;
        std::uint8_t kind;
        std::uint16_t headers;
    };
    std::vector<Row> rows;
    rows.push_back({tcp().payload_size(60000).build(), VnetHeader::gso_tcp4, 54});
    rows.push_back({udp().payload_size(5000).build(), VnetHeader::gso_udp_segments, 42});
    for (auto& [built, kind, headers] : rows) {
        auto frame = built.frame();
        auto arrived = make_partial(frame);
        arrived.gso_type = kind;
        arrived.segment_size = 1200;
        BOOST_TEST(take_offload(arrived, frame));
        BOOST_TEST((frame.offload == Offload{.segment_size = 1200, .partial_checksum = true}));
        VnetHeader header;
        BOOST_TEST(hand_offload(frame, header));
        BOOST_TEST(header.gso_type == kind);
        BOOST_TEST(header.segment_size == 1200);
        BOOST_TEST(header.header_length == headers);
        BOOST_TEST(header.flags == VnetHeader::needs_checksum);
        BOOST_TEST(captures::port::looks_partial(frame));
    }
}

BOOST_AUTO_TEST_CASE(segments_that_were_verified_on_arrival_get_new_checksums) {
    auto built = tcp().payload_size(4000).build();
    auto frame = built.frame();
    VnetHeader arrived;
    arrived.gso_type = VnetHeader::gso_tcp4;
    arrived.segment_size = 1448;
    BOOST_TEST(take_offload(arrived, frame));
    BOOST_TEST((frame.offload == Offload{.segment_size = 1448, .partial_checksum = true}));
}

BOOST_AUTO_TEST_CASE(a_congestion_window_reduced_is_the_first_segments_alone) {
    auto built = tcp().flags(tcp_flag::ack | tcp_flag::cwr).payload_size(4000).build();
    auto frame = built.frame();
    auto arrived = make_partial(frame);
    arrived.gso_type = VnetHeader::gso_tcp4 | VnetHeader::gso_ecn;
    arrived.segment_size = 1448;
    BOOST_TEST(take_offload(arrived, frame));
    VnetHeader header;
    BOOST_TEST(hand_offload(frame, header));
    BOOST_TEST(header.gso_type == (VnetHeader::gso_tcp4 | VnetHeader::gso_ecn));
}

BOOST_AUTO_TEST_CASE(what_fits_one_segment_is_none) {
    auto built = tcp().payload_size(1000).build();
    auto frame = built.frame();
    frame.offload = {.segment_size = 1000, .partial_checksum = true};
    VnetHeader header;
    BOOST_TEST(hand_offload(frame, header));
    BOOST_TEST(header.gso_type == VnetHeader::gso_none);
    BOOST_TEST(header.flags == VnetHeader::needs_checksum);
}

BOOST_AUTO_TEST_CASE(a_trailer_is_neither_summed_nor_cut) {
    auto expected = tcp().payload("x").pad_to(90, 1).build();
    auto built = tcp().payload("x").pad_to(90, 1).build();
    auto frame = built.frame();
    BOOST_TEST(take_offload(make_partial(frame), frame));
    VnetHeader header;
    BOOST_TEST(hand_offload(frame, header));
    BOOST_TEST(header.flags == 0);
    BOOST_TEST(built.bytes() == expected.bytes());

    auto large = tcp().payload_size(4000).pad_to(4100, 1).build();
    frame = large.frame();
    frame.offload = {.segment_size = 1000, .partial_checksum = true};
    BOOST_TEST(hand_offload(frame, header));
    BOOST_TEST(frame.captured == 4054U);
    BOOST_TEST(header.gso_type == VnetHeader::gso_tcp4);
}

BOOST_AUTO_TEST_CASE(what_has_no_segments_is_refused) {
    auto built = support::icmp_echo("198.51.100.7:1", "203.0.113.10:1").build();
    auto frame = built.frame();
    frame.offload.segment_size = 100;
    VnetHeader header;
    BOOST_TEST(!hand_offload(frame, header));

    auto datagrams = udp().payload_size(4000).transport_byte(4, 0).transport_byte(5, 200).build();
    frame = datagrams.frame();
    frame.offload = {.segment_size = 100, .partial_checksum = true};
    BOOST_TEST(!hand_offload(frame, header));  // the datagram ends before the packet
}

BOOST_AUTO_TEST_CASE(segments_of_another_protocol_than_the_packets_are_refused) {
    auto stream = tcp().payload_size(4000).build();
    auto frame = stream.frame();
    VnetHeader arrived;
    arrived.gso_type = VnetHeader::gso_udp_segments;
    arrived.segment_size = 1000;
    BOOST_TEST(!take_offload(arrived, frame));
    arrived.gso_type = VnetHeader::gso_tcp4;
    arrived.segment_size = 0;
    BOOST_TEST(!take_offload(arrived, frame));
    auto datagram = udp().payload_size(4000).build();
    frame = datagram.frame();
    arrived.segment_size = 1000;
    BOOST_TEST(!take_offload(arrived, frame));
}

BOOST_AUTO_TEST_CASE(a_datagram_for_ip_to_fragment_is_one_datagram) {
    auto built = udp().payload_size(4000).build();
    auto frame = built.frame();
    auto arrived = make_partial(frame);
    arrived.gso_type = VnetHeader::gso_udp_fragments;
    arrived.segment_size = 1480;
    BOOST_TEST(take_offload(arrived, frame));
    BOOST_TEST((frame.offload == Offload{.partial_checksum = true}));
}

BOOST_AUTO_TEST_CASE(a_partial_checksum_inside_a_tunnel_is_completed) {
    // UDP without a checksum of its own, around a datagram that is to get one.
    auto inner = udp().payload("inner").build();
    const auto expected = inner.bytes();
    const auto of_inner = make_partial(inner);
    auto outer = udp().no_checksum().payload(inner.bytes()).build();
    auto frame = outer.frame();
    auto arrived = of_inner;
    arrived.checksum_start += 42;
    BOOST_TEST(take_offload(arrived, frame));
    BOOST_TEST((frame.offload == Offload{}));
    BOOST_TEST(std::equal(expected.begin(), expected.end(), frame.data + 42));
}

BOOST_AUTO_TEST_CASE(nothing_is_touched_behind_the_end) {
    tools::Random random{5};
    for (int round = 0; round < 20000; ++round) {
        auto owned = (random.below(2) == 0 ? tcp() : udp()).payload_size(random.below(40)).build();
        auto frame = owned.frame();
        const auto cut = static_cast<std::uint32_t>(random.below(frame.captured + 1));
        const auto bytes = std::make_unique<std::byte[]>(cut);  // ends there, for sanitizers to see
        std::copy_n(frame.data, cut, bytes.get());
        for (auto changes = cut > 0 ? random.below(4) : 0; changes > 0; --changes) {
            bytes[random.below(cut)] = static_cast<std::byte>(random.below(256));
        }
        frame.data = bytes.get();
        frame.captured = frame.length = cut;
        VnetHeader header;
        header.flags = static_cast<std::uint8_t>(random.below(4));
        header.gso_type = static_cast<std::uint8_t>(random.below(7));
        header.segment_size = static_cast<std::uint16_t>(random.below(12));
        header.checksum_start = static_cast<std::uint16_t>(random.below(random.below(8) == 0 ? 65536 : 90));
        header.checksum_offset = static_cast<std::uint16_t>(random.below(random.below(8) == 0 ? 65536 : 20));
        if (!take_offload(header, frame)) continue;
        if (random.below(4) == 0) frame.offload.segment_size = static_cast<std::uint16_t>(random.below(12));
        static_cast<void>(hand_offload(frame, header));
        BOOST_REQUIRE(frame.captured <= cut);
    }
}

BOOST_AUTO_TEST_SUITE_END()
