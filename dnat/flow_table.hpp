#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "captures/packet/frame.hpp"
#include "dnat/expiry_queue.hpp"
#include "dnat/flow.hpp"
#include "dnat/huge_array.hpp"
#include "dnat/index_bucket.hpp"
#include "dnat/source_ports.hpp"

namespace dnat {

/// How a packet names its flow: the tuple as this side's wire has it, packed.
struct FlowKey {
    std::uint64_t addresses = 0;
    std::uint64_t rest = 0;  ///< ports, protocol, side; 0 is no key at all

    [[nodiscard]] static constexpr FlowKey of(const captures::base::Endpoint& source,
                                              const captures::base::Endpoint& destination,
                                              captures::base::Protocol protocol, captures::packet::Side side) noexcept {
        return {std::uint64_t{source.address.value} << 32 | destination.address.value,
                std::uint64_t{source.port} << 32 | std::uint64_t{destination.port} << 16 |
                    static_cast<std::uint64_t>(protocol) << 8 | (static_cast<std::uint64_t>(side) + 1)};
    }
    [[nodiscard]] static constexpr FlowKey of(const captures::base::FiveTuple& tuple,
                                              captures::packet::Side side) noexcept {
        return of(tuple.source, tuple.destination, tuple.protocol, side);
    }
    [[nodiscard]] constexpr captures::packet::Side side() const noexcept {
        return static_cast<captures::packet::Side>((rest & 0xff) - 1);
    }
    [[nodiscard]] constexpr bool is_tcp() const noexcept {
        return (rest >> 8 & 0xff) == static_cast<std::uint64_t>(captures::base::Protocol::tcp);
    }
    bool operator==(const FlowKey&) const = default;
};

/// All tracked flows, found from either side.
///
/// Theory of operation. Flows lie in one array and never move; an index of eight-byte slots (32 bits of hash, 32
/// bits of place) holds each flow twice, once for the client's tuple and once for the VM's. Probing begins at the cache
/// line of the hash, whose eight slots are compared at once: which of them it is costs no mispredicted branch. Slots are
/// probed linearly at a load of at most 3/4 and deleted by shifting back, so there are no tombstones to age and a line that
/// is not full ends the search. A burst is looked up in three steps, each for all its packets before the next: `prefetch`
/// hashes and starts loading the slot, `candidate` reads the slot and starts loading the flow, `confirm` compares; so the
/// cache misses of a burst overlap each other and the work between (measured: docs/performance.md). The number of flows is
/// bounded from the start; a full table refuses new ones and evicts nothing (RFC 6888 REQ-11). The index begins small and
/// doubles, since a small one stays in the cache; who cannot afford the pause (20 ms a million flows) sizes it ahead, as the
/// live gateway does: 32 MiB for a million flows, taken from the system when first touched.
class FlowTable {
public:
    enum class Index : std::uint8_t { grows, sized_ahead };
    /// `seed` keys the hash, so that nobody outside can choose colliding tuples; replay leaves it 0. Neither it nor `index`
    /// changes a result, only where things lie.
    explicit FlowTable(std::uint32_t capacity, std::uint64_t seed = 0, Index index = Index::grows);

    [[nodiscard]] FlowIndex find(const FlowKey& key) const noexcept { return probe(key, hash_of(key)); }

    [[nodiscard]] std::uint32_t hash_of(const FlowKey& key) const noexcept {
        __extension__ using Wide = unsigned __int128;
        // One wide multiplication folded onto itself, as in wyhash; the constants are odd and random.
        const auto product = Wide{key.addresses ^ seed_ ^ 0x9e3779b97f4a7c15} * (key.rest ^ 0xd6e8feb86659fd93);
        const auto mixed = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
        return static_cast<std::uint32_t>(mixed ^ mixed >> 32);
    }
    /// Starts loading what `candidate` will ask for.
    void prefetch(std::uint32_t hash) const noexcept { __builtin_prefetch(&slots_[home_of(hash)]); }
    /// The first flow of that hash, or no_flow: then `key` has none.
    [[nodiscard]] FlowIndex candidate(const FlowKey& key, std::uint32_t hash) const noexcept {
        auto at = home_of(hash);
        auto matches = matches_in(&slots_[at], hash);
        while (matches == 0 && slots_[at + slots_of_bucket - 1].place != 0) [[unlikely]] {
                at = (at + slots_of_bucket) & mask_;
                matches = matches_in(&slots_[at], hash);
            }
        if (matches == 0) return no_flow;
        const auto found = slots_[at + static_cast<std::uint32_t>(std::countr_zero(matches))].place - 1;
        static_assert(no_flow == FlowIndex{0} - 1);
        if (found == no_flow) return no_flow;  // an empty slot, whose hash is 0
        __builtin_prefetch(&flows_[found], 1);
        if (key.is_tcp()) __builtin_prefetch(&flows_[found].tcp, 1);
        return found;
    }
    /// The flow of `key`, or no_flow. Precondition: no flow was erased since `candidate`.
    [[nodiscard]] FlowIndex confirm(FlowIndex candidate, const FlowKey& key, std::uint32_t hash) const noexcept {
        if (candidate != no_flow && is(candidate, key)) [[likely]]
            return candidate;
        return probe(key, hash);
    }

