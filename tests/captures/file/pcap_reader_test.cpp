#include "captures/file/pcap_reader.hpp"

#include <ostream>

#include <boost/test/data/test_case.hpp>

#include "tests/support/captured.hpp"

namespace pcap_reader_test {

using captures::packet::LinkType;
using captures::packet::Side;
using support::Bytes;
using support::open_bytes;
using support::payload;
using support::PcapFile;
using support::read_all;

struct Variant {
    const char* sentence;
    std::endian order;
    std::uint32_t magic;
    std::int64_t unit;
};
std::ostream& operator<<(std::ostream& out, const Variant& row) { return out << row.sentence; }

const std::vector<Variant> variants{
    {"microseconds, little-endian", std::endian::little, 0xa1b2c3d4, 1000},
    {"microseconds, big-endian", std::endian::big, 0xa1b2c3d4, 1000},
    {"nanoseconds, little-endian", std::endian::little, 0xa1b23c4d, 1},
    {"nanoseconds, big-endian", std::endian::big, 0xa1b23c4d, 1},
    {"Kuznetzov's longer record header, little-endian", std::endian::little, 0xa1b2cd34, 1000},
    {"Kuznetzov's longer record header, big-endian", std::endian::big, 0xa1b2cd34, 1000},
};

PcapFile three_packets(const Variant& variant) {
    PcapFile file{{.order = variant.order, .magic = variant.magic}};
    file.record(1'700'000'000, 7, payload(60, 1)).record(1'700'000'001, 0, payload(0)).record(1, 2, payload(33, 3));
    return file;
}

std::string error_of(const captures::file::Source& source) {
    return source.error() ? captures::file::to_string(*source.error()) : std::string{};
}

}  // namespace pcap_reader_test

BOOST_AUTO_TEST_SUITE(pcap_reader_test)

