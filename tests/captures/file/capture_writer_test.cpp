#include "captures/file/capture_writer.hpp"

#include <ostream>

#include <fcntl.h>
#include <unistd.h>
#include <boost/test/data/test_case.hpp>

#include "captures/base/bytes.hpp"
#include "tests/support/captured.hpp"

namespace capture_writer_test {

using captures::file::CaptureFormat;
using captures::file::CaptureWriter;
using captures::packet::Frame;
using captures::packet::LinkType;
using captures::packet::Side;
using support::Bytes;
using support::content_of;
using support::payload;
using support::read_all;
using support::ScratchFolder;

struct Format {
    const char* name;
    CaptureFormat format;
};
std::ostream& operator<<(std::ostream& out, const Format& row) { return out << row.name; }
const std::vector<Format> formats{{"out.pcap", CaptureFormat::pcap}, {"out.pcapng", CaptureFormat::pcapng}};

std::unique_ptr<CaptureWriter> create(const std::string& path) {
    auto writer = CaptureWriter::create(path, captures::file::format_for(path));
    if (!writer) BOOST_FAIL(writer.error());
    return *std::move(writer);
}

Frame frame(Bytes& bytes, std::int64_t nanoseconds = 0, Side side = Side::outside,
            LinkType link_type = LinkType::ethernet) {
    return {.data = bytes.data(),
            .captured = static_cast<std::uint32_t>(bytes.size()),
            .length = static_cast<std::uint32_t>(bytes.size()),
            .time = captures::base::Time{captures::base::Duration{nanoseconds}},
            .number = 7,
            .link_type = link_type,
            .side = side};
}

std::vector<support::Packet> read_back(const std::string& path) {
    auto source = captures::file::open_capture(path);
    if (!source) BOOST_FAIL(source.error());
    auto packets = read_all(**source);
    if ((*source)->error()) BOOST_ERROR(to_string(*(*source)->error()));
    return packets;
}

struct Block {
    std::uint32_t type;
    Bytes body;  ///< between the two lengths
};

std::vector<Block> blocks_of(const Bytes& file) {
    std::vector<Block> blocks;
    for (std::size_t at = 0; at < file.size();) {
        const auto size = captures::base::load_native<std::uint32_t>(file.data() + at + 4);
        BOOST_REQUIRE_EQUAL(size % 4, 0U);
        BOOST_REQUIRE_LE(at + size, file.size());
        const auto body = std::span(file).subspan(at + 8, size - 12);
        blocks.push_back({captures::base::load_native<std::uint32_t>(file.data() + at), {body.begin(), body.end()}});
        at += size;
    }
    return blocks;
}

/// The comment of an Enhanced Packet Block.
std::string comment_of(const Block& block) {
    const std::size_t captured = captures::base::load_native<std::uint32_t>(block.body.data() + 12);
    const std::byte* const option = block.body.data() + 20 + (captured + 3) / 4 * 4;
    if (option == block.body.data() + block.body.size()) return "none";
    BOOST_REQUIRE_EQUAL(captures::base::load_native<std::uint16_t>(option), 1U);
    const std::size_t size = captures::base::load_native<std::uint16_t>(option + 2);
    const std::byte* const end = option + 4 + (size + 3) / 4 * 4;
    BOOST_REQUIRE_EQUAL(captures::base::load_native<std::uint32_t>(end), 0U);  // the end of options
    BOOST_REQUIRE(end + 4 == block.body.data() + block.body.size());
    return {reinterpret_cast<const char*>(option + 4), size};
}

}  // namespace capture_writer_test

BOOST_AUTO_TEST_SUITE(capture_writer_test)

BOOST_AUTO_TEST_CASE(the_ending_of_a_name_says_the_format) {
    BOOST_CHECK(captures::file::format_for("a.pcapng") == CaptureFormat::pcapng);
    BOOST_CHECK(captures::file::format_for("A.PcapNG") == CaptureFormat::pcapng);
    BOOST_CHECK(captures::file::format_for("dir.pcap/a.ntar") == CaptureFormat::pcapng);
    for (const auto* other : {"a.pcap", "a", "-", "pcapng", "a.pcapng.pcap", "/dev/null", ""}) {
        BOOST_CHECK(captures::file::format_for(other) == CaptureFormat::pcap);
    }
}

