#include "captures/base/checksum.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/packet_builder.hpp"
#include "tools/synth/random.hpp"

namespace checksum_test {

using captures::base::ChecksumDelta;
using captures::base::fold;
using captures::base::updated;
using captures::base::updated_udp;
using support::Decoded;
using support::from_hex;

/// RFC 1071 §1 to the letter, byte by byte, carries at once: slow and obvious.
std::uint16_t plain_sum(std::span<const std::byte> bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto value = std::to_integer<std::uint32_t>(bytes[i]);
        sum += i % 2 == 0 ? value << 8 : value;
        if (sum > 0xffff) sum = sum - 0xffff;
    }
    return static_cast<std::uint16_t>(sum);
}

std::uint16_t plain_checksum(std::span<const std::byte> bytes) { return static_cast<std::uint16_t>(~plain_sum(bytes)); }

/// The header that RFC 1071 sums and Wikipedia's article shows, its checksum field zeroed.
std::vector<std::byte> header_without_checksum() {
    return from_hex("4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7");
}

}  // namespace checksum_test

BOOST_AUTO_TEST_SUITE(checksum_test)

BOOST_AUTO_TEST_CASE(the_example_of_rfc_1071_sums_to_ddf2) {
    BOOST_TEST(fold(captures::base::sum_of(from_hex("0001 f203 f4f5 f6f7"))) == 0xddf2);
}

BOOST_AUTO_TEST_CASE(a_header_gets_the_checksum_that_everybody_else_computes) {
    auto header = header_without_checksum();
    BOOST_TEST(captures::base::checksum_of(header) == 0xb861);
    BOOST_TEST(!captures::base::checksum_holds(header));
    captures::base::store_be16(&header[10], 0xb861);
    BOOST_TEST(captures::base::checksum_holds(header));
    header[8] = std::byte{0x41};
    BOOST_TEST(!captures::base::checksum_holds(header));
}

BOOST_AUTO_TEST_CASE(zeros_are_not_intact) { BOOST_TEST(!captures::base::checksum_holds(std::vector<std::byte>(20))); }

