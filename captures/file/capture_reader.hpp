#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "captures/file/source.hpp"

namespace captures::file {

/// Opens a classic pcap (µs or ns, either byte order) or pcapng file, or standard input for `-`; which of them it
/// is, its first bytes say. The error text is for the person: it names the file and what is wrong with it.
///
/// Sides: a pcapng interface whose name or description is `outside` or `inside` is on that side; otherwise the
/// section's interface 0 is outside and every other one inside. Classic pcap frames are all outside.
///
/// A file that ends inside a packet, a length that cannot be, or a block of garbage ends the reading with
/// `error()` set; all packets before it have been delivered.
[[nodiscard]] tl::expected<std::unique_ptr<Source>, std::string> open_capture(const std::string& path);

/// The same over bytes in memory, for tests and fuzzers. `bytes` is copied.
[[nodiscard]] tl::expected<std::unique_ptr<Source>, std::string> open_capture(std::span<const std::byte> bytes,
                                                                              std::string name = "memory");

/// Two single-sided captures of the same traffic as one, in order of time; on equal times outside comes first.
/// Each input's own order is kept, even where its clock runs backwards. Packet numbers count the merged order.
/// An input that breaks ends the whole right after its last packet; `error` then counts packets of that input alone.
[[nodiscard]] std::unique_ptr<Source> merge_sides(std::unique_ptr<Source> outside, std::unique_ptr<Source> inside);

}  // namespace captures::file
