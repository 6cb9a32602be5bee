#include "tools/synth/packet_builder.hpp"

#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "tests/support/packet_checks.hpp"

namespace packet_builder_test {

using namespace support;
using captures::packet::Defect;
using captures::packet::Kind;

constexpr auto* client = "198.51.100.7:4000";
constexpr auto* server = "203.0.113.1:22";

/// Whether a check finds something wrong.
bool rejects(const PacketBuilder& packet, const PacketCheck& holds) {
    auto built = packet.build();
    return !holds({built.frame(), captures::packet::decode(built)}).empty();
}

PacketBuilder host_unreachable() {
    return icmp_error(3, 1, "192.0.2.1", "203.0.113.1").quoting(tcp(server, client).ack(1).payload("hello"), 100);
}

}  // namespace packet_builder_test

BOOST_AUTO_TEST_SUITE(packet_builder_test)

BOOST_AUTO_TEST_CASE(a_packet_is_what_was_said_about_it) {
    check(tcp(client, server).syn().ack().seq(7).ack_number(9).ttl(63).id(5).payload("data").build(), is_tcp,
          from(client), to(server), flags("S."), seq(7), ack_number(9), ttl(63), id(5), length(44), payload("data"),
          on_side(captures::packet::Side::outside), on_link(captures::packet::LinkType::ethernet), captured_bytes(58),
          checksums_hold);
    check(udp(client, server).payload("data").no_checksum().inside().on(captures::packet::LinkType::raw).build(),
          is_udp, no_checksum, payload("data"), on_side(captures::packet::Side::inside),
          on_link(captures::packet::LinkType::raw), captured_bytes(32), checksums_hold);
    check(host_unreachable().build(), is_icmp_error, icmp(3, 1), from("192.0.2.1"), quotes_from(server),
          quotes_to(client), checksums_hold);
    check(tcp(client, server).syn().bad_checksum().build(), is_tcp, transport_checksum_is_wrong);
    check(udp(client, server).payload("data").bad_ip_checksum().build(), malformed(Defect::ip_checksum));
}

BOOST_AUTO_TEST_CASE(every_check_rejects_what_is_otherwise) {
    const auto syn = tcp(client, server).syn().seq(7);
    BOOST_TEST(rejects(syn, is_udp));
    BOOST_TEST(rejects(syn, is_fragment));
    BOOST_TEST(rejects(syn, is_icmp_error));
    BOOST_TEST(rejects(udp(client, server), is_tcp));
    BOOST_TEST(rejects(syn, is(Kind::udp)));
    BOOST_TEST(rejects(syn, malformed(Defect::tcp_flags)));
    BOOST_TEST(rejects(syn, from("198.51.100.7:4001")));
    BOOST_TEST(rejects(syn, from("198.51.100.8")));
    BOOST_TEST(!rejects(syn, from("198.51.100.7")));
    BOOST_TEST(rejects(syn, to("203.0.113.1:23")));
    BOOST_TEST(rejects(syn, ttl(63)));
    BOOST_TEST(rejects(syn, id(1)));
    BOOST_TEST(rejects(syn, length(41)));
    BOOST_TEST(rejects(syn, fragment_at(0, true)));
    BOOST_TEST(rejects(syn, fragment_at(8, false)));
    BOOST_TEST(rejects(syn, flags("S.")));
    BOOST_TEST(rejects(syn, seq(8)));
    BOOST_TEST(rejects(syn, ack_number(1)));
    BOOST_TEST(rejects(syn, payload("x")));
    BOOST_TEST(rejects(udp(client, server), no_checksum));
    BOOST_TEST(rejects(host_unreachable(), icmp(3, 2)));
    BOOST_TEST(rejects(host_unreachable(), icmp(11, 1)));
    BOOST_TEST(rejects(host_unreachable(), quotes_from(client)));
    BOOST_TEST(rejects(host_unreachable(), quotes_to(server)));
    BOOST_TEST(rejects(syn, on_side(captures::packet::Side::inside)));
    BOOST_TEST(rejects(syn, on_link(captures::packet::LinkType::raw)));
    BOOST_TEST(rejects(syn, captured_bytes(53)));
    BOOST_TEST(rejects(syn, transport_checksum_is_wrong));
}

BOOST_AUTO_TEST_CASE(checksums_do_not_hold_when_any_of_them_is_wrong) {
    BOOST_TEST(rejects(tcp(client, server).syn().bad_checksum(), checksums_hold));
    BOOST_TEST(rejects(udp(client, server).bad_checksum(), checksums_hold));
    BOOST_TEST(rejects(udp(client, server).bad_ip_checksum(), checksums_hold));
    BOOST_TEST(rejects(udp(client, server).no_ip_checksum(), checksums_hold));
    BOOST_TEST(rejects(tcp(client, server).syn().no_checksum(), checksums_hold));
    BOOST_TEST(rejects(host_unreachable().bad_checksum(), checksums_hold));
    BOOST_TEST(rejects(host_unreachable().bad_quoted_ip_checksum(), checksums_hold));
    const auto spoiled = tcp(server, client).ack(1).payload("hello").bad_checksum();
    BOOST_TEST(rejects(icmp_error(3, 1, "192.0.2.1", "203.0.113.1").quoting(spoiled, 100), checksums_hold));
    BOOST_TEST(!rejects(icmp_error(3, 1, "192.0.2.1", "203.0.113.1").quoting(spoiled, 8), checksums_hold));
}

BOOST_AUTO_TEST_CASE(fragments_put_together_are_the_datagram) {
    const auto packet = udp(client, server).id(9).payload_size(100).vlan(7);
    const auto whole = packet.datagram();
    for (const std::size_t size : {8U, 24U, 56U, 104U, 2000U}) {
        std::vector<std::byte> together(whole.begin(), whole.begin() + 20);
        auto frames = fragments_of(packet, size);
        for (std::size_t i = 0; i < frames.size(); ++i) {
            const auto decoded = captures::packet::decode(frames[i]);
            if (i > 0) {
                check(frames[i], is_fragment, fragment_at(i * size, i + 1 < frames.size()), id(9), from("198.51.100.7"),
                      checksums_hold);
            }
            together.insert(together.end(), decoded.ip + 20, decoded.ip + decoded.length);
        }
        BOOST_TEST(frames.size() == (108 + size - 1) / size);
        BOOST_TEST(to_hex(together) == to_hex(whole));
    }
}

BOOST_AUTO_TEST_CASE(a_frame_can_be_quoted_as_it_is_on_the_wire) {
    auto reply = tcp(server, client).ack(1).payload("hello").qinq(1, 2).pad_to(100).build();
    const auto quoting_frame = icmp_error(3, 1, "192.0.2.1", "203.0.113.1").quoting(reply, 100);
    BOOST_TEST(to_hex(quoting_frame.datagram()) == to_hex(host_unreachable().datagram()));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_built_is_refused) {
    BOOST_CHECK_THROW(static_cast<void>(tcp("198.51.100.7:", server)), std::invalid_argument);
    BOOST_CHECK_THROW(static_cast<void>(tcp("198.51.100.256:1", server)), std::invalid_argument);
    BOOST_CHECK_THROW(static_cast<void>(fragment_of(udp(client, server).payload_size(100), 4, 8)),
                      std::invalid_argument);
    BOOST_CHECK_THROW(static_cast<void>(fragment_of(udp(client, server).payload_size(100), 112, 8)),
                      std::invalid_argument);
    auto not_ip = arp("198.51.100.7", "198.51.100.8").build();
    BOOST_CHECK_THROW(host_unreachable().quoting(not_ip), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