BOOST_AUTO_TEST_CASE(any_length_at_any_alignment_sums_as_byte_by_byte) {
    tools::Random random{1};
    std::vector<std::byte> bytes(200);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random.next());
    for (std::size_t start = 0; start < 8; ++start) {
        for (std::size_t size = 0; size + start <= bytes.size(); ++size) {
            const auto part = std::span{bytes}.subspan(start, size);
            BOOST_TEST_REQUIRE(fold(captures::base::sum_of(part)) == plain_sum(part),
                               "start " << start << " size " << size);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_long_run_of_ones_does_not_overflow) {
    const std::vector<std::byte> bytes(captures::packet::largest_frame, std::byte{0xff});
    BOOST_TEST(fold(captures::base::sum_of(bytes)) == 0xffff);
}

BOOST_AUTO_TEST_CASE(fold_keeps_the_value_modulo_ffff) {
    for (const auto sum : {std::uint64_t{0}, std::uint64_t{0xffff}, std::uint64_t{0x10000}, std::uint64_t{0x1fffe},
                           std::uint64_t{0xffffffff}, std::uint64_t{0x100000000}, UINT64_MAX, UINT64_MAX - 1}) {
        BOOST_TEST(fold(sum) % 0xffff == sum % 0xffff, "of " << sum);
        BOOST_TEST((fold(sum) == 0) == (sum == 0), "of " << sum);
    }
}

BOOST_AUTO_TEST_CASE(a_pseudo_header_counts_addresses_protocol_and_length) {
    const auto as_bytes = from_hex("c633 6407 cb00 710a 0006 0514");  // 198.51.100.7, 203.0.113.10, TCP, 1300
    const auto sum = captures::base::pseudo_header_sum({0xc6336407}, {0xcb00710a}, 6, 1300);
    BOOST_TEST(fold(sum) == plain_sum(as_bytes));
}

BOOST_AUTO_TEST_CASE(the_example_of_rfc_1624_gives_zero_and_not_minus_zero) {
    BOOST_TEST(updated(0xdd2f, ChecksumDelta{}.replace16(0x5555, 0x3285)) == 0x0000);
}

// RFC 1624 §3. Only all-zero data would differ, and no header is: its first byte is at least 0x45.
BOOST_AUTO_TEST_CASE(an_update_equals_a_recomputation_for_every_new_word) {
    auto header = header_without_checksum();
    for (const std::size_t word : {2U, 8U, 14U, 18U}) {
        const auto old_word = captures::base::load_be16(&header[word]);
        const auto old_checksum = plain_checksum(header);
        for (std::uint32_t value = 0; value <= 0xffff; ++value) {
            const auto new_word = static_cast<std::uint16_t>(value);
            captures::base::store_be16(&header[word], new_word);
            const auto found = updated(old_checksum, ChecksumDelta{}.replace16(old_word, new_word));
            BOOST_TEST_REQUIRE(found == plain_checksum(header), "word at " << word << " becomes " << value);
        }
        captures::base::store_be16(&header[word], old_word);
    }
}

BOOST_AUTO_TEST_CASE(an_update_equals_a_recomputation_for_random_headers_and_replacements) {
    tools::Random random{2};
    std::vector<std::byte> header(20);
    for (int round = 0; round < 50'000; ++round) {
        for (auto& byte : header) byte = static_cast<std::byte>(random.next());
        header[0] = std::byte{0x45};
        captures::base::store_be16(&header[10], 0);
        const auto old_checksum = plain_checksum(header);
        ChecksumDelta delta;
        for (const std::size_t field : {12U, 16U}) {
            const auto address = static_cast<std::uint32_t>(random.next());
            delta.replace32(captures::base::load_be32(&header[field]), address);
            captures::base::store_be32(&header[field], address);
        }
        const auto ttl_and_protocol = static_cast<std::uint16_t>(random.next());
        delta.replace16(captures::base::load_be16(&header[8]), ttl_and_protocol);
        captures::base::store_be16(&header[8], ttl_and_protocol);
        BOOST_TEST_REQUIRE(updated(old_checksum, delta) == plain_checksum(header), "round " << round);
    }
}

BOOST_AUTO_TEST_CASE(a_delta_survives_being_kept_folded) {
    tools::Random random{3};
    for (int round = 0; round < 10'000; ++round) {
        ChecksumDelta delta;
        for (int i = 0; i < 6; ++i) {
            delta.replace32(static_cast<std::uint32_t>(random.next()), static_cast<std::uint32_t>(random.next()));
        }
        const auto checksum = static_cast<std::uint16_t>(random.below(0xffff));
        BOOST_TEST_REQUIRE(updated(checksum, ChecksumDelta{delta.folded()}) == updated(checksum, delta));
    }
}

// 0xffff is no header's checksum: its words would have to sum to zero.
BOOST_AUTO_TEST_CASE(a_reversed_delta_undoes_an_update_of_every_checksum) {
    tools::Random random{4};
    for (std::uint32_t checksum = 0; checksum < 0xffff; ++checksum) {
        const auto before = static_cast<std::uint16_t>(checksum);
        ChecksumDelta delta;
        delta.replace32(static_cast<std::uint32_t>(random.next()), static_cast<std::uint32_t>(random.next()));
        BOOST_TEST_REQUIRE(updated(updated(before, delta), delta.reversed()) == before, "checksum " << checksum);
    }
}

BOOST_AUTO_TEST_CASE(replacing_nothing_changes_nothing) {
    for (std::uint32_t checksum = 0; checksum < 0xffff; ++checksum) {
        const auto before = static_cast<std::uint16_t>(checksum);
        BOOST_TEST_REQUIRE(updated(before, ChecksumDelta{}) == before);
        BOOST_TEST_REQUIRE(updated(before, ChecksumDelta{}.replace16(0x1234, 0x1234)) == before);
        BOOST_TEST_REQUIRE(updated(before, ChecksumDelta{}.reversed()) == before);
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_checksum_stays_wrong_by_as_much) {
    auto header = header_without_checksum();
    const auto good = plain_checksum(header);
    const auto delta = ChecksumDelta{}.replace32(captures::base::load_be32(&header[16]), 0x0a010004);
    captures::base::store_be32(&header[16], 0x0a010004);
    const auto good_after = plain_checksum(header);
    for (std::uint32_t error = 1; error < 0xffff; ++error) {
        const auto wrong = fold(std::uint64_t{good} + error);
        const auto wrong_after = updated(wrong, delta);
        BOOST_TEST_REQUIRE(fold(std::uint64_t{good_after} + error) % 0xffff == wrong_after % 0xffff, "by " << error);
        BOOST_TEST_REQUIRE(wrong_after % 0xffff != good_after % 0xffff, "by " << error);
    }
}

BOOST_AUTO_TEST_CASE(udp_without_a_checksum_keeps_none) {
    for (std::uint32_t word = 0; word <= 0xffff; ++word) {
        const auto delta = ChecksumDelta{}.replace16(0x1234, static_cast<std::uint16_t>(word));
        BOOST_TEST_REQUIRE(updated_udp(0, delta) == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_udp_checksum_computed_as_zero_is_sent_as_ffff) {
    bool met_zero = false;
    for (std::uint32_t word = 0; word <= 0xffff; ++word) {
        const auto delta = ChecksumDelta{}.replace16(0x1234, static_cast<std::uint16_t>(word));
        const auto plain = updated(0x4321, delta);
        met_zero = met_zero || plain == 0;
        BOOST_TEST_REQUIRE(updated_udp(0x4321, delta) == (plain == 0 ? 0xffff : plain));
    }
    BOOST_TEST(met_zero);
}

BOOST_AUTO_TEST_CASE(a_udp_checksum_of_ffff_is_a_checksum_like_any_other) {
    BOOST_TEST(updated_udp(0xffff, ChecksumDelta{}) == 0xffff);
    const auto delta = ChecksumDelta{}.replace16(0x1000, 0x1001);
    BOOST_TEST(updated_udp(0xffff, delta) == 0xfffe);
    BOOST_TEST(updated_udp(0xfffe, delta.reversed()) == 0xffff);
}

// Every value of a payload word, so that the sums pass 0 and 0xffff.
BOOST_AUTO_TEST_CASE(a_translated_udp_packet_has_the_checksum_that_a_sender_would_have_computed) {
    const auto payload_of = [](std::uint32_t word) {
        return std::vector{static_cast<std::byte>(word >> 8), static_cast<std::byte>(word), std::byte{7}};
    };
    const auto delta = ChecksumDelta{}
                           .replace32(0xcb00710a, 0x0a010004)  // 203.0.113.10 becomes 10.1.0.4
                           .replace16(50053, 53);
    for (std::uint32_t word = 0; word <= 0xffff; word += 3) {
        const Decoded before{support::udp("198.51.100.7:4000", "203.0.113.10:50053").payload(payload_of(word))};
        const Decoded after{support::udp("198.51.100.7:4000", "10.1.0.4:53").payload(payload_of(word))};
        BOOST_TEST_REQUIRE(updated_udp(before.packet.udp().checksum(), delta) == after.packet.udp().checksum(),
                           "payload " << word);
    }
}

BOOST_AUTO_TEST_SUITE_END()
