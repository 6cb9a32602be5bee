#include "dnat/fragments.hpp"

#include <algorithm>
#include <cassert>

namespace dnat {

using captures::packet::Frame;
using captures::packet::Packet;
using captures::packet::Side;

namespace {

constexpr std::size_t common_size = 2048;
constexpr std::size_t most_spare = 512;

}  // namespace

FragmentTable::FragmentTable(std::uint32_t most_datagrams, std::uint32_t most_held, std::size_t most_bytes)
    : datagrams_(most_datagrams), most_held_{most_held}, most_bytes_{most_bytes} {
    by_key_.reserve(most_datagrams);
    free_.reserve(most_datagrams);
    for (std::uint32_t index = most_datagrams; index-- > 0;) free_.push_back(index);
}

FragmentTable::Later FragmentTable::later(const Packet& packet, const Frame& frame, captures::base::Time deadline) {
    assert(packet.kind == captures::packet::Kind::fragment);
    auto* const datagram = find_or_begin(packet, frame.side, deadline, most_unadmitted());
    if (datagram == nullptr) return {Outcome::no_room, {}};
    if (!datagram->ruled && !has_room(frame)) {
        if (datagram->piece_count == 0) forget(*datagram);
        return {Outcome::no_room, {}};
    }
    if (const auto refusal = add_piece(*datagram, packet)) return {*refusal, {}};
    if (!datagram->ruled) {
        hold(*datagram, frame);
        return {Outcome::held, {}};
    }
    const Later later{Outcome::ruled, datagram->ruling};
    if (complete(*datagram)) forget(*datagram);
    return later;
}

std::optional<FragmentTable::Outcome> FragmentTable::first(const Packet& packet, const Frame& frame,
                                                           captures::base::Time deadline) {
    released_count_ = 0;
    auto* const datagram = find_or_begin(packet, frame.side, deadline, datagrams_.size());
    if (datagram == nullptr) return Outcome::no_room;
    const auto refusal = add_piece(*datagram, packet);
    if (datagram->ruled) return refusal.value_or(Outcome::overlapping);  // two first fragments: one of them lies
    release_waiting(*datagram);
    if (!refusal) to_rule_ = datagram;
    return refusal;
}

void FragmentTable::rule(const FragmentRuling& ruling) {
    assert(to_rule_ != nullptr);
    auto& datagram = *std::exchange(to_rule_, nullptr);
    datagram.ruled = true;
    datagram.ruling = ruling;
    if (ruling.forward) --unadmitted_;
    if (complete(datagram) || (!ruling.forward && unadmitted_ > most_unadmitted())) forget(datagram);
}

bool FragmentTable::expire(captures::base::Time now) {
    released_count_ = 0;
    if (oldest_ == none || datagrams_[oldest_].deadline > now) return false;
    auto& datagram = datagrams_[oldest_];
    release_waiting(datagram);
    forget(datagram);
    return true;
}

captures::base::Time FragmentTable::next_deadline() const noexcept {
    return oldest_ == none ? captures::base::Time::max() : datagrams_[oldest_].deadline;
}

FragmentTable::Key FragmentTable::key_of(const Packet& packet, Side side) noexcept {
    const auto& tuple = packet.tuple;
    return {std::uint64_t{tuple.source.address.value} << 32 | tuple.destination.address.value,
            std::uint32_t{packet.ipv4().identification()} << 16 | static_cast<std::uint32_t>(tuple.protocol) << 1 |
                (side == Side::inside ? 1U : 0U)};
}

std::size_t FragmentTable::KeyHash::operator()(const Key& key) const noexcept {
    auto mixed = (key.addresses ^ key.rest) * 0x9e3779b97f4a7c15;
    mixed ^= mixed >> 29;
    return static_cast<std::size_t>((mixed ^ key.rest) * 0xbf58476d1ce4e5b9);
}

FragmentTable::Datagram* FragmentTable::find_or_begin(const Packet& packet, Side side, captures::base::Time deadline,
                                                      std::size_t most_unadmitted) {
    const auto key = key_of(packet, side);
    if (const auto known = by_key_.find(key); known != by_key_.end()) return &datagrams_[known->second];
    if (free_.empty() || unadmitted_ >= most_unadmitted) return nullptr;
    const auto index = free_.back();
    free_.pop_back();
    by_key_.emplace(key, index);
    auto& datagram = datagrams_[index];
    auto waiting = std::move(datagram.waiting);  // keeps its capacity
    datagram = {};
    datagram.waiting = std::move(waiting);
    datagram.key = key;
    datagram.deadline = deadline;
    datagram.older = newest_;
    if (newest_ != none) datagrams_[newest_].newer = index;
    newest_ = index;
    if (oldest_ == none) oldest_ = index;
    ++unadmitted_;
    return &datagram;
}

/// Notes what bytes the fragment brings, keeping pieces sorted and merged; or says why it may not.
std::optional<FragmentTable::Outcome> FragmentTable::add_piece(Datagram& datagram, const Packet& packet) noexcept {
    if (datagram.poisoned) return Outcome::overlapping;
    const auto begin = std::uint32_t{packet.fragment_offset};
    const auto end = begin + packet.length - packet.header_length;
    const bool is_last = !packet.more_fragments;
    auto* const first = datagram.pieces.data();
    auto* const last = first + datagram.piece_count;
    auto* const next = std::find_if(first, last, [&](const Piece& piece) { return piece.end >= begin; });
    if (next != last && next->begin <= begin && end <= next->end) return Outcome::repeated;
    const bool overlaps = std::any_of(first, last,
                                      [&](const Piece& piece) { return begin < piece.end && piece.begin < end; });
    const bool beyond = datagram.size != 0 && (end > datagram.size || is_last);
    const bool before = is_last && datagram.piece_count != 0 && (last - 1)->end > end;
    if (overlaps || beyond || before) {
        datagram.poisoned = true;
        return Outcome::overlapping;
    }
    const bool joins_left = next != last && next->end == begin;
    auto* const right = joins_left ? next + 1 : next;
    const bool joins_right = right != last && right->begin == end;
    if (joins_left && joins_right) {
        next->end = right->end;
        std::copy(right + 1, last, right);
        --datagram.piece_count;
    } else if (joins_left) {
        next->end = end;
    } else if (joins_right) {
        right->begin = begin;
    } else {
        if (datagram.piece_count == most_pieces) return Outcome::scattered;
        std::copy_backward(right, last, last + 1);
        *right = {begin, end};
        ++datagram.piece_count;
    }
    if (is_last) datagram.size = end;
    return {};
}

bool FragmentTable::complete(const Datagram& datagram) noexcept {
    return datagram.ruled && datagram.size != 0 && datagram.piece_count == 1 && datagram.pieces[0].begin == 0 &&
           datagram.pieces[0].end == datagram.size;
}

void FragmentTable::hold(Datagram& datagram, const Frame& frame) {
    HeldFragment held;
    if (!spare_.empty()) {
        held = std::move(spare_.back());
        spare_.pop_back();
    }
    held.bytes.assign(frame.data, frame.data + frame.captured);
    held.frame = frame;
    held.frame.data = held.bytes.data();
    held.frame.room = captures::packet::Room::none;
    datagram.waiting.push_back(std::move(held));
    ++held_;
    held_bytes_ += frame.captured;
}

void FragmentTable::release_waiting(Datagram& datagram) {
    for (auto& old : released_) {
        if (old.bytes.capacity() <= common_size && spare_.size() < most_spare) spare_.push_back(std::move(old));
    }
    released_.clear();
    for (auto& held : datagram.waiting) {
        held_bytes_ -= held.bytes.size();
        released_.push_back(std::move(held));
    }
    held_ -= datagram.waiting.size();
    datagram.waiting.clear();
    released_count_ = released_.size();
}

void FragmentTable::forget(Datagram& datagram) {
    const auto index = static_cast<std::uint32_t>(&datagram - datagrams_.data());
    (datagram.older == none ? oldest_ : datagrams_[datagram.older].newer) = datagram.newer;
    (datagram.newer == none ? newest_ : datagrams_[datagram.newer].older) = datagram.older;
    if (!(datagram.ruled && datagram.ruling.forward)) --unadmitted_;
    by_key_.erase(datagram.key);
    free_.push_back(index);
}

}  // namespace dnat
