#include "captures/file/pcapng_interface.hpp"

#include <limits>
#include <ostream>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/support/capture_bytes.hpp"

namespace pcapng_interface_test {

using captures::file::PcapngInterface;
using captures::file::TimestampScale;
using captures::packet::Side;
using support::Bytes;
using support::FieldWriter;

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t all_ones = ~std::uint64_t{0};

struct Conversion {
    const char* sentence;
    unsigned resolution;
    std::int64_t offset;
    std::uint64_t units;
    std::int64_t nanoseconds;
};
std::ostream& operator<<(std::ostream& out, const Conversion& row) { return out << row.sentence; }

const std::vector<Conversion> conversions{
    {"seconds", 0, 0, 3, 3'000'000'000},
    {"milliseconds", 3, 0, 1'700'000'000'123, 1'700'000'000'123'000'000},
    {"microseconds", 6, 0, 1'700'000'000'123'456, 1'700'000'000'123'456'000},
    {"nanoseconds", 9, 0, 1'700'000'000'123'456'789, 1'700'000'000'123'456'789},
    {"picoseconds are cut", 12, 0, 1'999, 1},
    {"a resolution of which nothing can be seen", 127, 0, all_ones, 0},
    {"halves", 0x81, 0, 3, 1'500'000'000},
    {"1/1024 s", 0x80 | 10, 0, 1025, 1'000'976'562},
    {"2^-32 s, as NTP has it", 0x80 | 32, 0, 0x6553f100'80000000, 1'700'000'000'500'000'000},
    {"2^-63 s", 0x80 | 63, 0, std::uint64_t{1} << 63, 1'000'000'000},
    {"2^-127 s", 0xff, 0, all_ones, 0},
    {"2^0 s", 0x80, 0, 5, 5'000'000'000},
    {"an offset is seconds more", 6, 1'000, 5, 1'000'000'005'000},
    {"an offset may be negative", 6, -1, 5, -999'995'000},
    {"an offset with powers of two", 0x81, 10, 1, 10'500'000'000},
    {"the last nanosecond there is", 9, 0, static_cast<std::uint64_t>(most), most},
    {"seconds beyond 2262 stop there", 0, 0, 10'000'000'000, most},
    {"an offset beyond 2262 stops there", 6, most, 5, most},
    {"an offset before 1677 stops there", 6, least, 0, least},
    {"an offset cannot push a time over the end", 9, 10, static_cast<std::uint64_t>(most) - 5, most},
    {"an offset can bring a time back", 9, -10, static_cast<std::uint64_t>(most) + 5'000'000'000, most - 5'000'000'000},
    {"what overflows is taken as negative: microseconds", 6, 0, all_ones, -1'000},
    {"what overflows is taken as negative: nanoseconds", 9, 0, all_ones - 1, -2},
    {"what overflows is taken as negative: powers of two", 0x81, 0, all_ones, -500'000'000},
};

Bytes block(const FieldWriter& options, std::endian order = std::endian::little, unsigned link_type = 1) {
    const auto size = static_cast<std::uint32_t>(20 + options.bytes().size());
    FieldWriter block{order};
    block.u32(1).u32(size).u16(link_type).u16(0).u32(96).raw(options.bytes()).u32(size);
    return block.bytes();
}

PcapngInterface parsed(const FieldWriter& options, std::size_t index = 0) {
    return captures::file::parse_interface(block(options), index, false).value();
}

std::string refusal(const FieldWriter& options) {
    const auto interface = captures::file::parse_interface(block(options), 3, false);
    return interface ? "accepted" : interface.error();
}

}  // namespace pcapng_interface_test

BOOST_AUTO_TEST_SUITE(pcapng_interface_test)

BOOST_DATA_TEST_CASE(units_become_nanoseconds, conversions) {
    const TimestampScale scale{static_cast<std::uint8_t>(sample.resolution), sample.offset};
    BOOST_CHECK_EQUAL(scale(sample.units).time_since_epoch().count(), sample.nanoseconds);
}

BOOST_AUTO_TEST_CASE(the_fast_way_and_the_exact_way_agree_around_the_limit) {
    for (unsigned resolution = 0; resolution <= 9; ++resolution) {
        std::int64_t unit = 1;
        for (unsigned digit = resolution; digit < 9; ++digit) unit *= 10;
        const auto limit = static_cast<std::uint64_t>(most / unit);
        const TimestampScale scale{static_cast<std::uint8_t>(resolution)};
        BOOST_CHECK_EQUAL(scale(limit).time_since_epoch().count(), most / unit * unit);
        BOOST_CHECK_EQUAL(scale(limit + 1).time_since_epoch().count(), resolution == 9 ? least : most);
    }
}

BOOST_AUTO_TEST_CASE(an_interface_says_its_link_type_and_snap_length_in_either_byte_order) {
    for (const auto order : {std::endian::little, std::endian::big}) {
        FieldWriter options{order};
        options.option(9, FieldWriter{}.u8(9).bytes()).option(14, FieldWriter{order}.u64(2).bytes()).u32(0);
        const auto interface =
            captures::file::parse_interface(block(options, order, 276), 0, order == std::endian::big).value();
        BOOST_CHECK(interface.link_type == captures::packet::LinkType::linux_sll2);
        BOOST_CHECK_EQUAL(interface.snap_length, 96U);
        BOOST_CHECK_EQUAL(interface.scale(7).time_since_epoch().count(), 2'000'000'007);
    }
}

BOOST_AUTO_TEST_CASE(without_options_time_is_in_microseconds) {
    BOOST_CHECK_EQUAL(parsed(FieldWriter{}).scale(7).time_since_epoch().count(), 7'000);
}

BOOST_AUTO_TEST_CASE(the_first_interface_is_outside_and_every_other_one_inside) {
    BOOST_CHECK(parsed(FieldWriter{}, 0).side == Side::outside);
    BOOST_CHECK(parsed(FieldWriter{}, 1).side == Side::inside);
    BOOST_CHECK(parsed(FieldWriter{}, 7).side == Side::inside);
    BOOST_CHECK(parsed(FieldWriter{}.text_option(2, "eth0").text_option(3, "uplink"), 0).side == Side::outside);
}

BOOST_AUTO_TEST_CASE(a_name_or_a_description_says_the_side) {
    BOOST_CHECK(parsed(FieldWriter{}.text_option(2, "inside"), 0).side == Side::inside);
    BOOST_CHECK(parsed(FieldWriter{}.text_option(2, "outside"), 1).side == Side::outside);
    BOOST_CHECK(parsed(FieldWriter{}.text_option(3, "inside"), 0).side == Side::inside);
    BOOST_CHECK(parsed(FieldWriter{}.text_option(2, "eth1").text_option(3, "outside"), 1).side == Side::outside);
    BOOST_CHECK(parsed(FieldWriter{}.text_option(3, "outside").text_option(2, "inside"), 0).side == Side::inside);
    BOOST_CHECK(parsed(FieldWriter{}.text_option(2, std::string_view{"inside\0", 7}), 0).side == Side::inside);
    BOOST_CHECK(parsed(FieldWriter{}.text_option(2, "insider"), 0).side == Side::outside);
}

BOOST_AUTO_TEST_CASE(options_after_the_end_of_options_do_not_count) {
    BOOST_CHECK(parsed(FieldWriter{}.u32(0).text_option(2, "inside"), 0).side == Side::outside);
}

BOOST_AUTO_TEST_CASE(damaged_options_are_named) {
    BOOST_CHECK_EQUAL(refusal(FieldWriter{}.u16(11).u16(5).u32(0)),
                      "option 11 of interface 3 (5 bytes) runs past the end of its block");
    BOOST_CHECK_EQUAL(refusal(FieldWriter{}.u16(2).u16(65535)),
                      "option 2 of interface 3 (65535 bytes) runs past the end of its block");
    BOOST_CHECK_EQUAL(refusal(FieldWriter{}.text_option(9, "66")), "option 9 of interface 3 has the wrong length 2");
    BOOST_CHECK_EQUAL(refusal(FieldWriter{}.text_option(9, "")), "option 9 of interface 3 has the wrong length 0");
    BOOST_CHECK_EQUAL(refusal(FieldWriter{}.text_option(14, "1234")),
                      "option 14 of interface 3 has the wrong length 4");
}

BOOST_AUTO_TEST_CASE(a_block_too_short_for_an_interface_is_refused) {
    const Bytes small = FieldWriter{}.u32(1).u32(16).u32(1).u32(16).bytes();
    BOOST_CHECK(!captures::file::parse_interface(small, 0, false));
}

BOOST_AUTO_TEST_SUITE_END()
