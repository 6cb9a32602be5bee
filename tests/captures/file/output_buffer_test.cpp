#include "captures/file/output_buffer.hpp"

#include <algorithm>
#include <csignal>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/test/data/test_case.hpp>

#include "captures/file/capture_writer.hpp"
#include "tests/support/captured.hpp"

namespace output_buffer_test {

using captures::file::OutputBuffer;
using support::Bytes;
using support::content_of;
using support::payload;
using support::ScratchFolder;

/// While it lives, files can grow to so many bytes; a write across that is cut short, the next one fails.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        BOOST_REQUIRE_EQUAL(getrlimit(RLIMIT_FSIZE, &before_), 0);
        const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        BOOST_REQUIRE_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        static_cast<void>(std::signal(SIGXFSZ, handler_));
    }

private:
    rlimit before_{};
    void (*handler_)(int);
};

/// While it lives, SIGUSR1 does nothing but end the system call that waits.
class Interruption {
public:
    Interruption() {
        struct sigaction interrupt {};
        interrupt.sa_handler = [](int) {};  // without SA_RESTART
        BOOST_REQUIRE_EQUAL(sigaction(SIGUSR1, &interrupt, &before_), 0);
    }
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;
    ~Interruption() { sigaction(SIGUSR1, &before_, nullptr); }

private:
    struct sigaction before_ {};
};

std::unique_ptr<OutputBuffer> create(const std::string& path) {
    auto output = OutputBuffer::create(path);
    if (!output) BOOST_FAIL(output.error());
    return *std::move(output);
}

/// Whether there was room.
bool append(OutputBuffer& output, const Bytes& bytes) {
    std::byte* const room = output.append(bytes.size());
    if (room != nullptr) std::ranges::copy(bytes, room);
    return room != nullptr;
}

}  // namespace output_buffer_test

BOOST_AUTO_TEST_SUITE(output_buffer_test)

BOOST_AUTO_TEST_CASE(pieces_of_any_size_come_one_after_the_other) {
    const ScratchFolder folder;
    const auto output = create(folder.file("out"));
    Bytes all;
    for (const std::size_t size : {0UL, 1UL, 100'000UL, 200'000UL, OutputBuffer::largest_piece, 1UL}) {
        const auto piece = payload(size, static_cast<unsigned>(size));
        BOOST_TEST(append(*output, piece));
        all.insert(all.end(), piece.begin(), piece.end());
    }
    BOOST_TEST(output->close() == "");
    BOOST_TEST((content_of(folder.file("out")) == all));
}

