#include "captures/file/pcapng_reader.hpp"

#include <functional>
#include <ostream>

#include <boost/test/data/test_case.hpp>

#include "tests/support/captured.hpp"

namespace pcapng_reader_test {

using captures::packet::LinkType;
using captures::packet::Side;
using support::Bytes;
using support::FieldWriter;
using support::open_bytes;
using support::payload;
using support::PcapngFile;
using support::read_all;

struct Order {
    const char* sentence;
    std::endian order;
};
std::ostream& operator<<(std::ostream& out, const Order& row) { return out << row.sentence; }
const std::vector<Order> orders{{"little-endian", std::endian::little}, {"big-endian", std::endian::big}};

/// A section of each kind of packet, and blocks of no interest between them.
PcapngFile one_of_each(std::endian order) {
    PcapngFile file;
    file.section(order).interface(1, 64).block(5, payload(20)).interface(113);
    file.simple(payload(10, 1)).enhanced(1, 5'000'000, payload(61, 2));
    file.block(0x0bad, payload(40)).simple(payload(64, 3), 1514).obsolete(0, 6'000'000, payload(7, 4));
    file.enhanced(0, 7'000'000, payload(3, 5), {}, 1500, file.fields().text_option(1, "a comment").u32(0).bytes());
    return file;
}

std::string error_of(const captures::file::Source& source) {
    return source.error() ? source.error()->what : std::string{};
}

/// After two good packets, in a block that starts at `offset`.
struct Damage {
    const char* sentence;
    std::function<void(PcapngFile&)> block;
    std::string what;
};
std::ostream& operator<<(std::ostream& out, const Damage& row) { return out << row.sentence; }

const std::vector<Damage> damages{
    {"a length below the smallest block", [](auto& file) { file.block(6, payload(8), {.start = 11}); },
     "a block (type 0x6) with the impossible length 11"},
    {"a length of zero", [](auto& file) { file.block(0, Bytes(16), {.start = 0}); },
     "a block (type 0x0) with the impossible length 0"},
    {"a length not a multiple of four", [](auto& file) { file.block(6, payload(48), {.start = 58}); },
     "a block (type 0x6) with the impossible length 58"},
    {"a packet block of odd length that is right otherwise",
     [](auto& file) { file.block(6, file.fields().u32(0).u64(0).u32(1).u32(1).u8(7).bytes()); },
     "a block (type 0x6) with the impossible length 33"},
    {"a length beyond the end", [](auto& file) { file.block(6, payload(48), {.start = 64}); },
     "the input ends inside a block (64 bytes are needed, 60 are there)"},
    {"a packet block larger than any packet", [](auto& file) { file.block(6, payload(48), {.start = 0x7ffffffc}); },
     "a block (type 0x6) of 2147483644 bytes; no packet or interface needs more than 1048576"},
    {"an unknown block that never ends", [](auto& file) { file.block(77, payload(48), {.start = 0xfffffffc}); },
     "the input ends inside a block of type 0x4d (4294967292 bytes)"},
    {"a packet block whose two lengths differ",
     [](auto& file) { file.block(6, file.fields().u32(0).u64(0).u32(4).u32(4).u32(0).bytes(), {.end = 44}); },
     "a block (type 0x6) of 36 bytes by its start and 44 by its end"},
    {"an unknown block whose two lengths differ", [](auto& file) { file.block(77, payload(8), {.end = 0}); },
     "a block (type 0x4d) of 20 bytes by its start and 0 by its end"},
    {"an interface whose two lengths differ", [](auto& file) { file.block(1, payload(8), {.end = 24}); },
     "a block (type 0x1) of 20 bytes by its start and 24 by its end"},
    {"an interface too short", [](auto& file) { file.block(1, payload(4)); },
     "an interface description of 16 bytes is too short"},
    {"an enhanced packet too short", [](auto& file) { file.block(6, Bytes(16)); },
     "a packet block of 28 bytes is too short"},
    {"an obsolete packet too short", [](auto& file) { file.block(2, Bytes(16)); },
     "a packet block of 28 bytes is too short"},
    {"a simple packet too short", [](auto& file) { file.block(3, {}); }, "a packet block of 12 bytes is too short"},
    {"a packet of an interface that is not there", [](auto& file) { file.enhanced(2, 0, payload(4)); },
     "a packet of interface 2, but the section has declared 2"},
    {"an obsolete packet of an interface that is not there", [](auto& file) { file.obsolete(65535, 0, payload(4)); },
     "a packet of interface 65535, but the section has declared 2"},
    {"more captured than the block holds", [](auto& file) { file.enhanced(0, 0, payload(8), 9, 9); },
     "a captured length of 9 bytes in a block with room for 8"},
    {"more captured than any frame has", [](auto& file) { file.enhanced(0, 0, payload(8), 0xffffffff); },
     "a captured length of 4294967295 bytes is impossible (at most 262144)"},
    {"a simple packet longer than its block", [](auto& file) { file.simple(payload(8), 9); },
     "a captured length of 9 bytes in a block with room for 8"},
    {"a section without byte order", [](auto& file) { file.section(std::endian::little, 1, 0x12345678); },
     "a section header without a byte order (magic number 0x12345678)"},
    {"a section of another version", [](auto& file) { file.section(std::endian::little, 2); },
     "pcapng version 2.0 is unknown; only version 1 can be read"},
    {"a section header too short",
     [](auto& file) { file.block(0x0a0d0d0a, file.fields().u32(0x1a2b3c4d).u64(1).u64(0).bytes(), {.start = 24}); },
     "a section header with the impossible length 24"},
    {"an option past the end", [](auto& file) { file.interface(1, 0, file.fields().u16(9).u16(9).bytes()); },
     "option 9 of interface 2 (9 bytes) runs past the end of its block"},
};

}  // namespace pcapng_reader_test

