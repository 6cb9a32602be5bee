#include "gateway/live/icmp_error.hpp"

#include <boost/test/unit_test.hpp>

#include "captures/base/checksum.hpp"
#include "tests/support/packet_checks.hpp"

namespace icmp_error_test {

using captures::packet::Ipv4View;
using captures::packet::Side;
using gateway::live::IcmpBudget;
using gateway::live::IcmpError;
using gateway::live::IcmpErrorFrame;
using gateway::live::may_be_answered;
using namespace support;
using namespace std::chrono_literals;

using Kind = IcmpError::Kind;

const captures::base::Ipv4Address gateway_address = Where{"203.0.113.1"}.endpoint.address;

PacketBuilder client() { return tcp("198.51.100.7:40000", "203.0.113.10:50022").ack().id(9).ttl(1); }

bool answered(const PacketBuilder& builder) {
    const Decoded packet{builder};
    return may_be_answered(packet.frame, packet.packet);
}

}  // namespace icmp_error_test

BOOST_AUTO_TEST_SUITE(icmp_error_test)

BOOST_AUTO_TEST_CASE(each_error_has_its_type_and_code_and_quotes_what_came) {
    struct Row {
        Kind kind;
        int type;
        int code;
        std::uint32_t rest;
    };
    for (const auto& row : {Row{Kind::host_unreachable, 3, 1, 0}, Row{Kind::fragmentation_needed, 3, 4, 1400},
                            Row{Kind::time_exceeded, 11, 0, 0}}) {
        Decoded packet{client().payload("hello").side(Side::outside)};
        const IcmpErrorFrame error{{row.kind, gateway_address, 1400}, packet.frame, packet.packet};
        const auto& frame = error.frame();
        check(frame, is_icmp_error, icmp(row.type, row.code), from("203.0.113.1"), to("198.51.100.7"), ttl(64), id(0),
              quotes_from("198.51.100.7:40000"), quotes_to("203.0.113.10:50022"), on_side(Side::outside),
              checksums_hold, length(20 + 8 + 45));
        const auto sent = captures::packet::decode(frame);
        BOOST_TEST(captures::base::load_be32(sent.icmp().at + 4) == row.rest);
        BOOST_TEST(sent.ipv4().dont_fragment());
        BOOST_TEST(captures::base::load_u8(sent.ip + 1) == 0xc0);
        BOOST_TEST(std::equal(packet.packet.ip, packet.packet.ip + 45, sent.icmp().quoted()));
        BOOST_TEST(frame.number == 0U);
    }
}

BOOST_AUTO_TEST_CASE(it_quotes_as_much_as_576_bytes_take) {
    for (const std::size_t size : {0U, 507U, 508U, 509U, 1460U, 60000U}) {
        const Decoded packet{client().payload_size(size)};
        const IcmpErrorFrame error{{Kind::time_exceeded, gateway_address}, packet.frame, packet.packet};
        check(error.frame(), icmp(11, 0), length(std::min<std::size_t>(576, 28 + 40 + size)), checksums_hold);
    }
}

BOOST_AUTO_TEST_CASE(padding_of_the_frame_is_not_quoted) {
    const Decoded packet{client().pad_to(200)};
    const IcmpErrorFrame error{{Kind::time_exceeded, gateway_address}, packet.frame, packet.packet};
    check(error.frame(), length(28 + 40), checksums_hold);
}

BOOST_AUTO_TEST_CASE(options_are_quoted) {
    const Decoded packet{client().ip_options({0x94, 4, 0, 0}).payload_size(1000)};
    const IcmpErrorFrame error{{Kind::time_exceeded, gateway_address}, packet.frame, packet.packet};
    check(error.frame(), length(576), quotes_from("198.51.100.7:40000"), checksums_hold);
}

BOOST_AUTO_TEST_CASE(of_many_segments_one_is_quoted) {
    struct Row {
        PacketBuilder builder;
        std::size_t length;
    };
    for (const auto& row : {Row{client().timestamps(1, 2).payload_size(60000), 20 + 32 + 1448},
                            Row{client().ip_options({0x94, 4, 0, 0}).payload_size(60000), 24 + 20 + 1448},
                            Row{udp("198.51.100.7:4000", "203.0.113.10:500").payload_size(60000), 28 + 1448},
                            Row{udp("198.51.100.7:4000", "203.0.113.10:500").payload_size(100), 28 + 100}}) {
        Decoded packet{row.builder};
        packet.frame.offload = {.segment_size = 1448, .partial_checksum = true};
        const IcmpErrorFrame error{{Kind::fragmentation_needed, gateway_address, 1400}, packet.frame, packet.packet};
        const auto sent = captures::packet::decode(error.frame());
        const Ipv4View quoted{sent.icmp().quoted()};
        BOOST_TEST(quoted.total_length() == row.length);
        BOOST_TEST(captures::base::checksum_holds({quoted.at, quoted.header_length()}));
        check(error.frame(), icmp(3, 4));
    }
}

BOOST_AUTO_TEST_CASE(what_may_be_answered_and_what_not) {
    BOOST_TEST(answered(client()));
    BOOST_TEST(answered(udp("198.51.100.7:1", "203.0.113.10:2")));
    BOOST_TEST(answered(udp("198.51.100.7:1", "203.0.113.10:2").payload_size(96).fragment(0, true)));
    const auto udp_from = [](const char* from, const char* to = "203.0.113.10:2") { return udp(from, to); };
    for (const auto& builder : {
             udp("198.51.100.7:1", "203.0.113.10:2").fragment(1480, false).payload_size(80),
             icmp_error(3, 1, "198.51.100.7", "203.0.113.10").quoting(udp("203.0.113.10:2", "198.51.100.7:1")),
             icmp_echo("198.51.100.7", "203.0.113.10"),
             ip_protocol(47, "198.51.100.7", "203.0.113.10"),
             udp_from("0.0.0.0:1"),
             udp_from("127.0.0.1:1"),
             udp_from("224.0.0.1:1"),
             udp_from("240.0.0.1:1"),
             udp_from("255.255.255.255:1"),
             udp_from("198.51.100.7:1", "224.0.0.1:1"),
             udp_from("198.51.100.7:1", "255.255.255.255:1"),
             support::arp("10.0.0.1", "10.0.0.2"),
             support::ipv6(),
         }) {
        BOOST_TEST_CONTEXT(captures::packet::name_of(Decoded{builder}.packet.kind)) BOOST_TEST(!answered(builder));
    }
}

BOOST_AUTO_TEST_CASE(a_link_layer_broadcast_is_not_answered) {
    for (const unsigned first : {0xffU, 0x01U, 0x33U}) {
        const Decoded packet{client()};
        packet.frame.data[0] = std::byte(first);
        BOOST_TEST(!may_be_answered(packet.frame, packet.packet));
    }
}

BOOST_AUTO_TEST_CASE(errors_come_in_a_burst_and_then_at_a_rate) {
    IcmpBudget budget;
    const auto taken = [&](captures::base::Time now) {
        int count = 0;
        while (budget.take(now) && count < 1000) ++count;
        return count;
    };
    BOOST_TEST(taken(start_time) == 50);
    BOOST_TEST(taken(start_time + 9999us) == 0);
    BOOST_TEST(taken(start_time + 10ms) == 1);
    BOOST_TEST(taken(start_time + 110ms) == 10);
    BOOST_TEST(taken(start_time + 1h) == 50);
    BOOST_TEST(taken(start_time) == 0);
    BOOST_TEST(taken(start_time + 1h + 20ms) == 2);
}

BOOST_AUTO_TEST_SUITE_END()
