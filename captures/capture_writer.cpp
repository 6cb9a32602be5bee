#include "captures/capture_writer.hpp"

#include "captures/output_buffer.hpp"
#include "captures/pcap_writer.hpp"
#include "captures/pcapng_writer.hpp"

namespace captures {

CaptureFormat format_for(std::string_view path) noexcept {
    return path.ends_with(".pcapng") || path.ends_with(".ntar") ? CaptureFormat::pcapng : CaptureFormat::pcap;
}

tl::expected<std::unique_ptr<CaptureWriter>, std::string> CaptureWriter::create(const std::string& path,
                                                                                CaptureFormat format) {
    auto output = OutputBuffer::create(path);
    if (!output) return tl::unexpected(std::move(output).error());
    return format == CaptureFormat::pcapng ? make_pcapng_writer(*std::move(output))
                                           : make_pcap_writer(*std::move(output));
}

}  // namespace captures
