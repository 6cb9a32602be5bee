#include "captures/packet/link_layer.hpp"

#include <boost/test/unit_test.hpp>
#include <memory>

#include "tests/support/packet_builder.hpp"

namespace link_layer_test {

using captures::packet::LinkLayer;
using captures::packet::LinkType;
using Content = captures::packet::LinkLayer::Content;
using support::from_hex;
using support::PacketBuilder;

struct Row {
    std::string_view sentence;
    PacketBuilder packet;
    Content content;
    std::uint32_t offset;
};

PacketBuilder ipv4() { return support::udp("198.51.100.7:4000", "203.0.113.10:50053").payload("hello"); }

std::vector<Row> rows() {
    return {
        {"Ethernet carries IPv4 behind 14 bytes", ipv4(), Content::ipv4, 14},
        {"Ethernet carries IPv6 behind 14 bytes", support::ipv6(), Content::ipv6, 14},
        {"ARP is other", support::arp("198.51.100.7", "198.51.100.8"), Content::other, 14},
        {"LLC, whose length stands in place of a type, is other", PacketBuilder{std::uint16_t{38}, from_hex("424203")},
         Content::other, 14},
        {"an 802.1Q tag takes 4 bytes", ipv4().vlan(100), Content::ipv4, 18},
        {"QinQ takes 8 bytes", ipv4().qinq(10, 20), Content::ipv4, 22},
        {"four tags are the most", ipv4().qinq(10, 20).qinq(30, 40), Content::ipv4, 30},
        {"five tags are other", ipv4().qinq(10, 20).qinq(30, 40).vlan(50), Content::other, 30},
        {"IPv6 is found behind tags", support::ipv6().qinq(10, 20), Content::ipv6, 22},
        {"ARP behind a tag is other", support::arp("198.51.100.7", "198.51.100.8").vlan(100), Content::other, 18},
        {"Linux cooked capture has 16 bytes", ipv4().on(LinkType::linux_sll), Content::ipv4, 16},
        {"Linux cooked capture can be tagged", ipv4().on(LinkType::linux_sll).qinq(10, 20), Content::ipv4, 24},
        {"ARP in a cooked capture is other", support::arp("198.51.100.7", "198.51.100.8").on(LinkType::linux_sll),
         Content::other, 16},
        {"Linux cooked capture v2 has 20 bytes", ipv4().on(LinkType::linux_sll2), Content::ipv4, 20},
        {"Linux cooked capture v2 carries IPv6", support::ipv6().on(LinkType::linux_sll2), Content::ipv6, 20},
        {"Linux cooked capture v2 can be tagged", ipv4().on(LinkType::linux_sll2).vlan(100), Content::ipv4, 24},
        {"Linux cooked capture v2 can be tagged twice", ipv4().on(LinkType::linux_sll2).qinq(10, 20), Content::ipv4,
         28},
        {"BSD null has 4 bytes", ipv4().on(LinkType::null), Content::ipv4, 4},
        {"BSD null names IPv6 by Darwin's number", support::ipv6().on(LinkType::null), Content::ipv6, 4},
        {"BSD loop has 4 bytes", ipv4().on(LinkType::loop), Content::ipv4, 4},
        {"raw IP tells its version itself: 4", ipv4().on(LinkType::raw), Content::ipv4, 0},
        {"raw IP tells its version itself: 6", support::ipv6().on(LinkType::raw), Content::ipv6, 0},
        {"raw IP by its BSD number", ipv4().on(LinkType::raw_12), Content::ipv4, 0},
        {"raw IP by its OpenBSD number", ipv4().on(LinkType::raw_14), Content::ipv4, 0},
        {"raw IP of no version is other", ipv4().on(LinkType::raw).ip_byte(0, 0x55), Content::other, 0},
        {"link type IPv4 is believed", ipv4().on(LinkType::ipv4), Content::ipv4, 0},
        {"link type IPv6 is believed", support::ipv6().on(LinkType::ipv6), Content::ipv6, 0},
        {"an unknown link type is other", ipv4().on(LinkType{147}), Content::other, 0},
    };
}

/// As far as it was captured, in a buffer that ends there.
LinkLayer parse_cut(captures::packet::Frame frame, std::uint32_t captured) {
    const auto bytes = std::make_unique<std::byte[]>(captured);
    std::copy_n(frame.data, captured, bytes.get());
    frame.data = bytes.get();
    frame.captured = captured;
    return captures::packet::parse_link_layer(frame);
}

LinkLayer parse_null(std::string_view family) {
    auto bytes = from_hex(family);
    captures::packet::Frame frame;
    frame.data = bytes.data();
    frame.captured = frame.length = static_cast<std::uint32_t>(bytes.size());
    frame.link_type = LinkType::null;
    return captures::packet::parse_link_layer(frame);
}

}  // namespace link_layer_test

namespace captures::packet {

static std::ostream& operator<<(std::ostream& out, LinkLayer::Content content) {
    static constexpr std::string_view names[] = {"ipv4", "ipv6", "other", "cut"};
    return out << names[static_cast<std::size_t>(content)];
}

}  // namespace captures::packet

BOOST_AUTO_TEST_SUITE(link_layer_test)

BOOST_AUTO_TEST_CASE(every_link_type_says_what_it_carries_and_where) {
    for (const auto& row : rows()) {
        BOOST_TEST_CONTEXT(row.sentence) {
            auto built = row.packet.build();
            const auto found = captures::packet::parse_link_layer(built);
            BOOST_TEST(found.content == row.content);
            BOOST_TEST(found.offset == row.offset);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_header_cut_at_any_byte_is_cut_and_a_whole_one_is_not) {
    for (const auto& row : rows()) {
        BOOST_TEST_CONTEXT(row.sentence) {
            auto built = row.packet.build();
            const auto whole = captures::packet::parse_link_layer(built);
            if (built.frame().link_type == LinkType{147}) continue;  // of whose header nothing is known
            const bool believed = built.frame().link_type == LinkType::ipv4 ||
                                  built.frame().link_type == LinkType::ipv6;
            const auto needed = whole.offset == 0 && !believed ? 1 : whole.offset;
            for (std::uint32_t captured = 0; captured <= needed; ++captured) {
                const auto expected = captured < needed ? Content::cut : whole.content;
                BOOST_TEST(parse_cut(built, captured).content == expected, "captured " << captured);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_family_of_bsd_null_is_read_in_either_byte_order) {
    for (const auto* family : {"00000002", "02000000"}) BOOST_TEST(parse_null(family).content == Content::ipv4, family);
    for (const auto* family : {"0000000a", "18000000", "0000001c", "1e000000", "0000001e"}) {
        BOOST_TEST(parse_null(family).content == Content::ipv6, family);
    }
    for (const auto* family : {"00000000", "00000007", "07000000", "ffffffff"}) {
        BOOST_TEST(parse_null(family).content == Content::other, family);
    }
}

BOOST_AUTO_TEST_CASE(the_tag_of_old_qinq_switches_is_a_tag) {
    auto bytes = from_hex("020000000001 020000000002 9100 000a 0800 45");
    captures::packet::Frame frame;
    frame.data = bytes.data();
    frame.captured = frame.length = static_cast<std::uint32_t>(bytes.size());
    BOOST_TEST(captures::packet::parse_link_layer(frame).content == Content::ipv4);
    BOOST_TEST(captures::packet::parse_link_layer(frame).offset == 18U);
}

BOOST_AUTO_TEST_SUITE_END()