BOOST_DATA_TEST_CASE(every_variant_gives_the_same_packets, variants) {
    const auto source = open_bytes(three_packets(sample).bytes());
    const auto packets = read_all(*source);
    BOOST_CHECK_EQUAL(error_of(*source), "");
    BOOST_REQUIRE_EQUAL(packets.size(), 3U);
    BOOST_CHECK(packets[0].bytes == payload(60, 1));
    BOOST_CHECK(packets[1].bytes.empty());
    BOOST_CHECK(packets[2].bytes == payload(33, 3));
    BOOST_CHECK_EQUAL(support::nanoseconds(packets[0].frame.time), 1'700'000'000'000'000'000 + 7 * sample.unit);
    BOOST_CHECK_EQUAL(support::nanoseconds(packets[2].frame.time), 1'000'000'000 + 2 * sample.unit);
    for (const auto& packet : packets) {
        BOOST_CHECK_EQUAL(packet.frame.length, packet.frame.captured);
        BOOST_CHECK(packet.frame.link_type == LinkType::ethernet);
        BOOST_CHECK(packet.frame.side == Side::outside);
    }
}

BOOST_DATA_TEST_CASE(a_file_cut_anywhere_gives_all_that_is_whole_and_says_where_it_ends, variants) {
    const PcapFile file = three_packets(sample);
    std::vector<std::size_t> ends(file.starts().begin() + 1, file.starts().end());
    ends.push_back(file.bytes().size());
    for (std::size_t size = 24; size <= file.bytes().size(); ++size) {
        const auto source = open_bytes(
            Bytes(file.bytes().begin(), file.bytes().begin() + static_cast<std::ptrdiff_t>(size)));
        const std::size_t whole = support::whole_before(ends, size);
        BOOST_REQUIRE_EQUAL(read_all(*source).size(), whole);
        const bool is_cut = size != (whole == 0 ? 24 : ends[whole - 1]);
        BOOST_REQUIRE_EQUAL(source->error().has_value(), is_cut);
        if (!is_cut) continue;
        BOOST_REQUIRE_EQUAL(source->error()->packet, whole + 1);
        BOOST_REQUIRE_EQUAL(source->error()->offset, file.starts()[whole]);
        BOOST_REQUIRE_NE(source->error()->what.find("the input ends inside"), std::string::npos);
    }
}

BOOST_DATA_TEST_CASE(a_cut_file_header_is_told_at_once, variants) {
    const PcapFile file{{.order = sample.order, .magic = sample.magic}};
    for (std::ptrdiff_t size = 4; size < 24; ++size) {
        const auto source = captures::file::open_capture(Bytes(file.bytes().begin(), file.bytes().begin() + size),
                                                         "cut");
        BOOST_REQUIRE(!source);
        BOOST_REQUIRE_EQUAL(source.error(), "cut: the pcap file header is cut: 24 bytes are needed, " +
                                                std::to_string(size) + " are there");
    }
}

BOOST_AUTO_TEST_CASE(a_snapped_packet_keeps_its_length) {
    const auto source = open_bytes(PcapFile{}.record(1, 0, payload(96), {}, 1514).bytes());
    const auto packets = read_all(*source);
    BOOST_REQUIRE_EQUAL(packets.size(), 1U);
    BOOST_CHECK_EQUAL(packets[0].frame.captured, 96U);
    BOOST_CHECK_EQUAL(packets[0].frame.length, 1514U);
}

BOOST_AUTO_TEST_CASE(more_captured_than_there_was_is_taken_as_that_long) {
    const auto source = open_bytes(PcapFile{}.record(1, 0, payload(96), {}, 60).record(2, 0, payload(5)).bytes());
    const auto packets = read_all(*source);
    BOOST_CHECK_EQUAL(error_of(*source), "");
    BOOST_REQUIRE_EQUAL(packets.size(), 2U);
    BOOST_CHECK_EQUAL(packets[0].frame.length, 96U);
    BOOST_CHECK(packets[1].bytes == payload(5));
}

BOOST_AUTO_TEST_CASE(until_version_2_3_the_lengths_may_stand_the_other_way_round) {
    const PcapFile::Header old{.minor = 3};
    const auto source = open_bytes(PcapFile{old}.record(1, 0, payload(60), 1514, 60).record(2, 0, payload(5)).bytes());
    const auto packets = read_all(*source);
    BOOST_CHECK_EQUAL(error_of(*source), "");
    BOOST_REQUIRE_EQUAL(packets.size(), 2U);
    BOOST_CHECK_EQUAL(packets[0].frame.captured, 60U);
    BOOST_CHECK_EQUAL(packets[0].frame.length, 1514U);
}

BOOST_AUTO_TEST_CASE(the_link_type_is_the_lower_half_of_its_field) {
    const PcapFile::Header with_check_sequence{.link_type = 0x2400'0071};  // 4 bytes of FCS, Linux cooked
    const auto packets = read_all(*open_bytes(PcapFile{with_check_sequence}.record(1, 0, payload(60)).bytes()));
    BOOST_REQUIRE_EQUAL(packets.size(), 1U);
    BOOST_CHECK(packets[0].frame.link_type == LinkType::linux_sll);
}

BOOST_AUTO_TEST_CASE(an_unknown_link_type_is_passed_on) {
    const PcapFile::Header bluetooth{.link_type = 256};
    const auto packets = read_all(*open_bytes(PcapFile{bluetooth}.record(1, 0, payload(60)).bytes()));
    BOOST_REQUIRE_EQUAL(packets.size(), 1U);
    BOOST_CHECK_EQUAL(static_cast<int>(packets[0].frame.link_type), 256);
}

BOOST_AUTO_TEST_CASE(a_fraction_of_more_than_a_second_is_carried) {
    const auto packets = read_all(*open_bytes(PcapFile{}.record(1, 4'000'000'000, payload(1)).bytes()));
    BOOST_REQUIRE_EQUAL(packets.size(), 1U);
    BOOST_CHECK_EQUAL(support::nanoseconds(packets[0].frame.time), 4'001'000'000'000);
}

BOOST_AUTO_TEST_CASE(seconds_reach_to_2106) {
    const auto packets = read_all(*open_bytes(PcapFile{}.record(0xffffffff, 999'999, payload(1)).bytes()));
    BOOST_REQUIRE_EQUAL(packets.size(), 1U);
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(packets[0].frame.time, 6), "2106-02-07T06:28:15.999999Z");
}

BOOST_AUTO_TEST_CASE(the_largest_frame_is_read) {
    const Bytes large = payload(captures::packet::largest_frame);
    const auto packets = read_all(*open_bytes(PcapFile{}.record(1, 0, large).record(2, 0, payload(5)).bytes()));
    BOOST_REQUIRE_EQUAL(packets.size(), 2U);
    BOOST_CHECK(packets[0].bytes == large);
}

BOOST_AUTO_TEST_CASE(a_hostile_length_ends_the_reading_after_what_was_right) {
    for (const std::uint32_t hostile : {captures::packet::largest_frame + 1, 0x7fffffffU, 0xfffffff0U, 0xffffffffU}) {
        const auto source = open_bytes(
            PcapFile{}.record(1, 0, payload(60)).record(2, 0, payload(60), hostile, hostile).record(3, 0, {}).bytes());
        BOOST_CHECK_EQUAL(read_all(*source).size(), 1U);
        BOOST_CHECK_EQUAL(error_of(*source), "test: packet 2 at byte 100 cannot be read: a captured length of " +
                                                 std::to_string(hostile) + " bytes is impossible (at most 262144)");
    }
}

BOOST_AUTO_TEST_CASE(a_frame_larger_than_any_is_not_read_even_if_all_of_it_is_there) {
    const auto source = open_bytes(PcapFile{}.record(1, 0, payload(captures::packet::largest_frame + 1)).bytes());
    BOOST_CHECK(read_all(*source).empty());
    BOOST_CHECK_EQUAL(error_of(*source),
                      "test: packet 1 at byte 24 cannot be read: a captured length of 262145 bytes is impossible (at "
                      "most 262144)");
}

BOOST_AUTO_TEST_CASE(versions_other_than_2_are_refused) {
    const PcapFile::Header archaic{.major = 1};
    const auto source = captures::file::open_capture(PcapFile{archaic}.bytes(), "old");
    BOOST_REQUIRE(!source);
    BOOST_CHECK_EQUAL(source.error(), "old: pcap version 1.4 is unknown; only version 2 can be read");
}

BOOST_AUTO_TEST_CASE(a_file_without_packets_is_an_empty_capture) {
    const auto source = open_bytes(PcapFile{}.bytes());
    BOOST_CHECK(read_all(*source).empty());
    BOOST_CHECK(!source->error());
}

BOOST_AUTO_TEST_SUITE_END()
