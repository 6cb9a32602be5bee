#include "captures/file/capture_reader.hpp"

#include <ostream>
#include <thread>

#include <unistd.h>
#include <boost/test/data/test_case.hpp>

#include "tests/support/captured.hpp"

namespace capture_reader_test {

using support::Bytes;
using support::open_bytes;
using support::payload;
using support::PcapFile;
using support::PcapngFile;
using support::read_all;
using support::ScratchFolder;

/// Packets of many sizes, several times as many bytes as the reader holds at once.
std::vector<Bytes> many_payloads() {
    std::vector<Bytes> payloads;
    for (unsigned index = 0; index < 4000; ++index) payloads.push_back(payload(index * 7919 % 1600, index));
    for (const unsigned size : {0U, 200'000U, 1U, 262'144U, 262'143U, 60U}) payloads.push_back(payload(size, size));
    return payloads;
}

Bytes as_pcap(const std::vector<Bytes>& payloads) {
    PcapFile file;
    for (unsigned index = 0; index < payloads.size(); ++index) file.record(index, 0, payloads[index]);
    return file.bytes();
}

/// With a block of 3 MiB in its middle, which no buffer holds.
Bytes as_pcapng(const std::vector<Bytes>& payloads) {
    PcapngFile file;
    file.section().interface();
    for (unsigned index = 0; index < payloads.size(); ++index) {
        if (index == payloads.size() / 2) file.block(0x0bad, Bytes(3 << 20));
        file.enhanced(0, index * 1'000'000ULL, payloads[index]);
    }
    return file.bytes();
}

struct Format {
    const char* name;
    Bytes (*write)(const std::vector<Bytes>&);
};
std::ostream& operator<<(std::ostream& out, const Format& row) { return out << row.name; }
const std::vector<Format> formats{{"pcap", as_pcap}, {"pcapng", as_pcapng}};

std::unique_ptr<captures::file::Source> open_path(const std::string& path) {
    auto source = captures::file::open_capture(path);
    if (!source) BOOST_FAIL(source.error());
    return *std::move(source);
}

std::string refusal(const std::string& path) {
    const auto source = captures::file::open_capture(path);
    return source ? "opened" : source.error();
}

std::string refusal_of(std::string_view content) {
    const auto bytes = std::as_bytes(std::span(content));
    const auto source = captures::file::open_capture(bytes, "a.file");
    return source ? "opened" : source.error();
}

/// A pipe into which a thread writes `bytes`, `piece` at a time; a path names its other end.
class Pipe {
public:
    Pipe(Bytes bytes, std::size_t piece) {
        BOOST_REQUIRE_EQUAL(pipe(ends_.data()), 0);
        writer_ = std::thread([end = ends_[1], bytes = std::move(bytes), piece] {
            for (std::size_t at = 0; at < bytes.size(); at += piece) {
                if (write(end, bytes.data() + at, std::min(piece, bytes.size() - at)) < 0) break;
            }
            close(end);
        });
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        writer_.join();
        close(ends_[0]);
    }
    [[nodiscard]] int reading_end() const { return ends_[0]; }
    [[nodiscard]] std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }

private:
    std::array<int, 2> ends_{};
    std::thread writer_;
};

void check_are(const std::vector<support::Packet>& packets, const std::vector<Bytes>& payloads) {
    BOOST_REQUIRE_EQUAL(packets.size(), payloads.size());
    for (std::size_t index = 0; index < packets.size(); ++index) {
        BOOST_REQUIRE(packets[index].bytes == payloads[index]);
        BOOST_REQUIRE_EQUAL(support::nanoseconds(packets[index].frame.time),
                            static_cast<std::int64_t>(index) * 1'000'000'000);
    }
}

}  // namespace capture_reader_test

BOOST_AUTO_TEST_SUITE(capture_reader_test)

BOOST_DATA_TEST_CASE(a_file_larger_than_the_buffer_is_read_from_disk, formats) {
    const ScratchFolder folder;
    const auto payloads = many_payloads();
    const Bytes bytes = sample.write(payloads);
    const auto source = open_path(folder.file("in", bytes));
    BOOST_CHECK_EQUAL(source->progress().total, bytes.size());
    check_are(read_all(*source), payloads);
    BOOST_CHECK(!source->error());
    BOOST_CHECK_EQUAL(source->progress().done, bytes.size());
}

BOOST_DATA_TEST_CASE(a_large_file_cut_in_its_last_packet_gives_all_but_that, formats) {
    const ScratchFolder folder;
    auto payloads = many_payloads();
    Bytes bytes = sample.write(payloads);
    bytes.pop_back();
    payloads.pop_back();
    const auto source = open_path(folder.file("in", bytes));
    check_are(read_all(*source), payloads);
    BOOST_REQUIRE(source->error());
    BOOST_CHECK_EQUAL(source->error()->packet, payloads.size() + 1);
}

BOOST_DATA_TEST_CASE(a_pipe_may_deliver_as_little_as_it_likes, formats) {
    const auto payloads = many_payloads();
    for (const std::size_t piece : {4093UL, 65536UL}) {
        const Pipe pipe{sample.write(payloads), piece};
        const auto source = open_path(pipe.path());
        check_are(read_all(*source), payloads);
        BOOST_CHECK(!source->error());
        BOOST_CHECK_EQUAL(source->progress().total, 0U);
    }
    const std::vector<Bytes> few{payloads.begin(), payloads.begin() + 40};
    for (const std::size_t piece : {1UL, 2UL, 17UL}) {
        const Pipe pipe{as_pcap(few), piece};
        check_are(read_all(*open_path(pipe.path())), few);
    }
}

BOOST_AUTO_TEST_CASE(a_dash_is_standard_input) {
    const std::vector<Bytes> payloads{payload(60), payload(70)};
    const Pipe pipe{as_pcap(payloads), 10};
    const int saved = dup(STDIN_FILENO);
    dup2(pipe.reading_end(), STDIN_FILENO);
    check_are(read_all(*open_path("-")), payloads);
    if (saved >= 0) {
        dup2(saved, STDIN_FILENO);
        close(saved);
    } else {
        close(STDIN_FILENO);
    }
}

BOOST_AUTO_TEST_CASE(what_came_through_a_pipe_is_given_before_the_rest_has_come) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE_EQUAL(pipe(ends.data()), 0);
    const Bytes bytes = as_pcap({payload(60, 1), payload(60, 2)});
    BOOST_REQUIRE_EQUAL(write(ends[1], bytes.data(), 110), 110);  // the second packet is cut
    const auto source = open_path("/dev/fd/" + std::to_string(ends[0]));
    captures::packet::Burst burst;
    source->read(burst);
    BOOST_CHECK_EQUAL(burst.count, 1U);
    BOOST_REQUIRE_EQUAL(write(ends[1], bytes.data() + 110, bytes.size() - 110), bytes.size() - 110);
    source->read(burst);
    BOOST_CHECK_EQUAL(burst.count, 1U);
    close(ends[1]);
    source->read(burst);
    BOOST_CHECK_EQUAL(burst.count, 0U);
    BOOST_CHECK(!source->error());
    close(ends[0]);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened_is_named) {
    const ScratchFolder folder;
    const std::string missing = folder.file("missing.pcap");
    BOOST_CHECK_EQUAL(refusal(missing), "cannot open " + missing + ": No such file or directory");
    BOOST_CHECK_EQUAL(refusal(folder.file("")), "cannot read " + folder.file("") + ": Is a directory");
}

BOOST_AUTO_TEST_CASE(what_is_not_a_capture_is_described) {
    const ScratchFolder folder;
    const std::string empty = folder.file("empty.pcap", {});
    BOOST_CHECK_EQUAL(refusal(empty), empty + " is empty");
    BOOST_CHECK_EQUAL(refusal_of("Hello, world, this is a text\n"),
                      "a.file is not a pcap or pcapng capture: it begins with \"Hello, world, th\" "
                      "(editcap converts captures of other formats)");
    BOOST_CHECK_EQUAL(refusal_of("[a]\nb"),
                      "a.file is not a pcap or pcapng capture: it begins with \"[a]\" "
                      "(editcap converts captures of other formats)");
    BOOST_CHECK_EQUAL(refusal_of("\xa1\xb2"),
                      "a.file is not a pcap or pcapng capture: it begins with bytes a1 b2 "
                      "(editcap converts captures of other formats)");
}

BOOST_AUTO_TEST_CASE(a_compressed_capture_says_how_to_read_it) {
    using namespace std::string_view_literals;
    BOOST_CHECK_EQUAL(refusal_of("\x1f\x8b\x08\x00\x00"sv),
                      "a.file is compressed; try: gunzip -c a.file | portcullis replay ... -");
    BOOST_CHECK_EQUAL(refusal_of("\x28\xb5\x2f\xfd\x00"sv),
                      "a.file is compressed; try: zstd -dc a.file | portcullis replay ... -");
    BOOST_CHECK_EQUAL(refusal_of("\xfd\x37\x7a\x58\x5a\x00"sv),
                      "a.file is compressed; try: xz -dc a.file | portcullis replay ... -");
}

BOOST_AUTO_TEST_CASE(a_burst_is_never_more_than_its_capacity) {
    const auto source = open_bytes(as_pcap(std::vector<Bytes>(captures::packet::burst_capacity + 1, payload(60))));
    captures::packet::Burst burst;
    source->read(burst);
    BOOST_CHECK_EQUAL(burst.count, captures::packet::burst_capacity);
    source->read(burst);
    BOOST_CHECK_EQUAL(burst.count, 1U);
    source->read(burst);
    BOOST_CHECK_EQUAL(burst.count, 0U);
}

BOOST_AUTO_TEST_SUITE_END()
