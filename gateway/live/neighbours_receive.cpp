// What a side makes of ARP that it hears.

#include <algorithm>

#include "gateway/live/neighbours.hpp"
#include "gateway/live/next_hop.hpp"

namespace gateway::live {

using captures::base::Ipv4Address;
using captures::base::Time;
using captures::packet::Frame;

namespace {

MacAddress destination_of(const Frame& frame) noexcept {
    MacAddress mac;
    std::copy_n(frame.data, mac.size(), mac.begin());
    return mac;
}

}  // namespace

void Neighbours::receive(const Frame& frame, Time now) {
    const auto packet = parse_arp(frame.bytes());
    const bool is_probe = packet && packet->sender == Ipv4Address{} &&
                          packet->operation == ArpPacket::Operation::request;
    if (!packet || (!is_probe && !is_neighbour(packet->sender, identity_.on_link))) {
        ++numbers_.malformed;
        return;
    }
    const auto destination = destination_of(frame);
    const bool to_us_alone = destination == identity_.mac;
    // What this side sent may come back through a loop; nobody else has its MAC address.
    if ((!to_us_alone && destination != broadcast_mac) || packet->sender_mac == identity_.mac) {
        ++numbers_.not_for_us;
        return;
    }
    const bool is_request = packet->operation == ArpPacket::Operation::request;
    ++(is_request ? numbers_.requests : numbers_.replies);
    if (auto* const claimed = own(packet->sender)) return receive_conflict(*claimed, packet->sender_mac, now);

    const bool asks_us = is_request && own(packet->target) != nullptr;
    if (!is_probe) {
        const Claim claim{packet->sender, packet->sender_mac, !is_request && to_us_alone};
        if (auto* const neighbour = table_.find(packet->sender)) {
            update(*neighbour, claim, now);
        } else if (asks_us) {
            learn(claim, now);
        }
    }
    if (!asks_us) return;
    send({.operation = ArpPacket::Operation::reply,
          .sender_mac = identity_.mac,
          .sender = packet->target,
          .target_mac = packet->sender_mac,
          .target = packet->sender},
         packet->sender_mac);
    ++numbers_.answered;
}

/// RFC 5227 §2.4 (c): the address is kept, and said to be, but not so often that two such hosts flood the link.
void Neighbours::receive_conflict(OwnAddress& own, const MacAddress& claimant, Time now) {
    ++numbers_.conflicts;
    last_conflict_ = {own.address, claimant, now};
    if (now < own.next_defence) return;
    own.next_defence = now + defend_interval;
    send_announcement(own.address);
}

void Neighbours::update(Neighbour& neighbour, const Claim& claim, Time now) {
    const bool moves = neighbour.has_mac() && neighbour.mac != claim.mac;
    if (moves && now < neighbour.since + settled_time) {
        ++numbers_.moves_refused;
        return;
    }
    const bool was_asked = neighbour.state == NeighbourState::incomplete || neighbour.state == NeighbourState::probing;
    const bool is_proof = claim.answers_us && was_asked;
    if (!is_proof && neighbour.has_mac() && !moves) return;
    if (moves) ++numbers_.moved;
    neighbour.mac = claim.mac;
    neighbour.since = now;
    neighbour.tries = 0;
    neighbour.used = false;
    if (is_proof) {
        become(neighbour, NeighbourState::reachable, now + reachable_time);
    } else {
        become(neighbour, NeighbourState::stale, now + stale_time);
    }
    held_.drain(neighbour.held, [&](const Frame& frame) { sink_.release(frame, claim.mac); });
}

void Neighbours::learn(const Claim& claim, Time now) {
    const bool on_link = identity_.on_link.contains(claim.address) && is_neighbour(claim.address, identity_.on_link);
    if (!on_link) return;
    auto* const neighbour = only_learned_ < capacity / 2 ? table_.add(claim.address, now) : nullptr;
    if (neighbour == nullptr) {
        ++numbers_.not_learned;
        return;
    }
    ++only_learned_;
    neighbour->mac = claim.mac;
    become(*neighbour, NeighbourState::stale, now + stale_time);
}

}  // namespace gateway::live