BOOST_AUTO_TEST_CASE(what_is_lent_and_what_is_copied_go_out_in_the_order_in_which_they_came) {
    const ScratchFolder folder;
    const auto output = create(folder.file("out"));
    std::mt19937 random{20261127};  // NOLINT(cert-msc51-cpp): the same every time
    const auto source = payload(100'000);
    Bytes all;
    std::size_t place = 0;
    for (int round = 0; round < 20'000; ++round) {
        const std::size_t size = random() % 8 == 0 ? random() % 5000 : random() % 100;
        if (random() % 4 == 0 || place + size > source.size()) place = random() % (source.size() - 5000);
        const auto piece = std::span(source).subspan(place, size);
        all.insert(all.end(), piece.begin(), piece.end());
        if (random() % 4 == 0) {
            BOOST_REQUIRE(append(*output, {piece.begin(), piece.end()}));
        } else {
            output->append_zero_copy(piece);  // often right behind the last one
        }
        place += size;
        if (random() % 1000 == 0) output->release();
        if (random() % 1000 == 0) output->flush();
        BOOST_REQUIRE_EQUAL(output->size(), all.size());
    }
    BOOST_TEST(output->close() == "");
    BOOST_TEST((content_of(folder.file("out")) == all));
}

BOOST_AUTO_TEST_CASE(what_was_released_may_change) {
    const ScratchFolder folder;
    const auto output = create(folder.file("out"));
    Bytes all;
    for (const std::size_t size : {10UL, 10'000UL}) {
        auto bytes = payload(size);
        all.insert(all.end(), bytes.begin(), bytes.end());
        output->append_zero_copy(bytes);
        output->release();
        std::ranges::fill(bytes, std::byte{0xff});
    }
    BOOST_TEST(output->close() == "");
    BOOST_TEST((content_of(folder.file("out")) == all));
}

BOOST_AUTO_TEST_CASE(zero_copy_bytes_that_a_full_disk_did_not_take_are_lost_for_good) {
    const ScratchFolder folder;
    const auto output = create(folder.file("out"));
    const auto bytes = payload(500'000);
    {
        const FileSizeLimit limit{400'001};
        append(*output, {bytes.begin(), bytes.begin() + 100});
        output->append_zero_copy(std::span(bytes).subspan(100));
        output->release();
        BOOST_TEST(!output->ok());
        output->append_zero_copy(bytes);  // in vain
        BOOST_TEST(output->size() == bytes.size());
    }
    BOOST_TEST(!output->retry());
    BOOST_TEST(output->close() == "cannot write " + folder.file("out") + ": File too large");
    BOOST_TEST((content_of(folder.file("out")) == Bytes{bytes.begin(), bytes.begin() + 400'001}));
}

BOOST_AUTO_TEST_CASE(the_first_error_counts_and_what_came_before_it_is_written) {
    const ScratchFolder folder;
    const auto output = create(folder.file("out"));
    const auto before = payload(10);
    BOOST_TEST(append(*output, before));
    output->fail("no more");
    output->fail("again");
    BOOST_TEST(!append(*output, before));
    BOOST_TEST(output->close() == "cannot write " + folder.file("out") + ": no more");
    BOOST_TEST((content_of(folder.file("out")) == before));
}

BOOST_AUTO_TEST_CASE(a_write_that_is_cut_short_goes_on_where_it_stopped) {
    // A pipe holds less than one write, and its reader is slow: each signal ends the write that waits for it.
    const Interruption interruption;
    std::array<int, 2> ends{};
    BOOST_REQUIRE_EQUAL(pipe(ends.data()), 0);
    Bytes received;
    std::thread reader([&received, from = ends[0], writer = pthread_self()] {
        Bytes piece(16384);
        for (ssize_t size = 0; (size = read(from, piece.data(), piece.size())) > 0;) {
            received.insert(received.end(), piece.begin(), piece.begin() + size);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            if (received.size() < 700'000) pthread_kill(writer, SIGUSR1);
        }
        close(from);
    });
    OutputBuffer output(ends[1], "pipe");
    Bytes sent;
    for (unsigned index = 0; index < 1000; ++index) {
        const auto piece = payload(1000, index);
        append(output, piece);
        sent.insert(sent.end(), piece.begin(), piece.end());
    }
    const std::string error = output.close();
    reader.join();
    BOOST_TEST(error == "");
    BOOST_TEST((received == sent));
}

BOOST_AUTO_TEST_CASE(a_reader_that_went_away_is_an_error) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE_EQUAL(pipe(ends.data()), 0);
    close(ends[0]);
    auto* const handler = std::signal(SIGPIPE, SIG_IGN);
    OutputBuffer output(ends[1], "pipe");
    append(output, payload(10));
    BOOST_TEST(output.close() == "cannot write pipe: Broken pipe");
    static_cast<void>(std::signal(SIGPIPE, handler));
}

BOOST_DATA_TEST_CASE(a_disk_that_becomes_full_keeps_a_capture_of_all_that_fitted,
                     (std::vector<std::string>{"out.pcap", "out.pcapng"})) {
    const ScratchFolder folder;
    const std::string path = folder.file(sample);
    Bytes bytes = payload(1000);
    std::string error;
    {
        const FileSizeLimit limit{400'001};  // in the midst of a packet, of the second of three writes
        const auto writer = captures::file::CaptureWriter::create(path, captures::file::format_for(path)).value();
        for (int index = 0; index < 600; ++index) {
            const captures::packet::Frame frame{.data = bytes.data(),
                                                .captured = 1000,
                                                .length = 1000,
                                                .time = captures::base::Time{captures::base::Duration{index}}};
            writer->write(std::array{frame});
        }
        error = writer->close();
    }
    BOOST_TEST(error == "cannot write " + path + ": File too large");
    BOOST_TEST(content_of(path).size() == 400'001U);

    const auto source = captures::file::open_capture(path).value();
    const auto packets = support::read_all(*source);
    BOOST_REQUIRE(source->error().has_value());  // at the packet that did not fit
    BOOST_TEST(source->error()->packet == packets.size() + 1);
    BOOST_TEST(packets.size() > 380U);
    for (std::size_t index = 0; index < packets.size(); ++index) {
        BOOST_REQUIRE_EQUAL(support::nanoseconds(packets[index].frame.time), static_cast<std::int64_t>(index));
        BOOST_REQUIRE((packets[index].bytes == bytes));
    }
}

BOOST_AUTO_TEST_SUITE_END()
