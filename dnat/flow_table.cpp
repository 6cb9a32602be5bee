#include "dnat/flow_table.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

#include "captures/base/checksum.hpp"

namespace dnat {

namespace {

constexpr std::uint32_t first_index = 4096;  ///< flows that the index has room for at first

/// A power of two with room for two entries a flow at a load of at most 3/4.
constexpr std::uint32_t slots_for(std::uint32_t flows) noexcept {
    return static_cast<std::uint32_t>(std::bit_ceil(std::max<std::uint64_t>(std::uint64_t{flows} * 8 / 3 + 1, 64)));
}

inline FlowKey client_key(const Flow& flow) noexcept {
    return FlowKey::of(flow.arrived().tuple, captures::packet::Side::outside);
}

inline FlowKey server_key(const Flow& flow) noexcept {
    return FlowKey::of(flow.delivered().tuple.reversed(), captures::packet::Side::inside);
}

}  // namespace

FlowTable::FlowTable(std::uint32_t capacity, std::uint64_t seed, Index index)
    : capacity_{capacity},
      seed_{seed},
      mask_{slots_for(index == Index::grows ? std::min(capacity, first_index) : capacity) - 1},
      slots_(std::size_t{mask_} + 1),
      flows_(capacity),
      queue_(capacity) {}

std::optional<std::uint16_t> FlowTable::choose_port(const Arrived& arrived, captures::base::Endpoint target,
                                                    captures::base::Ipv4Address instance) {
    const auto& [source, called, protocol] = arrived.tuple;
    const auto taken = [&, protocol = protocol](std::uint16_t one) {
        return find(FlowKey::of(target, {instance, one}, protocol, captures::packet::Side::inside)) != no_flow;
    };
    return ports_.choose(target, protocol, source.port, taken);
}

FlowIndex FlowTable::insert(const Arrived& arrived, captures::base::Endpoint target,
                            captures::base::Endpoint instance) {
    assert(!is_full());
    assert(find(FlowKey::of(arrived.tuple, captures::packet::Side::outside)) == no_flow);
    assert(find(FlowKey::of(target, instance, arrived.tuple.protocol, captures::packet::Side::inside)) == no_flow);
    if (slots_for(size_ + 1) > slots_.size()) grow();  // may throw, so before anything is taken
    const auto& tuple = arrived.tuple;
    const auto index = free_ != no_flow ? free_ : unused_++;
    auto& flow = flows_[index];
    if (free_ != no_flow) free_ = flow.next_free;
    flow = Flow{};
    flow.next_free = in_use;
    flow.client = tuple.source;
    flow.called = tuple.destination;
    flow.target = target;
    flow.instance = instance;
    flow.protocol = tuple.protocol;
    captures::base::ChecksumDelta delta;
    delta.replace32(flow.client.address.value, instance.address.value);
    delta.replace32(flow.called.address.value, target.address.value);
    flow.address_delta = delta.folded();
    delta.replace16(flow.client.port, instance.port).replace16(flow.called.port, target.port);
    flow.transport_delta = delta.folded();
    enter(hash_of(client_key(flow)), index);
    enter(hash_of(server_key(flow)), index);
    ++size_;
    return index;
}

void FlowTable::erase(FlowIndex index) noexcept {
    auto& flow = flows_[index];
    assert(flow.next_free == in_use);
    leave(hash_of(client_key(flow)), index);
    leave(hash_of(server_key(flow)), index);
    ports_.release(flow.target, flow.protocol, flow.instance.port);
    queue_.remove(index);
    flow.next_free = free_;
    free_ = index;
    --size_;
    ++erasures_;
}

std::optional<FlowIndex> FlowTable::expired(captures::base::Time now, const Timeouts& timeouts) noexcept {
    while (!queue_.empty() && queue_.top().deadline <= now) {
        const auto entry = queue_.top();
        const auto deadline = flows_[entry.flow].deadline(timeouts);
        if (deadline <= entry.deadline) return entry.flow;
        queue_.put(entry.flow, deadline);
    }
    return {};
}

FlowIndex FlowTable::probe(const FlowKey& key, std::uint32_t hash) const noexcept {
    for (auto at = home_of(hash); slots_[at].place != 0; at = (at + 1) & mask_) {
        if (slots_[at].hash == hash && is(slots_[at].place - 1, key)) return slots_[at].place - 1;
    }
    return no_flow;
}

void FlowTable::enter(std::uint32_t hash, FlowIndex index) noexcept {
    auto at = home_of(hash);
    while (slots_[at].place != 0) at = (at + 1) & mask_;
    slots_[at] = {hash, index + 1};
}

/// Twice the slots. Hashes are in the slots, so no flow is touched.
void FlowTable::grow() {
    HugeArray<IndexSlot> old{slots_.size() * 2};
    std::swap(old, slots_);
    mask_ = static_cast<std::uint32_t>(slots_.size() - 1);
    for (std::size_t at = 0; at < old.size(); ++at) {
        if (old[at].place != 0) enter(old[at].hash, old[at].place - 1);
    }
}

void FlowTable::leave(std::uint32_t hash, FlowIndex index) noexcept {
    auto hole = home_of(hash);
    while (slots_[hole].place != index + 1 || slots_[hole].hash != hash) hole = (hole + 1) & mask_;
    // Shift back whatever would not be found any more past the hole (Knuth, TAOCP 3, 6.4 algorithm R).
    for (auto at = (hole + 1) & mask_; slots_[at].place != 0; at = (at + 1) & mask_) {
        const auto home = home_of(slots_[at].hash);
        if (((at - home) & mask_) >= ((at - hole) & mask_)) {
            slots_[hole] = slots_[at];
            hole = at;
        }
    }
    slots_[hole] = {};
}

}  // namespace dnat
