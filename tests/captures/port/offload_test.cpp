#include "captures/port/offload.hpp"

#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <memory>

#include "captures/base/checksum.hpp"
#include "captures/packet/packet.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/packet_checks.hpp"
#include "tools/synth/random.hpp"

namespace offload_test {

using captures::packet::Frame;
using captures::port::Segments;
using support::check;
using support::checksums_hold;
using support::Decoded;
using support::PacketBuilder;
using support::transport_checksum_is_wrong;
namespace tcp_flag = captures::packet::tcp_flag;

constexpr auto* client = "198.51.100.7:40000";
constexpr auto* server = "203.0.113.10:443";

PacketBuilder tcp() { return support::tcp(client, server).ack(77).seq(0xffffff00).timestamps(1, 2); }
PacketBuilder udp() { return support::udp(client, server); }

/// As a sender leaves it whose interface computes checksums.
void make_partial(const Frame& frame) {
    const auto transport = captures::port::transport_of(frame);
    BOOST_REQUIRE(transport);
    captures::port::store_partial_checksum(transport);
}

std::vector<support::OwnedFrame> segments_of(const Frame& frame) {
    std::vector<support::OwnedFrame> all;
    Segments segments{frame};
    for (;;) {
        std::vector<std::byte> bytes(segments.longest());
        const auto length = segments.write_next(bytes);
        if (length == 0) return all;
        bytes.resize(length);
        Frame properties;
        properties.length = length;
        all.emplace_back(std::move(bytes), properties);
    }
}

std::vector<std::byte> payload_of(const captures::packet::Packet& packet) {
    const std::size_t header = packet.kind == captures::packet::Kind::tcp ? packet.tcp().header_length() : 8U;
    return {packet.transport() + header, packet.ip + packet.length};
}

}  // namespace offload_test

BOOST_AUTO_TEST_SUITE(offload_test)

const std::vector<PacketBuilder> whole{
    tcp().payload("even"),           tcp().payload("odd"),      tcp(),
    udp().payload("even"),           udp().payload("odd"),      udp(),
    tcp().payload_size(65000),       udp().payload_size(65000), tcp().vlan(7).payload("tagged"),
    tcp().ip_options({1, 1, 1, 1}),  udp().qinq(3, 4),          udp().payload("padded").pad_to(60, 0xaa),
    tcp().payload("x").pad_to(90, 1)};

BOOST_DATA_TEST_CASE(a_partial_checksum_is_completed, boost::unit_test::data::xrange(whole.size()), row) {
    auto expected = whole[row].build();
    auto built = whole[row].build();
    make_partial(built);
    BOOST_TEST(captures::port::looks_partial(built));
    check(built, transport_checksum_is_wrong);
    captures::port::complete_checksum(built);
    BOOST_TEST(built.bytes() == expected.bytes());
    check(built, checksums_hold);
}

BOOST_AUTO_TEST_CASE(a_computed_checksum_of_zero_is_sent_as_all_ones_in_udp) {
    // Two bytes of payload that take the sum to all ones.
    auto frame = udp().payload(std::string(2, '\0')).build();
    const auto transport = captures::port::transport_of(frame);
    captures::base::store_be16(transport.at + 8, captures::base::load_be16(transport.at + 6));
    captures::port::complete_checksum(frame);
    BOOST_TEST(captures::base::load_be16(transport.at + 6) == 0xffff);
}

