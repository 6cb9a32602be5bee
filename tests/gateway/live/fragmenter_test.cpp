#include "gateway/live/fragmenter.hpp"

#include <boost/test/unit_test.hpp>

#include "captures/base/checksum.hpp"
#include "tests/support/packet_checks.hpp"

namespace fragmenter_test {

using captures::packet::Ipv4View;
using gateway::live::Fragmenter;
using namespace support;

using Datagram = std::vector<std::byte>;

struct Fragment {
    std::vector<std::byte> bytes;

    [[nodiscard]] Ipv4View ip() { return {bytes.data() + 14}; }
    [[nodiscard]] std::size_t payload() { return bytes.size() - 14 - ip().header_length(); }
};

std::vector<Fragment> fragments(OwnedFrame frame, std::uint32_t mtu) {
    const auto before = frame.bytes();
    Fragmenter fragmenter{frame.frame(), mtu};
    std::vector<Fragment> all;
    while (true) {
        Fragment next{std::vector<std::byte>(14 + mtu)};
        next.bytes.resize(fragmenter.write_next(next.bytes));
        if (next.bytes.empty()) break;
        all.push_back(std::move(next));
        BOOST_TEST_REQUIRE(all.size() < 10000U);
    }
    BOOST_TEST((frame.bytes() == before));
    BOOST_TEST(fragmenter.write_next({}) == 0U);
    return all;
}

/// What the destination makes of them, having checked each.
Datagram reassembled(std::vector<Fragment>& all, std::uint32_t mtu, const OwnedFrame& original, std::size_t header) {
    Datagram payload;
    const Ipv4View first = all.front().ip();
    for (auto& each : all) {
        const auto ip = each.ip();
        BOOST_TEST(ip.total_length() <= mtu);
        BOOST_TEST(ip.total_length() + 14U == each.bytes.size());
        BOOST_TEST(captures::base::checksum_holds({ip.at, ip.header_length()}));
        BOOST_TEST(ip.fragment_offset() - first.fragment_offset() == payload.size());
        BOOST_TEST(ip.identification() == first.identification());
        BOOST_TEST(ip.ttl() == first.ttl());
        BOOST_TEST(ip.protocol() == first.protocol());
        BOOST_TEST(!ip.dont_fragment());
        if (&each != &all.back()) BOOST_TEST((ip.more_fragments() && each.payload() % 8 == 0));
        BOOST_TEST(std::equal(each.bytes.begin(), each.bytes.begin() + 14, original.bytes().begin()));
        payload.insert(payload.end(), each.bytes.begin() + 14 + ip.header_length(), each.bytes.end());
    }
    const auto expected = original.bytes().begin() + 14 + static_cast<std::ptrdiff_t>(header);
    BOOST_TEST_REQUIRE(payload.size() <= original.bytes().size() - 14 - header);
    BOOST_TEST(std::equal(payload.begin(), payload.end(), expected));
    return payload;
}

PacketBuilder large(std::size_t payload) { return udp("10.0.0.1:1", "10.0.1.9:2").id(77).ttl(9).payload_size(payload); }

}  // namespace fragmenter_test

BOOST_AUTO_TEST_SUITE(fragmenter_test)