BOOST_DATA_TEST_CASE(what_was_written_is_read_back, formats) {
    const ScratchFolder folder;
    const std::string path = folder.file(sample.name);
    std::vector<Bytes> payloads;
    for (unsigned index = 0; index < 3000; ++index) payloads.push_back(payload(index * 7919 % 1600, index));
    payloads.push_back(payload(captures::packet::largest_frame));
    std::vector<Frame> frames;
    for (Bytes& bytes : payloads) {
        // Forwards, backwards, within a second and over its end.
        const std::int64_t index = static_cast<std::int64_t>(frames.size());
        frames.push_back(frame(bytes, 1'700'000'000'999'999'990 + (index % 3 == 0 ? -index : index * 333'333'333)));
        frames.back().length += static_cast<std::uint32_t>(index % 2);
    }
    const auto writer = create(path);
    writer->write(std::span(frames).first(1000));
    writer->write(std::span(frames).subspan(1000));
    BOOST_CHECK(writer->ok());
    BOOST_CHECK_EQUAL(writer->close(), "");

    const auto packets = read_back(path);
    BOOST_REQUIRE_EQUAL(packets.size(), frames.size());
    for (std::size_t index = 0; index < packets.size(); ++index) {
        BOOST_REQUIRE(packets[index].bytes == payloads[index]);
        BOOST_REQUIRE_EQUAL(packets[index].frame.length, frames[index].length);
        BOOST_REQUIRE(packets[index].frame.time == frames[index].time);
    }
}

BOOST_DATA_TEST_CASE(the_same_frames_give_the_same_bytes, formats) {
    const ScratchFolder folder;
    Bytes bytes = payload(61);
    for (const auto* name : {"1", "2"}) {
        const auto writer = create(folder.file(std::string(name) + sample.name));
        for (int index = 0; index < 10; ++index) writer->write(std::array{frame(bytes, index)});
        BOOST_CHECK_EQUAL(writer->close(), "");
    }
    BOOST_CHECK(content_of(folder.file(std::string("1") + sample.name)) ==
                content_of(folder.file(std::string("2") + sample.name)));
}

BOOST_DATA_TEST_CASE(a_file_without_frames_is_an_empty_capture, formats) {
    const ScratchFolder folder;
    const std::string path = folder.file(sample.name);
    BOOST_CHECK_EQUAL(create(path)->close(), "");
    BOOST_CHECK(read_back(path).empty());
}

BOOST_DATA_TEST_CASE(a_writer_that_is_dropped_has_closed_its_file, formats) {
    const ScratchFolder folder;
    const std::string path = folder.file(sample.name);
    Bytes bytes = payload(60);
    create(path)->write(std::array{frame(bytes)});
    BOOST_CHECK_EQUAL(read_back(path).size(), 1U);
}

BOOST_DATA_TEST_CASE(closing_twice_says_the_same, formats) {
    const ScratchFolder folder;
    const auto writer = create(folder.file(sample.name));
    BOOST_CHECK_EQUAL(writer->close(), "");
    BOOST_CHECK_EQUAL(writer->close(), "");
}

BOOST_DATA_TEST_CASE(a_full_disk_is_told_and_nothing_more_is_written, formats) {
    Bytes bytes = payload(1000);
    auto small = CaptureWriter::create("/dev/full", sample.format).value();
    small->write(std::array{frame(bytes)});
    BOOST_CHECK_EQUAL(small->close(), "cannot write /dev/full: No space left on device");

    auto large = CaptureWriter::create("/dev/full", sample.format).value();
    for (int index = 0; index < 5000; ++index) large->write(std::array{frame(bytes)});
    BOOST_CHECK(!large->ok());
    large->write(frame(bytes), {"outside", "a comment"});
    BOOST_CHECK_EQUAL(large->close(), "cannot write /dev/full: No space left on device");
    BOOST_CHECK_EQUAL(large->close(), "cannot write /dev/full: No space left on device");
}

BOOST_AUTO_TEST_CASE(a_pcap_without_frames_says_the_link_type_that_it_was_told) {
    const ScratchFolder folder;
    const std::string path = folder.file("out.pcap");
    const auto writer = create(path);
    writer->expect(captures::packet::LinkType::linux_sll);
    BOOST_CHECK_EQUAL(writer->close(), "");
    BOOST_CHECK(captures::file::open_capture(path).value()->link_type() == captures::packet::LinkType::linux_sll);
}

BOOST_AUTO_TEST_CASE(a_pcap_with_frames_says_theirs_whatever_it_was_told) {
    const ScratchFolder folder;
    const std::string path = folder.file("out.pcap");
    Bytes bytes = payload(60);
    const auto writer = create(path);
    writer->expect(captures::packet::LinkType::raw);
    writer->write(std::array{frame(bytes)});
    writer->expect(captures::packet::LinkType::raw);
    BOOST_CHECK_EQUAL(writer->close(), "");
    BOOST_CHECK(captures::file::open_capture(path).value()->link_type() == captures::packet::LinkType::ethernet);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_created_is_named) {
    const ScratchFolder folder;
    const std::string path = folder.file("no/such/folder.pcap");
    const auto writer = CaptureWriter::create(path, CaptureFormat::pcap);
    BOOST_REQUIRE(!writer);
    BOOST_CHECK_EQUAL(writer.error(), "cannot create " + path + ": No such file or directory");
}

