// Frames that are written from where they were read, beside frames that are copied: the files must be the same.

#include <filesystem>
#include <functional>
#include <random>

#include <boost/test/data/test_case.hpp>

#include "captures/file/capture_writer.hpp"
#include "tests/support/captured.hpp"

namespace zero_copy_test {

using captures::file::CaptureWriter;
using captures::file::Source;
using captures::packet::Burst;
using captures::packet::Frame;
using captures::packet::Room;
using support::Bytes;
using support::payload;
using support::ScratchFolder;

using Keep = std::function<bool(std::uint64_t)>;

/// More than two fillings of a reader's buffer.
constexpr std::size_t input_size = std::size_t{5} << 19;

/// Packets of all sizes, short ones most of all.
template <class Add>
void add_packets(Add add) {
    std::mt19937 random{20261127};  // NOLINT(cert-msc51-cpp): the same every time
    std::size_t size = 0;
    for (unsigned number = 1; size < input_size; ++number) {
        const auto bytes = payload(random() % 4 == 0 ? random() % 9000 : 40 + random() % 40, number);
        add(number, bytes);
        size += bytes.size();
    }
}

Bytes pcap(const support::PcapFile::Header& header) {
    support::PcapFile file{header};
    add_packets([&](unsigned number, const Bytes& bytes) {
        const auto size = static_cast<std::uint32_t>(bytes.size());
        file.record(number, number, bytes, {}, size + number % 2);
    });
    return file.bytes();
}

Bytes pcapng(std::endian order) {
    support::PcapngFile file;
    file.section(order).interface(1).interface(1);
    const auto comment = file.fields().text_option(1, "of a length that is no multiple").u32(0).bytes();
    add_packets([&](unsigned number, const Bytes& bytes) {
        switch (number % 16) {
            case 0: file.simple(bytes); break;
            case 1: file.obsolete(0, number, bytes); break;
            case 2: file.enhanced(number % 2, number, bytes, {}, {}, comment); break;
            case 3: file.block(0x0bad, file.fields().raw(bytes).pad().bytes()); [[fallthrough]];
            default: file.enhanced(number / 300 % 2, number, bytes);
        }
    });
    return file.bytes();
}

struct Input {
    const char* name;
    Bytes (*make)();
};
std::ostream& operator<<(std::ostream& out, const Input& input) { return out << input.name; }

const std::vector<Input> inputs{
    {"microseconds", [] { return pcap({}); }},
    {"nanoseconds", [] { return pcap({.magic = 0xa1b23c4d}); }},
    {"big-endian", [] { return pcap({.order = std::endian::big}); }},
    {"longer record headers", [] { return pcap({.magic = 0xa1b2cd34}); }},
    {"pcapng", [] { return pcapng(std::endian::little); }},
    {"big-endian pcapng", [] { return pcapng(std::endian::big); }},
};

void store(const std::string& path, const Bytes& bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

Bytes load(const std::string& path) {
    Bytes bytes(std::filesystem::file_size(path));
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return bytes;
}

/// Changes what is kept and writes it, one run after the other, as `gateway::outputs::TranslatedCapture` does.
Bytes written(Source& source, const std::string& path, bool zero_copy, const Keep& keep) {
    const auto writer = CaptureWriter::create(path, captures::file::format_for(path)).value();
    if (zero_copy) source.use_zero_copy([&writer] { writer->release(); });
    std::size_t with_room = 0;
    Burst burst;
    for (source.read(burst); burst.count > 0; source.read(burst)) {
        for (std::size_t begin = 0, end = 0; begin < burst.count; begin = end + 1) {
            for (end = begin; end < burst.count && keep(burst.frames[end].number); ++end) {
                const Frame& frame = burst.frames[end];
                if (frame.captured > 0) frame.data[0] ^= std::byte{0x55};
                with_room += frame.room == Room::none ? 0 : 1;
            }
            writer->write(burst.view().subspan(begin, end - begin));
        }
    }
    BOOST_TEST(!source.error().has_value());
    BOOST_TEST((with_room > 0) == zero_copy);
    writer->release();
    source.use_zero_copy({});
    BOOST_TEST(writer->close() == "");
    return load(path);
}

std::unique_ptr<Source> open(const std::string& path) { return captures::file::open_capture(path).value(); }

void compare(const std::string& input, const Keep& keep) {
    const ScratchFolder folder;
    for (const std::string name : {"out.pcap", "out.pcapng"}) {
        const auto copied = written(*open(input), folder.file("copied-" + name), false, keep);
        const auto zero_copy = written(*open(input), folder.file("zero_copy-" + name), true, keep);
        BOOST_TEST((copied == zero_copy), name);
        BOOST_TEST(copied.size() > 24U);
    }
}

}  // namespace zero_copy_test

BOOST_AUTO_TEST_SUITE(zero_copy_test)

BOOST_DATA_TEST_CASE(a_file_is_the_same_whether_its_frames_were_copied_or_not, inputs, input) {
    const ScratchFolder folder;
    store(folder.file("in"), input.make());
    compare(folder.file("in"), [](std::uint64_t) { return true; });
    compare(folder.file("in"), [](std::uint64_t number) { return number % 2 == 0; });
    compare(folder.file("in"), [](std::uint64_t number) { return number / 100 % 3 != 0 && number % 50 != 0; });
}

BOOST_AUTO_TEST_CASE(two_inputs_lend_to_one_output) {
    const ScratchFolder folder;
    store(folder.file("outside"), inputs[1].make());
    store(folder.file("inside"), inputs[0].make());
    const auto merged = [&] {
        return captures::file::merge_sides(open(folder.file("outside")), open(folder.file("inside")));
    };
    const Keep most = [](std::uint64_t number) { return number % 7 != 0; };
    for (const std::string name : {"out.pcap", "out.pcapng"}) {
        const auto copied = written(*merged(), folder.file("copied-" + name), false, most);
        const auto zero_copy = written(*merged(), folder.file("zero_copy-" + name), true, most);
        BOOST_TEST((copied == zero_copy), name);
    }
}

BOOST_AUTO_TEST_CASE(an_annotated_frame_is_copied) {
    const ScratchFolder folder;
    store(folder.file("in"), inputs[1].make());
    const auto source = open(folder.file("in"));
    source->use_zero_copy([] {});
    Burst burst;
    source->read(burst);
    BOOST_REQUIRE_GT(burst.count, 1U);
    const auto& frame = burst.frames[1];
    BOOST_REQUIRE(frame.room == Room::record);
    const Bytes before(frame.data - 16, frame.data);
    for (const std::string name : {"out.pcap", "out.pcapng"}) {
        const auto writer = CaptureWriter::create(folder.file(name), captures::file::format_for(name)).value();
        writer->write(frame, {.interface = "arrived", .comment = "kept"});
        BOOST_TEST((Bytes(frame.data - 16, frame.data) == before), name);
        BOOST_TEST(writer->close() == "");
    }
}

BOOST_AUTO_TEST_SUITE_END()
