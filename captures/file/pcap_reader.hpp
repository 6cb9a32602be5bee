#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "captures/file/input_buffer.hpp"
#include "captures/file/source.hpp"

namespace captures::file {

/// Whether a file that starts with these four bytes, as this machine loads them, is classic pcap.
[[nodiscard]] bool is_pcap(std::uint32_t magic) noexcept;

/// `input` is at the start of a file for which `is_pcap` holds. Format: draft-ietf-opsawg-pcap, and Kuznetzov's
/// variant with longer record headers (magic a1b2cd34).
[[nodiscard]] tl::expected<std::unique_ptr<Source>, std::string> open_pcap(std::unique_ptr<InputBuffer> input);

}  // namespace captures::file