    [[nodiscard]] Flow& operator[](FlowIndex index) noexcept { return flows_[index]; }
    [[nodiscard]] const Flow& operator[](FlowIndex index) const noexcept { return flows_[index]; }

    /// Starts loading what `insert` will ask for.
    void prefetch_insert(const Arrived& arrived, captures::base::Endpoint target,
                         captures::base::Ipv4Address instance) const noexcept {
        const auto& [source, called, protocol] = arrived.tuple;
        prefetch(hash_of(FlowKey::of(target, {instance, source.port}, protocol, captures::packet::Side::inside)));
    }
    /// The port from which `instance` would send a flow to `target`: the client's, or the next that is free; nothing where
    /// all of its range are in use. Throws std::bad_alloc; then nothing has changed.
    [[nodiscard]] std::optional<std::uint16_t> choose_port(const Arrived& arrived, captures::base::Endpoint target,
                                                           captures::base::Ipv4Address instance);
    /// Commits a flow from `arrived` to `target`, sent from `instance`.
    /// Precondition: the table is not full, no flow has this arrived tuple, and `choose_port` has just said `instance.port`.
    /// The flow's deadline is noted by `touch`, which must follow. Throws std::bad_alloc where the index cannot grow; then
    /// nothing has changed.
    [[nodiscard]] FlowIndex insert(const Arrived& arrived, captures::base::Endpoint target,
                                   captures::base::Endpoint instance);

    void erase(FlowIndex index) noexcept;

    /// Notes that a flow's deadline changed class; only earlier ones matter now, later ones when they come up.
    void touch(FlowIndex index, const Timeouts& timeouts) noexcept {
        queue_.put_earlier(index, flows_[index].deadline(timeouts));
    }

    /// The next flow whose true deadline is at or before `now`; the caller erases it before asking again.
    [[nodiscard]] std::optional<FlowIndex> expired(captures::base::Time now, const Timeouts& timeouts) noexcept;
    /// No flow ends before this (it may be early).
    [[nodiscard]] captures::base::Time next_deadline() const noexcept {
        return queue_.empty() ? captures::base::Time::max() : queue_.top().deadline;
    }

    /// Calls `look(index)` for every flow among `count` places from `first` on, in their order; true if there are places beyond.
    /// `look` may erase the flow that it is given.
    template <class Look>
    [[nodiscard]] bool visit(FlowIndex first, std::uint32_t count, Look look) const {
        const auto last = first + std::min(count, unused_ - std::min(first, unused_));
        for (auto index = first; index < last; ++index) {
            if (flows_[index].next_free == in_use) look(index);
        }
        return last < unused_;
    }

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool is_full() const noexcept { return size_ == capacity_; }
    /// Changes whenever a flow is erased: indices found before may be stale.
    [[nodiscard]] std::uint64_t erasures() const noexcept { return erasures_; }
    /// Memory of a full table, flows, index and queue together; source ports come on top.
    [[nodiscard]] std::size_t bytes() const noexcept { return slots_.bytes() + flows_.bytes() + queue_.bytes(); }

private:
    static constexpr std::uint32_t in_use = 0xfffffffe;
    /// Where the probing for a hash begins.
    [[nodiscard]] std::uint32_t home_of(std::uint32_t hash) const noexcept {
        return hash & mask_ & ~(slots_of_bucket - 1);
    }

    [[nodiscard]] bool is(FlowIndex index, const FlowKey& key) const noexcept {
        const auto& flow = flows_[index];
        const bool outside = key.side() == captures::packet::Side::outside;
        const auto& source = outside ? flow.client : flow.target;
        const auto& destination = outside ? flow.called : flow.instance;
        return key == FlowKey::of(source, destination, flow.protocol, key.side());
    }
    [[nodiscard]] FlowIndex probe(const FlowKey& key, std::uint32_t hash) const noexcept;
    void enter(std::uint32_t hash, FlowIndex index) noexcept;
    void grow();
    void leave(std::uint32_t hash, FlowIndex index) noexcept;

    std::uint32_t capacity_;
    std::uint64_t seed_;
    std::uint32_t mask_;
    HugeArray<IndexSlot> slots_;
    HugeArray<Flow> flows_;
    ExpiryQueue queue_;
    SourcePorts ports_;
    FlowIndex free_ = no_flow;  ///< most recently freed first
    FlowIndex unused_ = 0;      ///< from here on never used
    std::uint32_t size_ = 0;
    std::uint64_t erasures_ = 0;
};

}  // namespace dnat
