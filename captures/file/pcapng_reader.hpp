#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "captures/file/input_buffer.hpp"
#include "captures/file/source.hpp"

namespace captures::file {

/// `input` is at the start of a file whose first four bytes are a section header's type. Packets come from Enhanced,
/// Simple (stamped like the packet before) and obsolete Packet Blocks; all other blocks are skipped.
/// Format: draft-ietf-opsawg-pcapng.
[[nodiscard]] tl::expected<std::unique_ptr<Source>, std::string> open_pcapng(std::unique_ptr<InputBuffer> input);

}  // namespace captures::file
