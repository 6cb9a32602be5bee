// Look-up: what the packets of a burst are, and which flows they name. Nothing is decided yet.

#include <algorithm>

#include "gateway/pipeline.hpp"

namespace gateway {

using captures::Frame;
using captures::Kind;
using captures::Packet;
using captures::Side;
using dnat::no_flow;

inline Pipeline::Direction Pipeline::direction_of(const Frame& frame, const Packet& packet) const noexcept {
    if (settings_.vantage == Vantage::both) {
        return frame.side == Side::outside ? Direction::toward_target : Direction::toward_client;
    }
    return packet.ip != nullptr && tables_->owns(packet.tuple.source.address) ? Direction::undone
                                                                              : Direction::toward_target;
}

/// An error quotes what its receiver sent, so the flow's key is that packet's answer; undone, the client's own.
dnat::FlowKey Pipeline::key_of_error(const Packet& packet, Direction direction, Side side) noexcept {
    const auto quoted = captures::quoted_tuple(packet);
    return dnat::FlowKey::of(direction == Direction::undone ? quoted : quoted.reversed(), side);
}

inline dnat::FlowKey Pipeline::key_of(const Packet& packet, Direction direction) noexcept {
    const auto side = direction == Direction::toward_client ? Side::inside : Side::outside;
    if (packet.is_segment()) [[likely]] {
        const auto& [source, destination, protocol] = packet.tuple;
        return direction == Direction::undone ? dnat::FlowKey::of(destination, source, protocol, side)
                                              : dnat::FlowKey::of(source, destination, protocol, side);
    }
    return packet.kind == Kind::icmp_error ? key_of_error(packet, direction, side) : dnat::FlowKey{};
}

/// What rules say of packets without a flow is needed to know where theirs would lie. All of it is loaded for all of them
/// before the first is decided, which asks the rules again.
void Pipeline::announce_firsts(std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        if (found_[i] != no_flow || directions_[i] != Direction::toward_target || !packets_[i].is_segment()) continue;
        const dnat::Arrived arrived{packets_[i].tuple};
        const auto match = tables_->nat().match(arrived);
        if (match.rule) flows_.announce_insert(arrived, match.target, tables_->instance());
    }
}

/// A packet's slot is read only some packets after it was asked for, and its flow not before the decisions.
void Pipeline::decode_burst(std::span<Frame> frames) noexcept {
    constexpr std::size_t lag = 16;
    bool misses = false;
    const auto look_up = [this, &misses](std::size_t i) {
        found_[i] = flows_.candidate(keys_[i], hashes_[i]);
        if (found_[i] != no_flow) [[likely]]
            return;
        tables_->nat().announce({packets_[i].tuple});
        misses = true;
    };
    auto clock = now_;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        captures::decode(frames[i], packets_[i]);
        directions_[i] = direction_of(frames[i], packets_[i]);
        keys_[i] = key_of(packets_[i], directions_[i]);
        hashes_[i] = flows_.announce(keys_[i]);
        if (frames[i].time < clock) {
            ++counters_.clock_steps_back;
        } else {
            clock = std::min(frames[i].time, latest_time);
        }
        clock_[i] = clock;
        counters_.bytes += frames[i].length;
        if (i >= lag) look_up(i - lag);
    }
    for (auto i = std::max(frames.size(), lag) - lag; i < frames.size(); ++i) look_up(i);
    if (misses) announce_firsts(frames.size());
    found_at_ = flows_.erasures();
    counters_.packets += frames.size();
}

}  // namespace gateway
