#include "captures/packet/header_writer.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "captures/base/checksum.hpp"
#include "captures/packet/tcp.hpp"

namespace header_writer_test {

using captures::base::Ipv4Address;
using captures::base::Protocol;

std::vector<int> numbers(std::span<const std::byte> bytes) {
    std::vector<int> all;
    for (const auto byte : bytes) all.push_back(std::to_integer<int>(byte));
    return all;
}

}  // namespace header_writer_test

using namespace header_writer_test;

BOOST_AUTO_TEST_SUITE(header_writer_test)

BOOST_AUTO_TEST_CASE(an_ipv4_header_is_written_over_whatever_was_there) {
    std::array<std::byte, 20> header;
    header.fill(std::byte{0xff});
    captures::packet::write_ipv4(header, {.source = Ipv4Address{0xc0a80001},
                                          .destination = Ipv4Address{0xc0a800c7},
                                          .protocol = 17,
                                          .total_length = 0x73});
    // The example of Wikipedia's article on the IPv4 header checksum.
    BOOST_TEST(numbers(header) == (std::vector{0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                               0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(options_stay_and_count) {
    std::array<std::byte, 24> ip{};
    ip[20] = std::byte{0x94};
    captures::packet::write_ipv4(ip, {});
    BOOST_TEST((ip[0] == std::byte{0x46} && ip[20] == std::byte{0x94}));
    BOOST_TEST(captures::base::checksum_holds(ip));

    std::array<std::byte, 24> tcp{};
    tcp[20] = std::byte{2};
    captures::packet::write_tcp(tcp, {.window = 1});
    BOOST_TEST(captures::packet::TcpView{tcp.data()}.header_length() == 24U);
    BOOST_TEST((tcp[20] == std::byte{2}));
}

BOOST_AUTO_TEST_CASE(a_tcp_header_has_every_field_in_its_place) {
    std::array<std::byte, 20> header;
    header.fill(std::byte{0xff});
    captures::packet::write_tcp(header, {.source_port = 0x0102,
                                         .destination_port = 0x0304,
                                         .sequence = 0x05060708,
                                         .acknowledgment = 0x090a0b0c,
                                         .flags = 0x12,
                                         .window = 0x0d0e});
    BOOST_TEST(numbers(header) == (std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x50, 0x12, 13, 14, 0, 0, 0, 0}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(udp_and_icmp_headers_have_every_field_in_its_place) {
    std::array<std::byte, 8> header;
    header.fill(std::byte{0xff});
    captures::packet::write_udp(header.data(), 0x0102, 0x0304, 0x0506);
    BOOST_TEST(numbers(header) == (std::vector{1, 2, 3, 4, 5, 6, 0, 0}), boost::test_tools::per_element());
    header.fill(std::byte{0xff});
    captures::packet::write_icmp(header.data(), 3, 4, 1500);
    BOOST_TEST(numbers(header) == (std::vector{3, 4, 0, 0, 0, 0, 5, 0xdc}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_udp_checksum_of_0_is_sent_as_all_ones) {
    // 17 + 2 + the word: all ones.
    constexpr std::array segment{std::byte{0xff}, std::byte{0xec}};
    BOOST_TEST(captures::packet::transport_checksum({}, {}, Protocol::udp, segment) == 0xffff);
    constexpr std::array of_tcp{std::byte{0xff}, std::byte{0xf7}};
    BOOST_TEST(captures::packet::transport_checksum({}, {}, Protocol::tcp, of_tcp) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