BOOST_AUTO_TEST_CASE(the_fragments_of_a_datagram_are_the_datagram) {
    for (const std::size_t size : {61U, 100U, 547U, 548U, 1472U, 1473U, 1480U, 3000U, 65507U}) {
        for (const std::uint32_t mtu : {68U, 69U, 576U, 577U, 583U, 1280U, 1500U, 9000U}) {
            BOOST_TEST_CONTEXT(size << " bytes, MTU " << mtu) {
                const auto original = large(size).build();
                auto all = fragments(original, mtu);
                BOOST_TEST(reassembled(all, mtu, original, 20).size() == size + 8);
                BOOST_TEST(!all.back().ip().more_fragments());
                const auto room = (mtu - 20) / 8 * 8;
                const auto most = (size + 8 + room - 1) / room;
                BOOST_TEST(all.size() <= most);
                BOOST_TEST(all.size() + 1 >= most);  // the last may be longer than the others' multiple of 8
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_follows_the_datagram_in_its_frame_is_left_behind) {
    const auto original = large(100).pad_to(300).build();
    auto all = fragments(original, 68);
    BOOST_TEST(reassembled(all, 68, original, 20).size() == 108U);
}

BOOST_AUTO_TEST_CASE(a_fragment_is_cut_where_it_lies) {
    for (const bool more : {false, true}) {
        const auto original = udp("10.0.0.1:1", "10.0.1.9:2").id(77).fragment(1480, more).payload_size(800).build();
        auto all = fragments(original, 576);
        BOOST_TEST(all.size() == 2U);
        BOOST_TEST(all.front().ip().fragment_offset() == 1480U);
        BOOST_TEST(all.back().ip().fragment_offset() == 1480U + 552);
        BOOST_TEST(all.back().ip().more_fragments() == more);
        BOOST_TEST(reassembled(all, 576, original, 20).size() == 800U);
    }
}

BOOST_AUTO_TEST_CASE(options_are_repeated_if_they_say_so) {
    struct Row {
        std::initializer_list<std::uint8_t> options;
        const char* later;
    };
    for (const auto& row : {
             Row{{7, 7, 4, 0, 0, 0, 0}, ""},       // record route: not copied
             Row{{0x94, 4, 0, 0}, "94 04 00 00"},  // router alert: copied
             Row{{7, 7, 4, 0, 0, 0, 0, 0x94, 4, 0, 0}, "94 04 00 00"},
             Row{{1, 0x94, 4, 0, 0, 1, 1}, "94 04 00 00"},
             Row{{0x88, 3, 9}, "88 03 09 00"},                    // padded
             Row{{0, 0x94, 4, 0, 0}, ""},                         // behind the end
             Row{{0x94, 4, 0, 0, 0x94, 1, 0, 0}, "94 04 00 00"},  // then lengths that cannot be
             Row{{0x94, 4, 0, 0, 0x94, 9, 0, 0}, "94 04 00 00"},
             Row{{0x94, 0, 0, 0}, ""},
             Row{{1, 1, 1, 0x94}, ""},
         }) {
        BOOST_TEST_CONTEXT("later " << row.later) {
            const auto builder = large(300).ip_options(row.options);
            const auto original = builder.build();
            auto all = fragments(original, 148);
            BOOST_TEST_REQUIRE(all.size() > 2U);
            const auto header = builder.header_length();
            BOOST_TEST(reassembled(all, 148, original, header).size() == 308U);
            BOOST_TEST(std::equal(original.bytes().begin() + 34,
                                  original.bytes().begin() + 14 + static_cast<std::ptrdiff_t>(header),
                                  all.front().bytes.begin() + 34));
            for (std::size_t i = 1; i < all.size(); ++i) {
                const auto ip = all[i].ip();
                BOOST_TEST(to_hex({ip.at + 20, ip.header_length() - std::size_t{20}}) == row.later);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_longest_header_leaves_room_for_eight_bytes) {
    const auto builder = large(40).ip_options({0x88, 40, 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                               13,   14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
                                               27,   28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38});
    const auto original = builder.build();
    auto all = fragments(original, 68);
    BOOST_TEST(all.size() == 6U);
    BOOST_TEST(reassembled(all, 68, original, 60).size() == 48U);
}

BOOST_AUTO_TEST_CASE(an_offloaded_header_checksum_is_filled_in) {
    const auto original = large(100).no_ip_checksum().build();
    auto all = fragments(original, 68);
    BOOST_TEST(reassembled(all, 68, original, 20).size() == 108U);
}

BOOST_AUTO_TEST_SUITE_END()
