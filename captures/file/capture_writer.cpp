#include "captures/file/capture_writer.hpp"

#include <algorithm>
#include <utility>

#include "captures/file/output_buffer.hpp"
#include "captures/file/pcap_writer.hpp"
#include "captures/file/pcapng_writer.hpp"

namespace captures::file {

namespace {

/// `ending` is in small letters.
bool ends_with(std::string_view path, std::string_view ending) noexcept {
    const auto is_same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
    return path.size() >= ending.size() &&
           std::ranges::equal(path.substr(path.size() - ending.size()), ending, is_same);
}

}  // namespace

CaptureFormat format_for(std::string_view path) noexcept {
    return ends_with(path, ".pcapng") || ends_with(path, ".ntar") ? CaptureFormat::pcapng : CaptureFormat::pcap;
}

tl::expected<std::unique_ptr<CaptureWriter>, std::string> CaptureWriter::create(const std::string& path,
                                                                                CaptureFormat format) {
    return OutputBuffer::create(path).map([&](auto output) { return create(std::move(output), format); });
}

std::unique_ptr<CaptureWriter> CaptureWriter::create(std::unique_ptr<OutputBuffer> output, CaptureFormat format) {
    return format == CaptureFormat::pcapng ? make_pcapng_writer(std::move(output))
                                           : make_pcap_writer(std::move(output));
}

}  // namespace captures::file
