#pragma once

#include <memory>

#include "captures/file/capture_writer.hpp"
#include "captures/file/output_buffer.hpp"

namespace captures::file {

/// Classic pcap. Times outside 1970..2106, which the format cannot hold, become its first or last second.
[[nodiscard]] std::unique_ptr<CaptureWriter> make_pcap_writer(std::unique_ptr<OutputBuffer> output);

}  // namespace captures::file
