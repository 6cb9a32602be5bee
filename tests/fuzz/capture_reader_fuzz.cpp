#include <cstdint>
#include <cstdlib>
#include <span>

#include "captures/file/capture_reader.hpp"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

/// Reads any bytes as a capture file to their end, and overwrites each frame as translation does.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto source = captures::file::open_capture(std::as_bytes(std::span(data, size)));
    if (!source) {
        require(!source.error().empty());
        return 0;
    }
    static captures::packet::Burst burst;
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
    for ((*source)->read(burst); burst.count > 0; (*source)->read(burst)) {
        require(burst.count <= captures::packet::burst_capacity);
        for (const captures::packet::Frame& frame : burst.view()) {
            require(frame.number == ++number);
            require(frame.captured <= captures::packet::largest_frame && frame.captured <= frame.length);
            bytes += frame.captured;
            for (std::byte& one : frame.bytes()) one = ~one;
        }
    }
    require(bytes <= size);
    const auto& error = (*source)->error();
    require(!error || (error->packet == number + 1 && error->offset < size && !error->what.empty()));
    require(error || (*source)->progress().done == size);
    return 0;
}