BOOST_AUTO_TEST_CASE(what_has_no_transport_checksum_is_left_alone) {
    std::vector<support::OwnedFrame> frames;
    frames.push_back(support::arp(client, server).build());
    frames.push_back(support::ipv6().build());
    frames.push_back(support::icmp_echo(client, server).build());
    frames.push_back(support::fragment_of(udp().payload_size(3000), 0, 1480));
    frames.push_back(support::fragment_of(udp().payload_size(3000), 1480, 1480));
    frames.push_back(tcp().payload("cut").snap(60).build());
    frames.push_back(tcp().transport_byte(12, 0x40).build());
    frames.push_back(tcp().transport_byte(12, 0xf0).build());
    frames.push_back(udp().transport_byte(5, 7).build());
    frames.push_back(udp().transport_byte(5, 9).build());
    for (auto& frame : frames) {
        const auto before = frame.bytes();
        BOOST_TEST(!captures::port::transport_of(frame));
        BOOST_TEST(!captures::port::looks_partial(frame));
        captures::port::complete_checksum(frame);
        BOOST_TEST(frame.bytes() == before);
        BOOST_TEST(Segments{frame.frame()}.count() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_read_behind_the_end) {
    tools::Random random{4};
    for (int round = 0; round < 20000; ++round) {
        auto owned = (random.below(2) == 0 ? tcp() : udp()).payload_size(random.below(40)).build();
        auto frame = owned.frame();
        for (auto changes = random.below(4); changes > 0; --changes) {
            frame.data[14 + random.below(std::min(frame.captured - 14, 40U))] = static_cast<std::byte>(
                random.below(256));
        }
        const auto cut = static_cast<std::uint32_t>(random.below(frame.captured + 1));
        const auto bytes = std::make_unique<std::byte[]>(cut);  // ends there, for sanitizers to see
        std::copy_n(frame.data, cut, bytes.get());
        frame.data = bytes.get();
        frame.captured = cut;
        frame.offload = {static_cast<std::uint16_t>(random.below(12)), random.below(2) == 0};
        if (captures::port::looks_partial(frame)) captures::port::complete_checksum(frame);
        const auto all = segments_of(frame);
        BOOST_REQUIRE(all.size() == Segments{frame}.count());
    }
}

BOOST_AUTO_TEST_CASE(a_stream_is_cut_into_segments) {
    for (const std::size_t size : {1U, 999U, 1000U, 1001U, 2000U, 64000U}) {
        auto built = tcp()
                         .id(0xfffe)
                         .fin()
                         .psh()
                         .flags(tcp_flag::ack | tcp_flag::fin | tcp_flag::psh | tcp_flag::cwr)
                         .payload_size(size)
                         .build();
        make_partial(built);
        auto frame = built.frame();
        frame.offload = {1000, true};
        const Decoded whole_frame{support::OwnedFrame{built.bytes(), frame}};

        auto all = segments_of(frame);
        BOOST_REQUIRE(all.size() == (size + 999) / 1000);
        std::vector<std::byte> stream;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const bool last = i + 1 == all.size();
            BOOST_TEST_CONTEXT("segment " << i << " of " << all.size()) {
                check(all[i], support::is_tcp, checksums_hold, support::from(client), support::to(server),
                      support::seq(static_cast<std::uint32_t>(0xffffff00 + i * 1000)), support::ack_number(77),
                      support::id(static_cast<std::uint16_t>(0xfffe + i)));
                const Decoded segment{all[i]};
                BOOST_TEST(segment.packet.has(tcp_flag::fin | tcp_flag::psh) == last);
                BOOST_TEST((segment.packet.tcp_flags & (tcp_flag::fin | tcp_flag::psh)) == (last ? 9 : 0));
                BOOST_TEST(segment.packet.has(tcp_flag::cwr) == (i == 0));
                BOOST_TEST(segment.packet.has(tcp_flag::ack));
                BOOST_TEST(segment.packet.tcp().header_length() == 32);  // timestamps are repeated
                const auto part = payload_of(segment.packet);
                BOOST_TEST((part.size() == 1000 || last));
                stream.insert(stream.end(), part.begin(), part.end());
            }
        }
        BOOST_TEST(stream == payload_of(whole_frame.packet));
    }
}

BOOST_AUTO_TEST_CASE(datagrams_are_cut_apart) {
    auto built = udp().vlan(5).payload_size(2500).pad_to(2700).build();
    make_partial(built);
    auto frame = built.frame();
    frame.offload = {1200, true};
    auto all = segments_of(frame);
    BOOST_REQUIRE(all.size() == 3U);
    const std::vector<std::size_t> sizes{1200, 1200, 100};
    for (std::size_t i = 0; i < all.size(); ++i) {
        check(all[i], support::is_udp, checksums_hold, support::length(28 + sizes[i]));
        BOOST_TEST(Decoded{all[i]}.packet.udp().length() == 8 + sizes[i]);
    }
}

BOOST_AUTO_TEST_CASE(datagrams_without_a_checksum_stay_without) {
    auto built = udp().no_checksum().payload_size(30).build();
    auto frame = built.frame();
    frame.offload = {20, false};
    for (auto& datagram : segments_of(frame)) check(datagram, support::is_udp, support::no_checksum);
}

BOOST_AUTO_TEST_CASE(a_frame_is_not_changed_by_cutting_it) {
    auto built = tcp().payload_size(5000).build();
    const auto before = built.bytes();
    auto frame = built.frame();
    frame.offload = {1448, true};
    static_cast<void>(segments_of(frame));
    BOOST_TEST(built.bytes() == before);
}

BOOST_AUTO_TEST_SUITE_END()
