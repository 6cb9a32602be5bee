#include "dnat/tcp_state.hpp"

#include <algorithm>
#include <optional>

namespace dnat {

namespace {

using captures::packet::Packet;
namespace flag = captures::packet::tcp_flag;

/// a - b in sequence space.
constexpr std::int32_t distance(std::uint32_t a, std::uint32_t b) noexcept { return static_cast<std::int32_t>(a - b); }

/// The window scale option of a SYN (RFC 7323 §2.2), as far as it was captured.
std::optional<std::uint8_t> window_scale(const Packet& packet) noexcept {
    const auto tcp = packet.tcp();
    const std::uint32_t end = std::min<std::uint32_t>(tcp.header_length(), packet.captured - packet.header_length);
    for (std::uint32_t at = captures::packet::TcpView::shortest; at + 1 < end;) {
        const auto kind = captures::base::load_u8(tcp.at + at);
        if (kind == 0) return {};
        if (kind == 1) {
            ++at;
            continue;
        }
        const auto length = captures::base::load_u8(tcp.at + at + 1);
        if (length < 2) return {};
        if (kind == 3 && length == 3 && at + 2 < end)
            return std::min<std::uint8_t>(captures::base::load_u8(tcp.at + at + 2), 14);
        at += length;
    }
    return {};
}

/// Beyond what the receiver has room for, plus this, a number is none that this connection has come to, even in a capture
/// that lacks some of its packets.
constexpr std::uint32_t slack = 65535;

/// How far ahead of `base` numbers may be that fit a window.
constexpr bool within(std::uint32_t number, std::uint32_t base, std::uint32_t window) noexcept {
    return distance(number, base) <= 0 || number - base <= std::max(window, slack);
}

/// Notes what `half` has sent by this segment, as far as its peer would believe it.
void note(TcpHalf& half, const TcpHalf& peer, const Packet& segment) noexcept {
    const bool syn = segment.has(flag::syn);
    const auto end = segment.sequence + segment.segment_length;
    if (syn) {
        const auto scale = window_scale(segment);
        half.offers_scale = scale.has_value();
        half.scale = scale.value_or(0);
    }
    const bool fits = !peer.acked || within(segment.sequence, peer.ack, peer.window);
    if (!half.seen || syn || (fits && distance(end, half.next) > 0)) half.next = end;
    half.seen = true;
    // An acknowledgment may be ahead of what was captured, but not by more than was ever offered; and before the peer's
    // SYN there is nothing to acknowledge.
    const bool credible = peer.seen && within(segment.acknowledgment, peer.next, half.window);
    const bool forward = !half.acked || distance(segment.acknowledgment, half.ack) >= 0;
    if (segment.has(flag::ack) && credible && forward) {
        half.ack = segment.acknowledgment;
        half.acked = true;
    }
    // Windows of SYNs are never scaled, others only if both sides offered to (RFC 7323 §2.2).
    const auto shift = !syn && half.offers_scale && peer.offers_scale ? half.scale : std::uint8_t{0};
    half.window = std::uint32_t{segment.window} << shift;
}

/// Whether the receiver would take a RST or FIN that begins at `sequence`.
bool acceptable(const TcpHalf& sender, const TcpHalf& receiver, std::uint32_t sequence) noexcept {
    if (sender.seen && sequence == sender.next) return true;
    return receiver.acked && sequence - receiver.ack < std::max<std::uint32_t>(receiver.window, 1);
}

/// A RST may also answer a SYN, without any sequence number of its own (RFC 9293 §3.10.7.3).
bool resets(const TcpHalf& sender, const TcpHalf& receiver, const Packet& segment) noexcept {
    if (acceptable(sender, receiver, segment.sequence)) return true;
    return !sender.seen && segment.has(flag::ack) && segment.acknowledgment == receiver.next;
}

TcpStep moved(FlowState& state, FlowState to) noexcept {
    const bool changed = state != to;
    state = to;
    return {TcpOutcome::pass, true, changed};
}

TcpStep on_fin(FlowState& state, bool from_client) noexcept {
    const auto mine = from_client ? FlowState::client_closed : FlowState::server_closed;
    const auto other = from_client ? FlowState::server_closed : FlowState::client_closed;
    return moved(state, state == other ? FlowState::closing : mine);
}

/// Opening ends when each side has acknowledged something after both SYNs: the usual three segments, a simultaneous
/// open (SYN and SYN-ACK from both), or a split handshake (ACK and SYN apart).
TcpStep while_opening(FlowState& state, const TcpTrack& track) noexcept {
    return moved(state, track.client.acked && track.server.acked ? FlowState::established : FlowState::syn_received);
}

/// Whether a VM's segment answers the SYN that the client has just sent; an old connection's does not.
bool answers(const Packet& segment, const TcpHalf& client) noexcept {
    constexpr std::uint32_t most_data_on_syn = 65535;  // RFC 7413: the client may have sent data, too
    if (!segment.has(flag::syn)) return false;
    return !segment.has(flag::ack) || client.next - segment.acknowledgment <= most_data_on_syn;
}

}  // namespace

std::string_view to_string(FlowState state) noexcept {
    switch (state) {
        case FlowState::udp: return "udp";
        case FlowState::syn_sent: return "syn-sent";
        case FlowState::syn_received: return "syn-received";
        case FlowState::established: return "established";
        case FlowState::client_closed: return "client-closed";
        case FlowState::server_closed: return "server-closed";
        case FlowState::closing: return "closing";
        case FlowState::reset: return "reset";
        case FlowState::cut: return "cut";
    }
    return "";
}

void begin(FlowState& state, TcpTrack& track, const Packet& syn) noexcept {
    state = FlowState::syn_sent;
    track = {};
    note(track.client, track.server, syn);
}

TcpStep advance(FlowState& state, TcpTrack& track, const Packet& segment, bool from_client) noexcept {
    auto& sender = from_client ? track.client : track.server;
    auto& receiver = from_client ? track.server : track.client;
    const bool pure_syn = segment.has(flag::syn) && !segment.has(flag::ack);
    const bool finished = state == FlowState::closing || state == FlowState::reset || state == FlowState::cut;

    if (pure_syn && finished) return {from_client ? TcpOutcome::reopen : TcpOutcome::invalid, false, false};
    if (state == FlowState::cut) return {TcpOutcome::invalid, false, false};
    if (segment.has(flag::rst)) {
        if (!resets(sender, receiver, segment)) return {TcpOutcome::pass, false, false};
        if (state == FlowState::reset) return {TcpOutcome::pass, false, false};
        return moved(state, FlowState::reset);
    }
    if (state == FlowState::syn_sent && pure_syn && from_client) {
        begin(state, track, segment);  // a retransmission, or another try with a new sequence number
        return {};
    }
    // On a live flow the end challenges a SYN (RFC 5961 §4); on a reset one it does not show that the RST did not take.
    const bool stays = is_open(state) || state == FlowState::reset;
    if (stays && segment.has(flag::syn)) return {TcpOutcome::pass, false, false};

    if (state == FlowState::syn_sent && !from_client && !answers(segment, receiver)) return {};

    const bool was_opened = track.client.acked && track.server.acked;
    if (state == FlowState::reset && !was_opened) return {TcpOutcome::pass, false, false};  // refused: nothing to go on

    const bool closes = segment.has(flag::fin) && acceptable(sender, receiver, segment.sequence);
    note(sender, receiver, segment);
    switch (state) {
        case FlowState::syn_sent: return from_client ? TcpStep{} : while_opening(state, track);
        case FlowState::syn_received: return closes ? on_fin(state, from_client) : while_opening(state, track);
        case FlowState::established:
        case FlowState::client_closed:
        case FlowState::server_closed: return closes ? on_fin(state, from_client) : TcpStep{};
        case FlowState::reset: return moved(state, FlowState::established);
        case FlowState::closing:
        case FlowState::cut:
        case FlowState::udp: break;
    }
    return {TcpOutcome::pass, false, false};
}

}  // namespace dnat
