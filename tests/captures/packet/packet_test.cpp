#include "captures/packet/packet.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>

#include "captures/base/checksum.hpp"
#include "captures/packet/link_layer.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/packet_checks.hpp"
#include "tests/support/packet_zoo.hpp"
#include "tools/synth/random.hpp"

namespace packet_test {

using captures::packet::Defect;
using captures::packet::Kind;
using support::Decoded;
using support::fragment_of;
using support::icmp_error;
using support::PacketBuilder;

constexpr auto* client = "198.51.100.7:40000";
constexpr auto* listener = "203.0.113.10:50022";
constexpr auto* router = "192.0.2.1";
constexpr auto* public_ip = "203.0.113.10";

PacketBuilder tcp() { return support::tcp(client, listener); }
PacketBuilder udp() { return support::udp(client, listener); }
PacketBuilder reply() { return support::tcp(listener, client).ack(1).payload("SSH-2.0-"); }
PacketBuilder unreachable() { return icmp_error(3, 1, router, public_ip); }

/// Decodes the first `captured` bytes in a buffer that ends there, so that a sanitizer sees what reads on.
template <class Look>
void decode_cut(captures::packet::Frame frame, std::uint32_t captured, Look look) {
    const auto bytes = std::make_unique<std::byte[]>(captured);
    std::copy_n(frame.data, captured, bytes.get());
    frame.data = bytes.get();
    frame.captured = captured;
    look(captures::packet::decode(frame));
}

/// Changes some of a frame's bytes, mostly in its headers, and where it is cut; half of the time it mends the IPv4 checksum.
void mutate(captures::packet::Frame& frame, tools::Random& random) {
    constexpr std::uint32_t link = 14;
    for (auto changes = random.below(4); changes > 0; --changes) {
        const auto at = link + random.below(std::min(frame.captured - link, 44U));
        frame.data[at] ^= static_cast<std::byte>(random.below(2) == 0 ? 1U << random.below(8) : random.below(256));
    }
    const captures::packet::Ipv4View ipv4{frame.data + link};
    if (random.below(2) == 0 && ipv4.header_length() <= frame.captured - link) {
        ipv4.set_checksum(0);
        ipv4.set_checksum(captures::base::checksum_of({ipv4.at, ipv4.header_length()}));
    }
    if (random.below(4) == 0) frame.captured = static_cast<std::uint32_t>(link + random.below(frame.captured - link));
    if (random.below(4) == 0) frame.length += static_cast<std::uint32_t>(random.below(20));
}

/// Bytes that have to be captured for a packet to be usable.
std::uint32_t needed(Decoded& decoded) {
    const auto link = captures::packet::parse_link_layer(decoded.frame).offset;
    const auto header = decoded.packet.header_length;
    switch (decoded.packet.kind) {
        case Kind::tcp: return link + header + 20;
        case Kind::udp: return link + header + 8;
        case Kind::icmp_error:
            return link + header + 8 + captures::packet::Ipv4View{decoded.packet.icmp().quoted()}.header_length() + 8;
        case Kind::fragment: return link + header;
        default: return 0;
    }
}

}  // namespace packet_test

BOOST_AUTO_TEST_SUITE(packet_test)

BOOST_AUTO_TEST_CASE(sound_frames_are_what_they_are) {
    for (const auto& row : support::sound_packets()) {
        BOOST_TEST_CONTEXT(row.what) {
            const Decoded decoded{row.packet};
            BOOST_TEST(decoded.packet.kind == row.kind);
            BOOST_TEST(decoded.packet.defect == Defect::none);
        }
    }
}

