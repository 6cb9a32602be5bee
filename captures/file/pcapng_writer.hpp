#pragma once

#include <memory>

#include "captures/file/capture_writer.hpp"
#include "captures/file/output_buffer.hpp"

namespace captures::file {

/// pcapng: one section, timestamps in nanoseconds, negative ones before 1970 (see TimestampScale).
/// A comment or a name longer than an option can be (65535 bytes) is cut between two characters.
[[nodiscard]] std::unique_ptr<CaptureWriter> make_pcapng_writer(std::unique_ptr<OutputBuffer> output);

}  // namespace captures::file
