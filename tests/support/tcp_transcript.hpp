#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dnat/tcp_state.hpp"

/// TCP conversations as text, a segment a line:
///
///     client S 1000 scale 7          -> syn-sent
///     server S. 5000 ack 1001        -> syn-received
///     client P. 1001+100 ack 5001    -> established
///     client R 1 win 0               -> established, quiet
///
/// who, flags as captures::packet::flag_letters has them, sequence number and payload bytes, then any of `ack`, `win`, `scale`;
/// behind the arrow the flow's state after it, and `quiet` where the segment does not count against the idle timeout,
/// `reopen` or `invalid` where it does not pass. The first line is the SYN that begins the flow.
namespace support {

class TcpTranscript {
public:
    /// Plays the lines; each that goes another way is one error of the running test, which cites the line.
    void play(const std::vector<std::string_view>& lines);

    [[nodiscard]] dnat::FlowState state() const noexcept { return state_; }
    [[nodiscard]] const dnat::TcpTrack& track() const noexcept { return track_; }
    void set_state(dnat::FlowState state) noexcept { state_ = state; }

private:
    /// What became of the segment, as behind the arrow.
    [[nodiscard]] std::string play_segment(std::string_view segment);

    dnat::FlowState state_ = dnat::FlowState::syn_sent;
    dnat::TcpTrack track_;
    bool begun_ = false;
};

}  // namespace support