BOOST_AUTO_TEST_CASE(malformed_frames_say_what_is_wrong_with_them) {
    for (const auto& row : support::malformed_packets()) {
        BOOST_TEST_CONTEXT(row.what) {
            const Decoded decoded{row.packet};
            BOOST_TEST(decoded.packet.kind == row.kind);
            BOOST_TEST(decoded.packet.defect == row.defect);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_tables_have_a_row_for_every_kind_and_every_defect) {
    auto rows = support::sound_packets();
    for (auto& row : support::malformed_packets()) rows.push_back(std::move(row));
    for (int i = 0; i <= static_cast<int>(Kind::malformed); ++i) {
        const auto kind = static_cast<Kind>(i);
        BOOST_TEST((std::ranges::find(rows, kind, &support::Specimen::kind) != rows.end()), kind << " is not tested");
    }
    for (int i = 0; i <= static_cast<int>(Defect::fragment_length); ++i) {
        const auto defect = static_cast<Defect>(i);
        BOOST_TEST((std::ranges::find(rows, defect, &support::Specimen::defect) != rows.end()),
                   defect << " is not tested");
    }
}

BOOST_AUTO_TEST_CASE(every_defect_has_its_own_words) {
    std::vector<std::string_view> texts;
    for (int i = 0; i <= static_cast<int>(Defect::fragment_length); ++i) {
        const auto text = to_string(static_cast<Defect>(i));
        BOOST_TEST(!text.empty());
        BOOST_TEST((std::ranges::find(texts, text) == texts.end()), text);
        texts.push_back(text);
    }
}

BOOST_AUTO_TEST_CASE(a_frame_cut_at_any_byte_is_usable_as_soon_as_its_headers_are_there) {
    for (const auto& row : support::sound_packets()) {
        BOOST_TEST_CONTEXT(row.what) {
            Decoded whole{row.packet};
            const auto enough = needed(whole);
            const auto last = std::min(whole.frame.captured, 200U);
            for (std::uint32_t captured = 0; captured <= last; ++captured) {
                decode_cut(whole.frame, captured, [&](const captures::packet::Packet& packet) {
                    if (enough != 0 && captured >= enough) {
                        BOOST_TEST(packet.kind == row.kind, "captured " << captured << " is " << packet.kind);
                        BOOST_TEST(packet.length == whole.packet.length);
                    } else if (enough != 0) {
                        BOOST_TEST(packet.kind == Kind::malformed, "captured " << captured << " is " << packet.kind);
                    } else {
                        BOOST_TEST((packet.kind == Kind::malformed || packet.kind == row.kind),
                                   "captured " << captured);
                    }
                    BOOST_TEST(packet.captured <= captured);
                });
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(malformed_frames_cut_at_any_byte_stay_unusable) {
    for (const auto& row : support::malformed_packets()) {
        BOOST_TEST_CONTEXT(row.what) {
            // What only the missing bytes could show: sums over all of it.
            if (row.defect == Defect::icmp_checksum) continue;
            auto built = row.packet.build();
            for (std::uint32_t captured = 0; captured <= built.frame().captured; ++captured) {
                decode_cut(built, captured, [&](const captures::packet::Packet& packet) {
                    BOOST_TEST(packet.kind == Kind::malformed, "captured " << captured << " is " << packet.kind);
                });
            }
        }
    }
}

/// `decode` has a short way for the packets that are nearly all there are, and those only in Ethernet.
BOOST_AUTO_TEST_CASE(whatever_its_bytes_a_packet_decodes_in_ethernet_as_it_does_without) {
    tools::Random random{1};
    auto rows = support::sound_packets();
    for (auto& row : support::malformed_packets()) rows.push_back(row);
    std::size_t usable = 0;
    for (const auto& row : rows) {
        const auto built = Decoded{row.packet};
        const auto link = captures::packet::parse_link_layer(built.frame);
        if (built.frame.link_type != captures::packet::LinkType::ethernet || link.offset != 14 ||
            built.packet.ip == nullptr || built.frame.captured < 34)
            continue;
        for (int round = 0; round < 2000; ++round) {
            const auto bytes = std::make_unique<std::byte[]>(built.frame.captured);
            std::copy_n(built.frame.data, built.frame.captured, bytes.get());
            auto framed = built.frame;
            framed.data = bytes.get();
            mutate(framed, random);
            auto bare = framed;
            bare.link_type = captures::packet::LinkType::ipv4;
            bare.data += 14;
            bare.captured -= 14;
            bare.length -= 14;
            captures::packet::Packet packet = built.packet;  // what was there before must not show
            captures::packet::decode(framed, packet);
            BOOST_REQUIRE(packet == captures::packet::decode(bare));
            if (packet.is_segment()) ++usable;
        }
    }
    BOOST_TEST(usable > 10'000U);
}

BOOST_AUTO_TEST_CASE(an_icmp_checksum_that_the_capture_cuts_off_is_not_judged) {
    auto error = unreachable().quoting(reply(), 100).bad_checksum();
    BOOST_TEST(Decoded{error}.packet.defect == Defect::icmp_checksum);
    BOOST_TEST(Decoded{error.snap(14 + 20 + 8 + 20 + 8)}.packet.kind == Kind::icmp_error);
}

BOOST_AUTO_TEST_CASE(a_tcp_packet_is_filled_in) {
    const Decoded decoded{tcp().fin().psh().seq(7).ack(9).window(512).ttl(63).payload("hello").vlan(5).pad_to(100)};
    const auto& packet = decoded.packet;
    const captures::base::FiveTuple tuple{*captures::base::Endpoint::parse(client),
                                          *captures::base::Endpoint::parse(listener), captures::base::Protocol::tcp};
    BOOST_TEST(packet.tuple == tuple);
    BOOST_TEST((packet.ip == decoded.frame.data + 18));
    BOOST_TEST(packet.length == 45U);
    BOOST_TEST(packet.captured == 45U);
    BOOST_TEST(packet.header_length == 20U);
    BOOST_TEST(packet.sequence == 7U);
    BOOST_TEST(packet.acknowledgment == 9U);
    BOOST_TEST(packet.segment_length == 6U);
    BOOST_TEST(packet.window == 512U);
    BOOST_TEST(packet.tcp_flags == 0x19U);
    BOOST_TEST(packet.ttl == 63U);
    BOOST_TEST(!packet.is_fragmented());
    BOOST_TEST(!packet.checksum_offloaded);
}

BOOST_AUTO_TEST_CASE(syn_and_fin_count_in_sequence_space_and_options_do_not) {
    BOOST_TEST(Decoded{tcp().syn().mss(1460).timestamps(1, 0)}.packet.segment_length == 1U);
    BOOST_TEST(Decoded{tcp().fin().ack(1)}.packet.segment_length == 1U);
    BOOST_TEST(Decoded{tcp().ack(1)}.packet.segment_length == 0U);
    BOOST_TEST(Decoded{tcp().syn().payload("fast open")}.packet.segment_length == 10U);
}

BOOST_AUTO_TEST_CASE(total_length_0_takes_the_frame_s) {
    const Decoded decoded{tcp().ack(1).payload_size(66'000)};
    BOOST_TEST(decoded.packet.length == 66'040U);
    BOOST_TEST(decoded.packet.segment_length == 66'000U);
    const Decoded cut{tcp().ack(1).payload_size(66'000).snap(68)};
    BOOST_TEST(cut.packet.length == 66'040U);
    BOOST_TEST(cut.packet.captured == 54U);
}

BOOST_AUTO_TEST_CASE(a_fragment_has_addresses_and_no_ports) {
    const Decoded decoded{fragment_of(udp().id(77).payload_size(40), 16, 16)};
    BOOST_TEST(decoded.packet.kind == Kind::fragment);
    BOOST_TEST(decoded.packet.tuple.source.address == *captures::base::Ipv4Address::parse("198.51.100.7"));
    BOOST_TEST(decoded.packet.tuple.source.port == 0);
    BOOST_TEST(decoded.packet.tuple.destination.port == 0);
    BOOST_TEST(decoded.packet.tuple.protocol == captures::base::Protocol::udp);
    BOOST_TEST(decoded.packet.fragment_offset == 16);
    BOOST_TEST(decoded.packet.more_fragments);
}

BOOST_AUTO_TEST_CASE(an_icmp_error_has_its_router_s_tuple_and_quotes_the_sender_s) {
    for (const auto options : {std::initializer_list<std::uint8_t>{}, {7, 7, 4, 0, 0, 0, 0}}) {
        const Decoded decoded{unreachable().quoting(reply().ip_options(options))};
        BOOST_TEST(decoded.packet.tuple.source ==
                   (captures::base::Endpoint{*captures::base::Ipv4Address::parse(router), 0}));
        const captures::base::FiveTuple sent{*captures::base::Endpoint::parse(listener),
                                             *captures::base::Endpoint::parse(client), captures::base::Protocol::tcp};
        BOOST_TEST(captures::packet::quoted_tuple(decoded.packet) == sent);
    }
}

BOOST_AUTO_TEST_CASE(a_recomputed_checksum_is_the_sender_s) {
    for (std::size_t size = 0; size < 40; ++size) {
        const Decoded tcp_packet{tcp().ack(1).timestamps(1, 2).payload_size(size).pad_to(100, 0xee)};
        BOOST_TEST(captures::packet::transport_checksum(tcp_packet.packet).value() ==
                   tcp_packet.packet.tcp().checksum());
        const Decoded udp_packet{udp().payload_size(size).pad_to(100, 0xee)};
        BOOST_TEST(captures::packet::transport_checksum(udp_packet.packet).value() ==
                   udp_packet.packet.udp().checksum());
    }
}

// Captured on a veth pair without checksum offload (Linux 6): a datagram, the error it met, a SYN and its RST.
BOOST_AUTO_TEST_CASE(the_packets_of_a_linux_kernel_are_built_alike_and_their_checksums_hold) {
    const auto sent = support::udp("198.51.100.7:40000", "203.0.113.10:50053").id(16774).df().payload("hello");
    struct Recorded {
        std::string_view hex;
        PacketBuilder alike;
    };
    const std::vector<Recorded> all{
        {"4500 0021 4186 4000 4011 9300 c633 6407 cb00 710a 9c40 c385 000d f5f5 6865 6c6c 6f", sent},
        {"45c0 003d 4ee1 0000 4001 c4d9 cb00 710a c633 6407 0303 6361 0000 0000 4500 0021 4186 4000 4011 9300 c633 6407"
         "cb00 710a 9c40 c385 000d f5f5 6865 6c6c 6f",
         icmp_error(3, 3, public_ip, "198.51.100.7").id(20193).ip_byte(1, 0xc0).quoting(sent, 100)},
        {"4500 003c d2d3 4000 4006 01a3 c633 6407 cb00 710a 9c40 c366 112a 7978 0000 0000 a002 faf0 7760 0000 0204 05b4"
         "0402 080a 01b9 8363 0000 0000 0103 030a",
         tcp().id(53971).df().syn().seq(287996280).mss(1460).sack_permitted().timestamps(28935011, 0).window_scale(10)},
        {"4500 0028 0000 4000 4006 d48a cb00 710a c633 6407 c366 9c40 0000 0000 112a 7979 5014 0000 5f40 0000",
         support::tcp(listener, client).df().rst().ack(287996281).window(0)},
    };
    for (const auto& [hex, alike] : all) {
        const auto recorded = support::from_hex(hex);
        BOOST_TEST(support::to_hex(alike.datagram()) == support::to_hex(recorded));
        BOOST_TEST(check(PacketBuilder{std::uint16_t{0x0800}, recorded}.build(), support::checksums_hold));
    }
}

BOOST_AUTO_TEST_CASE(a_recomputed_udp_checksum_is_never_zero) {
    bool met_ffff = false;
    for (std::uint32_t word = 0; word <= 0xffff; ++word) {
        const Decoded decoded{
            udp().payload(std::vector{static_cast<std::byte>(word >> 8), static_cast<std::byte>(word)})};
        const auto checksum = captures::packet::transport_checksum(decoded.packet).value();
        BOOST_TEST_REQUIRE(checksum != 0);
        met_ffff = met_ffff || checksum == 0xffff;
    }
    BOOST_TEST(met_ffff);
}

BOOST_AUTO_TEST_CASE(nothing_is_recomputed_over_bytes_that_are_not_there) {
    const auto recomputed = [](const PacketBuilder& packet) {
        return captures::packet::transport_checksum(Decoded{packet}.packet).has_value();
    };
    BOOST_TEST(recomputed(tcp().ack(1).payload_size(10)));
    BOOST_TEST(!recomputed(tcp().ack(1).payload_size(10).snap(14 + 20 + 20 + 9)));
    BOOST_TEST(!recomputed(udp().payload_size(8).fragment(0, true)));
    BOOST_TEST(!recomputed(udp().payload_size(8).fragment(8, false)));
    BOOST_TEST(!recomputed(tcp().ack(1).payload_size(66'000)));
    BOOST_TEST(!recomputed(unreachable().quoting(reply())));
    BOOST_TEST(!recomputed(support::ipv6()));
}

BOOST_AUTO_TEST_SUITE_END()
