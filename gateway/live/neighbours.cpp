#include "gateway/live/neighbours.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "gateway/live/next_hop.hpp"

namespace gateway::live {

using captures::base::Ipv4Address;
using captures::base::Time;
using captures::packet::Frame;

Neighbours::Neighbours(Identity identity, NeighbourSink& sink) : sink_{sink} { set_identity(std::move(identity)); }

void Neighbours::announce(Time now) {
    for (const auto& own : own_) send_announcement(own.address);
    announce_again_ = now + announce_interval;
}

Neighbours::Answer Neighbours::look_up(Ipv4Address address, Time now) {
    auto* neighbour = table_.find(address);
    if (neighbour == nullptr) {
        if (!is_host(address) || own(address) != nullptr) return {Resolution::unreachable};
        neighbour = table_.add(address, now);
        if (neighbour == nullptr) {
            ++numbers_.no_room;
            return {Resolution::no_room};
        }
        neighbour->only_learned = false;
        ask(*neighbour, now);
        return {Resolution::pending};
    }
    neighbour->used = true;
    if (neighbour->only_learned) {
        neighbour->only_learned = false;
        --only_learned_;
    }
    switch (neighbour->state) {
        case NeighbourState::incomplete: return {Resolution::pending};
        case NeighbourState::unreachable: return {Resolution::unreachable};
        case NeighbourState::stale: {
            neighbour->state = NeighbourState::probing;
            ask(*neighbour, now);
            break;
        }
        case NeighbourState::probing:
        case NeighbourState::reachable: break;
    }
    return {Resolution::known, neighbour->mac};
}

bool Neighbours::hold(Ipv4Address address, const Frame& frame) {
    auto* const neighbour = table_.find(address);
    assert(neighbour != nullptr && neighbour->state == NeighbourState::incomplete);
    const auto outcome = held_.hold(neighbour->held, frame);
    if (outcome != HeldFrames::Outcome::held) ++numbers_.held_lost;
    if (outcome == HeldFrames::Outcome::no_room) return false;
    ++numbers_.held;
    return true;
}

void Neighbours::advance(Time now) {
    if (announce_again_ <= now) {
        for (const auto& own : own_) send_announcement(own.address);
        announce_again_ = Time::max();
    }
    while (auto* const neighbour = table_.due(now)) attend(*neighbour, now);
}

Time Neighbours::next_deadline() const noexcept { return std::min(announce_again_, table_.next_deadline()); }

void Neighbours::restart(Identity identity, Time now) {
    table_.for_each([this](Neighbour& neighbour) {
        abandon_held(neighbour);
        forget(neighbour);
    });
    set_identity(std::move(identity));
    announce(now);
}

std::vector<Neighbours::Entry> Neighbours::list(Time now) const {
    std::vector<Entry> entries;
    entries.reserve(table_.size());
    table_.for_each([&](const Neighbour& neighbour) {
        entries.push_back({neighbour.address, neighbour.has_mac() ? std::optional{neighbour.mac} : std::nullopt,
                           neighbour.state, now - neighbour.since});
    });
    std::ranges::sort(entries, {}, &Entry::address);
    return entries;
}

void Neighbours::answer_for(std::vector<Ipv4Address> others, Time now) {
    const auto before = std::exchange(own_, {});
    identity_.others = std::move(others);
    set_identity(std::move(identity_));
    for (auto& each : own_) {
        const auto known = std::ranges::lower_bound(before, each.address, {}, &OwnAddress::address);
        if (known != before.end() && known->address == each.address) {
            each = *known;
            continue;
        }
        if (auto* const neighbour = table_.find(each.address)) {
            abandon_held(*neighbour);
            forget(*neighbour);
        }
        send_announcement(each.address);
        announce_again_ = now + announce_interval;
    }
}

void Neighbours::set_identity(Identity identity) {
    identity_ = std::move(identity);
    own_.clear();
    own_.push_back({identity_.address});
    for (const auto address : identity_.others) own_.push_back({address});
    std::ranges::sort(own_, {}, &OwnAddress::address);
    const auto same = [](const OwnAddress& a, const OwnAddress& b) { return a.address == b.address; };
    own_.erase(std::unique(own_.begin(), own_.end(), same), own_.end());
}

Neighbours::OwnAddress* Neighbours::own(Ipv4Address address) noexcept {
    const auto found = std::ranges::lower_bound(own_, address, {}, &OwnAddress::address);
    return found != own_.end() && found->address == address ? &*found : nullptr;
}

/// By unicast where the MAC address is known (RFC 1122 §2.3.2.1 (2)), else by broadcast.
void Neighbours::ask(Neighbour& neighbour, Time now) {
    ++neighbour.tries;
    ++numbers_.asked;
    table_.set_deadline(neighbour, now + retry_interval);
    send({.operation = ArpPacket::Operation::request,
          .sender_mac = identity_.mac,
          .sender = identity_.address,
          .target_mac = {},
          .target = neighbour.address},
         neighbour.has_mac() ? neighbour.mac : broadcast_mac);
}

/// Its deadline has come.
void Neighbours::attend(Neighbour& neighbour, Time now) {
    switch (neighbour.state) {
        case NeighbourState::incomplete:
        case NeighbourState::probing:
            if (neighbour.tries < most_tries) return ask(neighbour, now);
            return give_up(neighbour, now);
        case NeighbourState::reachable:
            if (!neighbour.used) return become(neighbour, NeighbourState::stale, now + stale_time);
            neighbour.state = NeighbourState::probing;
            return ask(neighbour, now);
        case NeighbourState::stale:
        case NeighbourState::unreachable: return forget(neighbour);
    }
}

void Neighbours::give_up(Neighbour& neighbour, Time now) {
    ++numbers_.unanswered;
    abandon_held(neighbour);
    if (neighbour.state == NeighbourState::probing)
        return forget(neighbour);  // and the next packet asks the whole link
    become(neighbour, NeighbourState::unreachable, now + unreachable_time);
}

void Neighbours::become(Neighbour& neighbour, NeighbourState state, Time deadline) noexcept {
    neighbour.state = state;
    table_.set_deadline(neighbour, deadline);
}

void Neighbours::forget(Neighbour& neighbour) {
    if (neighbour.only_learned) --only_learned_;
    table_.remove(neighbour);
}

void Neighbours::abandon_held(Neighbour& neighbour) {
    held_.drain(neighbour.held, [this](const Frame& frame) {
        ++numbers_.held_lost;
        sink_.abandon(frame);
    });
}

void Neighbours::send_announcement(Ipv4Address address) {
    ++numbers_.announced;
    send({.operation = ArpPacket::Operation::request,
          .sender_mac = identity_.mac,
          .sender = address,
          .target_mac = {},
          .target = address},
         broadcast_mac);
}

void Neighbours::send(const ArpPacket& packet, const MacAddress& to) { sink_.send_arp(build_arp(packet, to)); }

}  // namespace gateway::live