BOOST_AUTO_TEST_CASE(an_existing_file_is_replaced) {
    const ScratchFolder folder;
    const std::string path = folder.file("out.pcap", payload(5000));
    BOOST_CHECK_EQUAL(create(path)->close(), "");
    BOOST_CHECK_EQUAL(content_of(path).size(), 24U);
}

BOOST_DATA_TEST_CASE(a_frame_larger_than_any_is_refused, formats) {
    const ScratchFolder folder;
    const std::string path = folder.file(sample.name);
    Bytes good = payload(60);
    Bytes large(captures::packet::largest_frame + 1);
    const auto writer = create(path);
    writer->write(std::array{frame(good), frame(large)});
    BOOST_CHECK(!writer->ok());
    BOOST_CHECK_EQUAL(writer->close(), "cannot write " + path + ": a frame of 262145 bytes is too large");
    BOOST_CHECK_EQUAL(read_back(path).size(), 1U);
}

BOOST_AUTO_TEST_CASE(a_classic_file_has_the_link_type_of_its_first_frame_and_no_other) {
    const ScratchFolder folder;
    const std::string path = folder.file("out.pcap");
    Bytes bytes = payload(60);
    const auto writer = create(path);
    writer->write(std::array{frame(bytes, 1, Side::inside, LinkType::linux_sll2)});
    BOOST_CHECK(writer->ok());
    writer->write(std::array{frame(bytes, 2, Side::inside, LinkType::raw)});
    BOOST_CHECK(!writer->ok());
    writer->write(std::array{frame(bytes, 3, Side::inside, LinkType::linux_sll2)});
    BOOST_CHECK_EQUAL(writer->close(), "cannot write " + path +
                                           ": packet 7 has link type 101, those before it have 276; a classic pcap "
                                           "file holds only one, a .pcapng file holds both");
    const auto packets = read_back(path);
    BOOST_REQUIRE_EQUAL(packets.size(), 1U);
    BOOST_CHECK(packets[0].frame.link_type == LinkType::linux_sll2);
}

BOOST_AUTO_TEST_CASE(a_classic_file_holds_times_from_1970_to_2106) {
    const ScratchFolder folder;
    const std::string path = folder.file("out.pcap");
    Bytes bytes = payload(60);
    const auto writer = create(path);
    for (const auto time :
         {captures::base::Time::min(), captures::base::Time{}, captures::base::Time::max(), captures::base::Time{}}) {
        writer->write(std::array{frame(bytes, support::nanoseconds(time))});
    }
    BOOST_CHECK_EQUAL(writer->close(), "");
    const auto packets = read_back(path);
    BOOST_REQUIRE_EQUAL(packets.size(), 4U);
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(packets[0].frame.time), "1970-01-01T00:00:00.000000000Z");
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(packets[1].frame.time), "1970-01-01T00:00:00.000000000Z");
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(packets[2].frame.time), "2106-02-07T06:28:15.999999999Z");
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(packets[3].frame.time), "1970-01-01T00:00:00.000000000Z");
}

BOOST_AUTO_TEST_CASE(pcapng_holds_any_time) {
    const ScratchFolder folder;
    const std::string path = folder.file("out.pcapng");
    Bytes bytes = payload(60);
    const auto writer = create(path);
    const std::array times{captures::base::Time::min(), captures::base::Time{captures::base::Duration{-1}},
                           captures::base::Time::max()};
    for (const auto time : times) writer->write(std::array{frame(bytes, support::nanoseconds(time))});
    BOOST_CHECK_EQUAL(writer->close(), "");
    const auto packets = read_back(path);
    BOOST_REQUIRE_EQUAL(packets.size(), times.size());
    for (std::size_t index = 0; index < times.size(); ++index) BOOST_CHECK(packets[index].frame.time == times[index]);
}

BOOST_AUTO_TEST_CASE(pcapng_declares_each_pair_of_name_and_link_type_once) {
    const ScratchFolder folder;
    const std::string path = folder.file("out.pcapng");
    Bytes bytes = payload(60);
    const auto writer = create(path);
    for (int round = 0; round < 2; ++round) {
        writer->write(std::array{frame(bytes, 1, Side::inside), frame(bytes, 2, Side::outside),
                                 frame(bytes, 3, Side::inside, LinkType::raw), frame(bytes, 4, Side::inside)});
        writer->write(frame(bytes, 5), {"dropped", "why"});
        writer->write(frame(bytes, 6), {"inside", ""});
    }
    BOOST_CHECK_EQUAL(writer->close(), "");

    const auto packets = read_back(path);
    BOOST_REQUIRE_EQUAL(packets.size(), 12U);
    BOOST_CHECK(packets[0].frame.side == Side::inside);
    BOOST_CHECK(packets[1].frame.side == Side::outside);
    BOOST_CHECK(packets[2].frame.side == Side::inside && packets[2].frame.link_type == LinkType::raw);
    BOOST_CHECK(packets[3].frame.side == Side::inside && packets[3].frame.link_type == LinkType::ethernet);
    BOOST_CHECK(packets[5].frame.side == Side::inside);

    std::string order;
    for (const Block& block : blocks_of(content_of(path))) order += std::to_string(block.type) + " ";
    BOOST_CHECK_EQUAL(order, "168627466 1 6 1 6 1 6 6 1 6 6 6 6 6 6 6 6 ");
}