BOOST_AUTO_TEST_SUITE(pcapng_reader_test)

BOOST_DATA_TEST_CASE(all_kinds_of_packet_blocks_are_read_in_either_byte_order, orders) {
    const auto source = open_bytes(one_of_each(sample.order).bytes());
    const auto packets = read_all(*source);
    BOOST_CHECK_EQUAL(error_of(*source), "");
    BOOST_REQUIRE_EQUAL(packets.size(), 5U);
    const std::vector<std::size_t> sizes{10, 61, 64, 7, 3};
    const std::vector<unsigned> lengths{10, 61, 1514, 7, 1500};
    const std::vector<std::int64_t> seconds{0, 5, 5, 6, 7};  // a simple packet is stamped like the one before it
    for (unsigned index = 0; index < 5; ++index) {
        BOOST_CHECK(packets[index].bytes == payload(sizes[index], index + 1));
        BOOST_CHECK_EQUAL(packets[index].frame.length, lengths[index]);
        BOOST_CHECK_EQUAL(support::nanoseconds(packets[index].frame.time), seconds[index] * 1'000'000'000);
        BOOST_CHECK(packets[index].frame.link_type == (index == 1 ? LinkType::linux_sll : LinkType::ethernet));
        BOOST_CHECK(packets[index].frame.side == (index == 1 ? Side::inside : Side::outside));
    }
}

BOOST_AUTO_TEST_CASE(every_section_has_its_own_byte_order_and_interfaces) {
    PcapngFile file;
    file.section(std::endian::big).interface(1).interface(101).enhanced(1, 1, payload(5, 1));
    file.section(std::endian::little).interface(276).enhanced(0, 2, payload(5, 2)).simple(payload(5, 3));
    file.section(std::endian::big).interface(0).enhanced(0, 4, payload(5, 4)).enhanced(1, 5, payload(5, 5));
    const auto source = open_bytes(file.bytes());
    const auto packets = read_all(*source);
    BOOST_REQUIRE_EQUAL(packets.size(), 4U);
    BOOST_CHECK(packets[0].frame.link_type == LinkType::raw && packets[0].frame.side == Side::inside);
    BOOST_CHECK(packets[1].frame.link_type == LinkType::linux_sll2 && packets[1].frame.side == Side::outside);
    BOOST_CHECK(packets[2].frame.link_type == LinkType::linux_sll2);
    BOOST_CHECK_EQUAL(support::nanoseconds(packets[2].frame.time), 2'000);
    BOOST_CHECK(packets[3].frame.link_type == LinkType::null);
    BOOST_CHECK_EQUAL(error_of(*source), "a packet of interface 1, but the section has declared 1");
    BOOST_CHECK_EQUAL(source->error()->offset, file.starts().back());
}

BOOST_AUTO_TEST_CASE(an_interface_may_be_declared_between_packets) {
    PcapngFile file;
    file.section()
        .interface(1)
        .enhanced(0, 1, payload(5))
        .interface(113, 0, FieldWriter{}.text_option(2, "outside").bytes());
    const auto packets = read_all(*open_bytes(file.enhanced(1, 2, payload(6)).enhanced(0, 3, payload(7)).bytes()));
    BOOST_REQUIRE_EQUAL(packets.size(), 3U);
    BOOST_CHECK(packets[1].frame.link_type == LinkType::linux_sll && packets[1].frame.side == Side::outside);
    BOOST_CHECK(packets[2].frame.link_type == LinkType::ethernet);
}

BOOST_DATA_TEST_CASE(a_file_cut_anywhere_gives_all_that_is_whole_and_says_where_it_ends, orders) {
    const PcapngFile file = one_of_each(sample.order);
    std::vector<std::size_t> ends(file.starts().begin() + 1, file.starts().end());
    ends.push_back(file.bytes().size());
    const std::vector<std::size_t> packet_ends{ends[4], ends[5], ends[7], ends[8], ends[9]};
    for (std::size_t size = 28; size <= file.bytes().size(); ++size) {
        const auto source = open_bytes(
            Bytes(file.bytes().begin(), file.bytes().begin() + static_cast<std::ptrdiff_t>(size)));
        const std::size_t packets = support::whole_before(packet_ends, size);
        BOOST_REQUIRE_EQUAL(read_all(*source).size(), packets);
        const std::size_t blocks = support::whole_before(ends, size);
        const bool is_cut = size != ends[blocks - 1];
        BOOST_REQUIRE_EQUAL(source->error().has_value(), is_cut);
        if (!is_cut) continue;
        BOOST_REQUIRE_EQUAL(source->error()->packet, packets + 1);
        BOOST_REQUIRE_EQUAL(source->error()->offset, file.starts()[blocks]);
        BOOST_REQUIRE_EQUAL(source->error()->what.rfind("the input ends inside a block", 0), 0U);
    }
    for (std::ptrdiff_t size = 4; size < 28; ++size) {
        const auto source = captures::file::open_capture(Bytes(file.bytes().begin(), file.bytes().begin() + size),
                                                         "cut");
        BOOST_REQUIRE(!source);
        BOOST_REQUIRE_EQUAL(source.error(), "cut: the pcapng section header is cut: 28 bytes are needed, " +
                                                std::to_string(size) + " are there");
    }
}

BOOST_DATA_TEST_CASE(damage_is_named_with_packet_and_offset_after_what_was_right, damages) {
    PcapngFile file;
    file.section().interface(1).interface(1).enhanced(0, 1, payload(60, 1)).enhanced(1, 2, payload(60, 2));
    const std::size_t offset = file.bytes().size();
    sample.block(file);
    const auto source = open_bytes(file.bytes());
    const auto packets = read_all(*source);
    BOOST_REQUIRE_EQUAL(packets.size(), 2U);
    BOOST_CHECK(packets[1].bytes == payload(60, 2));
    BOOST_CHECK_EQUAL(error_of(*source), sample.what);
    BOOST_REQUIRE(source->error());
    BOOST_CHECK_EQUAL(source->error()->packet, 3U);
    BOOST_CHECK_EQUAL(source->error()->offset, offset);
    BOOST_CHECK_EQUAL(source->error()->input, "test");
}

BOOST_DATA_TEST_CASE(any_byte_may_be_wrong, orders) {
    const PcapngFile file = one_of_each(sample.order);
    const auto good = read_all(*open_bytes(file.bytes()));
    for (std::size_t place = 28; place < file.bytes().size(); ++place) {
        for (const auto flipped : {std::byte{0xff}, std::byte{0x80}, std::byte{0x01}}) {
            Bytes bytes = file.bytes();
            bytes[place] ^= flipped;
            const auto packets = read_all(*open_bytes(bytes));
            BOOST_REQUIRE_LE(packets.size(), good.size());
            // Where the first four packets end: those before the damage are as they were.
            const std::vector<std::size_t> ends{file.starts()[5], file.starts()[6], file.starts()[8], file.starts()[9]};
            for (std::size_t index = 0; index < support::whole_before(ends, place); ++index) {
                BOOST_REQUIRE(packets[index].bytes == good[index].bytes);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_snap_length_above_a_simple_packet_does_not_matter) {
    const auto packets = read_all(*open_bytes(PcapngFile{}.section().interface(1, 65535).simple(payload(9)).bytes()));
    BOOST_REQUIRE_EQUAL(packets.size(), 1U);
    BOOST_CHECK(packets[0].bytes == payload(9));
}

BOOST_AUTO_TEST_CASE(a_simple_packet_is_stamped_like_the_one_before_it_of_whatever_kind) {
    PcapngFile file;
    file.section().interface().simple(payload(4)).obsolete(0, 5, payload(4)).simple(payload(4));
    const auto packets = read_all(*open_bytes(file.enhanced(0, 9, payload(4)).simple(payload(4)).bytes()));
    BOOST_REQUIRE_EQUAL(packets.size(), 5U);
    const std::vector<std::int64_t> microseconds{0, 5, 5, 9, 9};
    for (std::size_t index = 0; index < 5; ++index) {
        BOOST_CHECK_EQUAL(support::nanoseconds(packets[index].frame.time), microseconds[index] * 1000);
    }
}

BOOST_AUTO_TEST_CASE(a_simple_packet_is_stamped_like_the_one_before_it_in_another_burst) {
    PcapngFile file;
    file.section().interface();
    for (unsigned index = 1; index < captures::packet::burst_capacity; ++index) file.simple(payload(4));
    const auto packets = read_all(*open_bytes(file.obsolete(0, 5, payload(4)).simple(payload(4)).bytes()));
    BOOST_REQUIRE_EQUAL(packets.size(), captures::packet::burst_capacity + 1);
    BOOST_CHECK_EQUAL(support::nanoseconds(packets.back().frame.time), 5'000);
}

BOOST_AUTO_TEST_CASE(more_captured_than_there_was_is_taken_as_that_long) {
    PcapngFile file;
    const auto packets = read_all(*open_bytes(file.section().interface().enhanced(0, 0, payload(40), {}, 12).bytes()));
    BOOST_REQUIRE_EQUAL(packets.size(), 1U);
    BOOST_CHECK_EQUAL(packets[0].frame.captured, 40U);
    BOOST_CHECK_EQUAL(packets[0].frame.length, 40U);
}

BOOST_AUTO_TEST_CASE(the_largest_frame_is_read_and_a_larger_one_is_not) {
    PcapngFile file;
    file.section().interface().enhanced(0, 0, payload(captures::packet::largest_frame));
    BOOST_CHECK_EQUAL(read_all(*open_bytes(file.bytes())).size(), 1U);
    const auto source = open_bytes(file.enhanced(0, 0, payload(captures::packet::largest_frame + 1)).bytes());
    BOOST_CHECK_EQUAL(read_all(*source).size(), 1U);
    BOOST_CHECK_EQUAL(error_of(*source), "a captured length of 262145 bytes is impossible (at most 262144)");
}

BOOST_AUTO_TEST_CASE(a_section_has_65536_interfaces_at_most) {
    PcapngFile file;
    file.section();
    for (int count = 0; count < 65536; ++count) file.interface();
    file.enhanced(65535, 0, payload(4)).interface();
    const auto source = open_bytes(file.bytes());
    BOOST_CHECK_EQUAL(read_all(*source).size(), 1U);
    BOOST_CHECK_EQUAL(error_of(*source), "more than 65536 interfaces in a section");
}

BOOST_AUTO_TEST_CASE(a_section_without_anything_is_an_empty_capture) {
    const auto source = open_bytes(PcapngFile{}.section().bytes());
    BOOST_CHECK(read_all(*source).empty());
    BOOST_CHECK(!source->error());
}

BOOST_AUTO_TEST_SUITE_END()
