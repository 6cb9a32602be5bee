#pragma once

#include <cstdint>
#include <string_view>

#include "captures/packet/packet.hpp"

namespace dnat {

/// What a flow is doing, and what that allows.
///
///   state           | client may            | VM may                | silence ends it after
///   ----------------+-----------------------+-----------------------+-----------------------
///   udp             | send                  | send                  | udp_idle
///   syn_sent        | SYN again, RST, data  | SYN, SYN-ACK, RST, ACK| tcp_transitory
///   syn_received    | anything              | anything              | tcp_transitory
///   established     | anything              | anything              | tcp_idle
///   client_closed   | anything (sent a FIN) | anything              | tcp_idle
///   server_closed   | anything              | anything (sent a FIN) | tcp_idle
///   closing         | anything but SYN      | anything but SYN      | tcp_transitory after the second FIN
///   reset           | anything but SYN      | anything but SYN      | tcp_transitory after the RST
///   cut             | nothing               | nothing               | tcp_transitory after the cut
///
/// A client's SYN on a flow that is closing, reset or cut is a new connection: rules and windows are asked again.
/// A VM's SYN there is refused: VMs open nothing through a DNAT flow. UDP on a cut flow asks anew with every packet.
enum class FlowState : std::uint8_t {
    udp,
    syn_sent,
    syn_received,
    established,
    client_closed,
    server_closed,
    closing,
    reset,
    cut,
};

[[nodiscard]] std::string_view to_string(FlowState state) noexcept;

/// Both sides opened it and not both closed it: the states whose silence the firewall answers with RSTs.
[[nodiscard]] constexpr bool is_open(FlowState state) noexcept {
    return state == FlowState::established || state == FlowState::client_closed || state == FlowState::server_closed;
}

/// What one side has sent so far. Sequence numbers are compared modulo 2^32.
struct TcpHalf {
    std::uint32_t next = 0;    ///< the sequence number after the last byte sent
    std::uint32_t ack = 0;     ///< highest acknowledgment sent; valid iff `acked`
    std::uint32_t window = 0;  ///< last advertised, scaled
    std::uint8_t scale = 0;    ///< RFC 7323; 0 unless both sides offered it
    bool seen = false;         ///< anything at all
    bool acked = false;
    bool offers_scale = false;
};

struct TcpTrack {
    TcpHalf client;
    TcpHalf server;
};

enum class TcpOutcome : std::uint8_t {
    pass,
    reopen,   ///< a client's SYN on a finished flow: ask the rules
    invalid,  ///< not allowed in this state
};

/// Advances a flow's state by one TCP segment.
///
/// Theory of operation. The machine follows RFC 6146 §3.5.2 as RFC 7857 §2 amends it. It is liberal: a segment out of the
/// expected window is translated, since a capture may lack packets and an endpoint knows better; its numbers are believed
/// if they are no more than a windowful off. Only a RST within the receiver's window (RFC 5961 §3.2) or exactly at the
/// sender's next sequence number resets a flow, and only such a FIN closes a side. After a reset any segment but RST and
/// SYN (or SYN-ACK) makes a flow that was open established again (RFC 6146: the RST did not take). `refreshes` tells
/// whether the segment counts against the idle timeout: closing and reset flows run out, whatever comes.
struct TcpStep {
    TcpOutcome outcome = TcpOutcome::pass;
    bool refreshes = true;
    bool changed = false;  ///< the state did
};
[[nodiscard]] TcpStep advance(FlowState& state, TcpTrack& track, const captures::packet::Packet& segment,
                              bool from_client) noexcept;

/// The state and track of a flow that `syn` begins.
void begin(FlowState& state, TcpTrack& track, const captures::packet::Packet& syn) noexcept;

}  // namespace dnat
