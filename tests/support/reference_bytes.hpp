#pragma once

#include <cstddef>
#include <cstdint>

#include "captures/base/address.hpp"

/// Bytes of packets as the reference NAT reads and writes them, without any help of `captures` but loads and stores.
namespace support {

[[nodiscard]] std::size_t header_of(const std::byte* ip);

[[nodiscard]] captures::base::Endpoint endpoint_at(const std::byte* ip, bool source, bool ported);

/// The one's complement sum, word by word with end-around carry.
[[nodiscard]] std::uint16_t sum_words(const std::byte* at, std::size_t size, std::uint32_t sum = 0);

/// New addresses and ports for one datagram of which `size` bytes behind the header are here. Its checksums are summed
/// anew where all of it is here, and adjusted where not: they hold after it if they did before.
void rewrite_datagram(std::byte* ip, std::size_t size, captures::base::Endpoint source,
                      captures::base::Endpoint destination);

/// The same for a whole packet, with what it quotes if it is an ICMP error, and its time to live one down or up.
void translate_packet(std::byte* ip, captures::base::Endpoint source, captures::base::Endpoint destination, bool up);

}  // namespace support
