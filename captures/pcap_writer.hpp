#pragma once

#include <memory>

#include "captures/capture_writer.hpp"
#include "captures/output_buffer.hpp"

namespace captures {

/// Classic pcap. Times outside 1970..2106, which the format cannot hold, become its first or last second.
[[nodiscard]] std::unique_ptr<CaptureWriter> make_pcap_writer(std::unique_ptr<OutputBuffer> output);

}  // namespace captures
