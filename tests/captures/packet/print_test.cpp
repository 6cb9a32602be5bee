#include "captures/packet/print.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/packet_builder.hpp"

namespace print_test {

using support::PacketBuilder;
using support::tcp;
using support::udp;

constexpr auto* client = "198.51.100.7:40000";
constexpr auto* listener = "203.0.113.10:50022";

struct Row {
    std::string_view text;
    PacketBuilder packet;
};

std::vector<Row> rows() {
    return {
        {"198.51.100.7:40000 > 203.0.113.10:50022 TCP S seq 1 win 64240 len 0",
         tcp(client, listener).syn().seq(1).mss(1460).window_scale(7)},
        {"203.0.113.10:50022 > 198.51.100.7:40000 TCP S. seq 9 ack 2 win 64240 len 0",
         tcp(listener, client).syn().seq(9).ack(2)},
        {"198.51.100.7:40000 > 203.0.113.10:50022 TCP P. seq 2 ack 10 win 512 len 5",
         tcp(client, listener).psh().seq(2).ack(10).window(512).payload("hello").pad_to(100)},
        {"198.51.100.7:40000 > 203.0.113.10:50022 TCP R seq 7 win 64240 len 0", tcp(client, listener).rst().seq(7)},
        {"198.51.100.7:40000 > 203.0.113.10:50022 UDP len 5", udp(client, listener).payload("hello")},
        {"198.51.100.7 > 203.0.113.10 UDP fragment at 1480 len 16",
         udp(client, listener).payload_size(16).fragment(1480, true)},
        {"192.0.2.1 > 203.0.113.10 ICMP 3/1 about 203.0.113.10:50022 > 198.51.100.7:40000 len 36",
         support::icmp_error(3, 1, "192.0.2.1", "203.0.113.10").quoting(tcp(listener, client).ack(1))},
        {"198.51.100.7 > 203.0.113.10 other protocol len 16", support::icmp_echo("198.51.100.7", "203.0.113.10")},
        {"IPv6", support::ipv6()},
        {"not IP", support::arp("198.51.100.7", "198.51.100.8")},
        {"malformed: IPv4 header checksum is wrong", udp(client, listener).bad_ip_checksum()},
        {"malformed: capture ends inside the transport header", tcp(client, listener).syn().snap(40)},
    };
}

}  // namespace print_test

BOOST_AUTO_TEST_SUITE(print_test)

BOOST_AUTO_TEST_CASE(a_packet_is_a_line_as_tcpdump_writes_it) {
    for (const auto& row : rows())
        BOOST_TEST(captures::packet::describe(support::Decoded{row.packet}.packet) == row.text);
}

BOOST_AUTO_TEST_CASE(flags_are_tcpdumps_letters_and_the_ack_a_dot) {
    using namespace captures::packet::tcp_flag;
    BOOST_TEST(captures::packet::flag_letters(0) == "");
    BOOST_TEST(captures::packet::flag_letters(ack) == ".");
    BOOST_TEST(captures::packet::flag_letters(syn | ack) == "S.");
    BOOST_TEST(captures::packet::flag_letters(fin | psh | ack) == "FP.");
    BOOST_TEST(captures::packet::flag_letters(rst) == "R");
    BOOST_TEST(captures::packet::flag_letters(0xff) == "SFRPUEW.");
}

BOOST_AUTO_TEST_SUITE_END()