BOOST_AUTO_TEST_CASE(pcapng_keeps_comments) {
    const ScratchFolder folder;
    const std::string path = folder.file("out.pcapng");
    Bytes bytes = payload(61);
    const std::vector<std::string> comments{"", "a", "four", "forward: dnat by inbound/ssh-web01 — « ok »"};
    const auto writer = create(path);
    for (const auto& comment : comments) writer->write(frame(bytes), {"outside", comment});
    writer->write(std::array{frame(bytes)});
    BOOST_CHECK_EQUAL(writer->close(), "");
    const auto blocks = blocks_of(content_of(path));
    BOOST_REQUIRE_EQUAL(blocks.size(), 7U);
    BOOST_CHECK_EQUAL(comment_of(blocks[2]), "none");
    for (std::size_t index = 1; index < 4; ++index) BOOST_CHECK_EQUAL(comment_of(blocks[index + 2]), comments[index]);
    BOOST_CHECK_EQUAL(comment_of(blocks[6]), "none");
    BOOST_CHECK_EQUAL(read_back(path).size(), 5U);
}

BOOST_AUTO_TEST_CASE(a_comment_too_long_for_an_option_is_cut_between_characters) {
    const ScratchFolder folder;
    const std::string path = folder.file("out.pcapng");
    Bytes bytes = payload(61);
    std::string euros;
    while (euros.size() < 100'000) euros += "€";  // three bytes each
    const auto writer = create(path);
    writer->write(frame(bytes), {"outside", std::string(65535, 'x')});
    writer->write(frame(bytes), {"outside", std::string(65536, 'x')});
    writer->write(frame(bytes), {"outside", euros});
    writer->write(frame(bytes), {"outside", "x" + euros});
    writer->write(frame(bytes), {"outside", std::string(70'000, '\x80')});  // no character begins anywhere
    BOOST_CHECK_EQUAL(writer->close(), "");
    const auto blocks = blocks_of(content_of(path));
    BOOST_REQUIRE_EQUAL(blocks.size(), 7U);
    BOOST_CHECK_EQUAL(comment_of(blocks[2]).size(), 65535U);
    BOOST_CHECK_EQUAL(comment_of(blocks[3]).size(), 65535U);
    BOOST_CHECK(comment_of(blocks[4]) == euros.substr(0, 65535));
    BOOST_CHECK(comment_of(blocks[5]) == ("x" + euros).substr(0, 65533));
    BOOST_CHECK_EQUAL(comment_of(blocks[6]), "none");
    BOOST_CHECK_EQUAL(read_back(path).size(), 5U);
}

BOOST_AUTO_TEST_CASE(padding_is_zero) {
    const ScratchFolder folder;
    const std::string path = folder.file("out.pcapng");
    Bytes large(1'000, std::byte{0xff});
    Bytes odd(5, std::byte{0xff});
    const auto writer = create(path);
    for (int index = 0; index < 2000; ++index) writer->write(std::array{frame(large)});  // the buffer is full of ones
    writer->write(frame(odd), {"outside", "x"});
    BOOST_CHECK_EQUAL(writer->close(), "");
    const Bytes body = blocks_of(content_of(path)).back().body;
    BOOST_REQUIRE_EQUAL(body.size(), 40U);
    for (const std::size_t place : {25U, 26U, 27U, 33U, 34U, 35U}) BOOST_CHECK(body[place] == std::byte{0});
}

BOOST_AUTO_TEST_CASE(a_dash_is_standard_output_which_stays_open) {
    const ScratchFolder folder;
    const std::string path = folder.file("out");
    const int saved = dup(STDOUT_FILENO);
    const int file = open(path.c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(file, STDOUT_FILENO);
    Bytes bytes = payload(60);
    const auto writer = create("-");
    writer->write(std::array{frame(bytes)});
    const std::string failure = writer->close();
    const bool still_open = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(file);
    BOOST_CHECK_EQUAL(failure, "");
    BOOST_CHECK(still_open);
    BOOST_CHECK_EQUAL(read_back(path).size(), 1U);
}

BOOST_AUTO_TEST_SUITE_END()
