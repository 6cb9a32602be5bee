#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "captures/packet/packet.hpp"
#include "tools/synth/packet_builder.hpp"

/// Packets for tests: the builders of tools/synth, and what only tests need.
namespace support {

using tools::arp;
using tools::fragment_of;
using tools::fragments_of;
using tools::icmp_echo;
using tools::icmp_error;
using tools::ip_protocol;
using tools::ipv6;
using tools::OwnedFrame;
using tools::PacketBuilder;
using tools::start_time;
using tools::tcp;
using tools::udp;
using tools::Where;

/// A decoded packet and the frame that it points into.
struct Decoded {
    explicit Decoded(OwnedFrame built);
    explicit Decoded(const PacketBuilder& builder) : Decoded{builder.build()} {}
    Decoded(const Decoded&) = delete;
    Decoded& operator=(const Decoded&) = delete;
    ~Decoded() = default;

    OwnedFrame owned;
    captures::packet::Frame frame;
    captures::packet::Packet packet;
};

/// Bytes from hex digits; blanks are skipped, anything else throws std::invalid_argument.
[[nodiscard]] std::vector<std::byte> from_hex(std::string_view text);

/// The bytes of a frame as hex, 16 a line, for messages.
[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);

}  // namespace support

// For Boost.Test's messages.

namespace captures::base {

std::ostream& operator<<(std::ostream& out, Protocol protocol);
std::ostream& operator<<(std::ostream& out, Ipv4Address address);
std::ostream& operator<<(std::ostream& out, const Endpoint& endpoint);
std::ostream& operator<<(std::ostream& out, const FiveTuple& tuple);

}  // namespace captures::base

namespace captures::packet {

[[nodiscard]] std::string_view name_of(Kind kind) noexcept;
std::ostream& operator<<(std::ostream& out, Kind kind);
std::ostream& operator<<(std::ostream& out, Defect defect);
std::ostream& operator<<(std::ostream& out, LinkType type);
std::ostream& operator<<(std::ostream& out, Side side);

}  // namespace captures::packet
