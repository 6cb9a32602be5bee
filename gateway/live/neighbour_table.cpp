#include "gateway/live/neighbour_table.hpp"

#include <cassert>

namespace gateway::live {

NeighbourTable::NeighbourTable(std::uint32_t capacity) : entries_(capacity), deadlines_{capacity} {
    by_address_.reserve(capacity);
    free_.reserve(capacity);
    for (auto index = capacity; index-- > 0;) free_.push_back(index);
}

Neighbour* NeighbourTable::find(captures::base::Ipv4Address address) noexcept {
    auto& recent = entries_[recent_];
    if (recent.address == address && address != unused) return &recent;
    const auto known = by_address_.find(address.value);
    if (known == by_address_.end()) return nullptr;
    recent_ = known->second;
    return &entries_[recent_];
}

Neighbour* NeighbourTable::add(captures::base::Ipv4Address address, captures::base::Time now) {
    assert(address != unused && find(address) == nullptr);
    if (free_.empty()) return nullptr;
    const auto index = free_.back();
    free_.pop_back();
    by_address_.emplace(address.value, index);
    entries_[index] = {};
    entries_[index].address = address;
    entries_[index].since = now;
    return &entries_[index];
}

void NeighbourTable::remove(Neighbour& neighbour) {
    assert(neighbour.held.count == 0);
    const auto index = index_of(neighbour);
    deadlines_.remove(index);
    by_address_.erase(neighbour.address.value);
    neighbour.address = unused;
    free_.push_back(index);
}

Neighbour* NeighbourTable::due(captures::base::Time now) noexcept {
    return next_deadline() <= now ? &entries_[deadlines_.top().flow] : nullptr;
}

captures::base::Time NeighbourTable::next_deadline() const noexcept {
    return deadlines_.empty() ? captures::base::Time::max() : deadlines_.top().deadline;
}

}  // namespace gateway::live
