// Look-up: what the packets of a burst are, and which flows they name. Nothing is decided yet.

#include <algorithm>

#include "captures/packet/link_layer.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace gateway::pipeline {

using captures::packet::Frame;
using captures::packet::Kind;
using captures::packet::Packet;
using captures::packet::Side;
using dnat::no_flow;

namespace {

/// What a live gateway's way out does not take (`Egress`), and replay does.
inline void refuse_what_cannot_leave(const Frame& frame, Packet& packet) noexcept {
    if (packet.kind >= Kind::unsupported) return;  // refused already
    if (packet.ip != frame.data + captures::packet::ethernet_size) {
        packet.kind = Kind::unsupported;
    } else if (packet.ipv4().total_length() == 0) {
        packet.kind = Kind::malformed;
        packet.defect = captures::packet::Defect::ip_total_length;
    }
}

}  // namespace

inline Pipeline::Direction Pipeline::direction_of(const Frame& frame, const Packet& packet) const noexcept {
    if (settings_.vantage == Vantage::both) {
        return frame.side == Side::outside ? Direction::toward_target : Direction::toward_client;
    }
    return packet.ip != nullptr && rules_.tables->owns(packet.tuple.source.address) ? Direction::untranslated
                                                                                    : Direction::toward_target;
}

/// An error quotes what its receiver sent, so the flow's key is that packet's answer; untranslated, the client's own.
dnat::FlowKey Pipeline::key_of_error(const Packet& packet, Direction direction, Side side) noexcept {
    const auto quoted = captures::packet::quoted_tuple(packet);
    return dnat::FlowKey::of(direction == Direction::untranslated ? quoted : quoted.reversed(), side);
}

inline dnat::FlowKey Pipeline::key_of(const Packet& packet, Direction direction) noexcept {
    const auto side = direction == Direction::toward_client ? Side::inside : Side::outside;
    if (packet.is_segment()) [[likely]] {
        const auto& [source, destination, protocol] = packet.tuple;
        return direction == Direction::untranslated ? dnat::FlowKey::of(destination, source, protocol, side)
                                                    : dnat::FlowKey::of(source, destination, protocol, side);
    }
    return packet.kind == Kind::icmp_error ? key_of_error(packet, direction, side) : dnat::FlowKey{};
}

/// Whether it may begin a flow, as far as is known before the packets before it are decided.
inline bool Pipeline::may_be_first(std::size_t i) const noexcept {
    return found_[i] == no_flow && directions_[i] == Direction::toward_target && packets_[i].is_segment();
}

/// What rules say of packets without a flow is needed to know where theirs would lie, and which door it would pass; the door,
/// to know which windows are asked for. Each is loaded for all of them before the next, and all before the first is decided.
void Pipeline::prefetch_firsts(std::size_t count) noexcept {
    bool admitted = false;
    for (std::size_t i = 0; i < count; ++i) {
        if (!may_be_first(i)) continue;
        const dnat::Arrived arrived{packets_[i].tuple};
        matches_[i] = match_nat(*rules_.tables, *rules_.doors, arrived);
        if (!matches_[i].rule) continue;
        admitted = true;
        flows_.table().prefetch_insert(arrived, matches_[i].target, rules_.tables->instance());
        rules_.doors->windows().prefetch(matches_[i].target, arrived.tuple.protocol);
    }
    if (!admitted) return;
    for (std::size_t i = 0; i < count; ++i) {
        if (!may_be_first(i) || !matches_[i].rule) continue;
        const auto& tuple = packets_[i].tuple;
        rules_.doors->windows().prefetch(matches_[i].target, tuple.protocol, tuple.source.address);
    }
}

/// Three loops, so that loads of different packets overlap: where memory is mapped in small pages, each waits for the page's
/// translation first, and only instructions that stand close together wait at the same time.
void Pipeline::decode_burst(std::span<Frame> frames) noexcept {
    auto clock = now_;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        captures::packet::decode(frames[i], packets_[i]);
        if (only_untagged_) refuse_what_cannot_leave(frames[i], packets_[i]);
        directions_[i] = direction_of(frames[i], packets_[i]);
        keys_[i] = key_of(packets_[i], directions_[i]);
        hashes_[i] = flows_.table().hash_of(keys_[i]);
        if (frames[i].time < clock) {
            ++counters_.clock_steps_back;
        } else {
            clock = std::min(frames[i].time, latest_time);
        }
        clock_[i] = clock;
        counters_.bytes += frames[i].length;
    }
    for (std::size_t i = 0; i < frames.size(); ++i) flows_.table().prefetch(hashes_[i]);
    bool misses = false;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        found_[i] = flows_.table().candidate(keys_[i], hashes_[i]);
        if (found_[i] != no_flow) [[likely]]
            continue;
        rules_.tables->nat().prefetch({packets_[i].tuple});
        rules_.doors->mapped_rules().prefetch({packets_[i].tuple});
        misses = true;
    }
    if (misses) prefetch_firsts(frames.size());
    found_at_ = flows_.table().erasures();
    found_among_ = flows_.table().size();
    counters_.packets += frames.size();
}

}  // namespace gateway::pipeline
