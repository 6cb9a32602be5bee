#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "captures/file/capture_reader.hpp"
#include "tests/support/capture_bytes.hpp"
#include "tests/support/scratch_folder.hpp"

namespace support {

/// A frame that owns its bytes.
struct Packet {
    captures::packet::Frame frame;
    Bytes bytes;
};

/// What a source gives until its end. Bytes are kept, then overwritten in place, as translation does.
inline std::vector<Packet> read_all(captures::file::Source& source) {
    std::vector<Packet> packets;
    captures::packet::Burst burst;
    for (source.read(burst); burst.count > 0; source.read(burst)) {
        BOOST_REQUIRE_LE(burst.count, captures::packet::burst_capacity);
        for (const captures::packet::Frame& frame : burst.view()) {
            packets.push_back({frame, Bytes(frame.bytes().begin(), frame.bytes().end())});
            BOOST_REQUIRE_EQUAL(frame.number, packets.size());
            BOOST_REQUIRE_LE(frame.captured, frame.length);
            for (std::byte& one : frame.bytes()) one = ~one;
        }
    }
    source.read(burst);
    BOOST_CHECK_EQUAL(burst.count, 0U);
    return packets;
}

inline std::unique_ptr<captures::file::Source> open_bytes(const Bytes& bytes) {
    auto source = captures::file::open_capture(bytes, "test");
    if (!source) BOOST_FAIL(source.error());
    return *std::move(source);
}

/// How many of the records that end at `ends` (ascending) are whole in the first `size` bytes.
inline std::size_t whole_before(const std::vector<std::size_t>& ends, std::size_t size) {
    return static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), size) - ends.begin());
}

inline std::int64_t nanoseconds(captures::base::Time time) { return time.time_since_epoch().count(); }

inline Bytes content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

}  // namespace support
