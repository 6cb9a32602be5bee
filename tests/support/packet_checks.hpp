#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "captures/packet/packet.hpp"
#include "tests/support/packet_builder.hpp"

/// Checks of a frame that compose:
///
///     check(frame, is_tcp, from("203.0.113.1:22"), to("198.51.100.7:4000"), ttl(63), flags("S."), checksums_hold);
///
/// Every check that fails is one error of the running test; it names the line of the call, what was expected, what
/// is there, and the packet.
namespace support {

/// A decoded frame under check.
struct Checked {
    captures::packet::Frame frame;
    captures::packet::Packet packet;
};

/// Empty text where it holds, else what is wrong.
using PacketCheck = std::function<std::string(const Checked&)>;

/// A frame and the line that has it checked.
struct CheckedFrame {
    captures::packet::Frame frame;
    const char* file;
    int line;

    CheckedFrame(captures::packet::Frame value, const char* at_file = __builtin_FILE(), int at_line = __builtin_LINE())
        : frame{value}, file{at_file}, line{at_line} {}
    CheckedFrame(OwnedFrame& value, const char* at_file = __builtin_FILE(), int at_line = __builtin_LINE())
        : CheckedFrame{value.frame(), at_file, at_line} {}
    CheckedFrame(OwnedFrame&& value, const char* at_file = __builtin_FILE(), int at_line = __builtin_LINE())
        : CheckedFrame{value.frame(), at_file, at_line} {}
};

/// Runs the checks; true if all hold.
bool check_all(const CheckedFrame& frame, std::initializer_list<PacketCheck> checks);

template <class... Checks>
bool check(CheckedFrame frame, const Checks&... checks) {
    return check_all(frame, {PacketCheck{checks}...});
}

// What it is
[[nodiscard]] PacketCheck is(captures::packet::Kind kind);
[[nodiscard]] PacketCheck malformed(captures::packet::Defect defect);
[[nodiscard]] std::string is_tcp(const Checked& checked);
[[nodiscard]] std::string is_udp(const Checked& checked);
[[nodiscard]] std::string is_icmp_error(const Checked& checked);
[[nodiscard]] std::string is_fragment(const Checked& checked);

// IPv4; an endpoint without a port leaves the port unchecked
[[nodiscard]] PacketCheck from(Where endpoint);
[[nodiscard]] PacketCheck to(Where endpoint);
[[nodiscard]] PacketCheck ttl(int ttl);
[[nodiscard]] PacketCheck id(int identification);
[[nodiscard]] PacketCheck length(std::size_t bytes);  ///< of the datagram
[[nodiscard]] PacketCheck fragment_at(std::size_t offset, bool more);

// TCP, UDP
[[nodiscard]] PacketCheck flags(std::string_view letters);  ///< as captures::packet::flag_letters: `S.`
[[nodiscard]] PacketCheck seq(std::uint32_t number);
[[nodiscard]] PacketCheck ack_number(std::uint32_t number);
[[nodiscard]] PacketCheck payload(std::string_view text);
[[nodiscard]] std::string no_checksum(const Checked& checked);  ///< UDP's field is 0

// ICMP errors
[[nodiscard]] PacketCheck icmp(int type, int code);
[[nodiscard]] PacketCheck quotes_from(Where endpoint);
[[nodiscard]] PacketCheck quotes_to(Where endpoint);

// The capture
[[nodiscard]] PacketCheck on_side(captures::packet::Side side);
[[nodiscard]] PacketCheck on_link(captures::packet::LinkType type);
[[nodiscard]] PacketCheck captured_bytes(std::size_t bytes);

/// Every checksum whose bytes are all here, computed anew: IPv4, TCP, UDP (0 is none and holds), ICMP, the quoted
/// IPv4 header, and the quoted TCP or UDP where the quote is whole.
[[nodiscard]] std::string checksums_hold(const Checked& checked);

/// The TCP, UDP or ICMP checksum is wrong although the packet is whole.
[[nodiscard]] std::string transport_checksum_is_wrong(const Checked& checked);

}  // namespace support
