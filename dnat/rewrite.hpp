#pragma once

#include <cstdint>

#include "captures/packet/packet.hpp"
#include "dnat/translate.hpp"

namespace dnat {

/// How the time to live changes: a gateway takes one; undoing what a gateway did gives it back (255 stays).
enum class TtlStep : std::uint8_t { down, up };

/// The only code that translates a packet. Replaces addresses and ports as `translation` says and keeps every checksum
/// that the frame holds in step with them by RFC 1624 eqn. 3: IPv4, TCP, UDP, ICMP and those of the packet that an ICMP
/// error quotes. Bytes that the capture lacks are not missed; a wrong checksum stays wrong by the same amount, an
/// offloaded IPv4 checksum (0) and an absent UDP checksum (0) stay 0.
///
/// Preconditions: kind is tcp, udp, fragment or icmp_error; ttl > 1 when it goes down.
void rewrite(const captures::packet::Packet& packet, const Translation& translation, TtlStep step) noexcept;

}  // namespace dnat
