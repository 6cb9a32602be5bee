#pragma once

#include <cstdint>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "captures/base/address.hpp"
#include "captures/base/time.hpp"
#include "dnat/expiry_queue.hpp"
#include "gateway/live/arp.hpp"
#include "gateway/live/held_frames.hpp"

namespace gateway::live {

enum class NeighbourState : std::uint8_t {
    incomplete,   ///< asked for by broadcast, no answer yet
    reachable,    ///< has answered to us a short while ago
    stale,        ///< its MAC address is known, but not that it still answers there
    probing,      ///< as stale, and asked for by unicast, as it is in use
    unreachable,  ///< has not answered; not asked for again for a while
};

struct Neighbour {
    captures::base::Ipv4Address address;
    MacAddress mac{};
    NeighbourState state = NeighbourState::incomplete;
    std::uint8_t tries = 0;        ///< requests sent since somebody answered
    bool used = false;             ///< since it became reachable
    bool only_learned = true;      ///< it asked for us; nothing was ever sent to it
    captures::base::Time since{};  ///< when the MAC address was set or proven; before that, when the entry was made
    HeldFrames::Queue held;

    [[nodiscard]] bool has_mac() const noexcept {
        return state != NeighbourState::incomplete && state != NeighbourState::unreachable;
    }
};

/// Neighbours by address and by deadline; a fixed number of them. Pointers are valid until the neighbour is removed.
class NeighbourTable {
public:
    explicit NeighbourTable(std::uint32_t capacity);

    [[nodiscard]] Neighbour* find(captures::base::Ipv4Address address) noexcept;
    /// Null: full. Precondition: not there yet, and not 0.0.0.0.
    [[nodiscard]] Neighbour* add(captures::base::Ipv4Address address, captures::base::Time now);
    /// Precondition: nothing is held for it.
    void remove(Neighbour& neighbour);

    void set_deadline(const Neighbour& neighbour, captures::base::Time deadline) noexcept {
        deadlines_.put(index_of(neighbour), deadline);
    }
    /// The neighbour whose deadline is first, if it is at or before `now`; it must then get another one, or be removed.
    [[nodiscard]] Neighbour* due(captures::base::Time now) noexcept;
    [[nodiscard]] captures::base::Time next_deadline() const noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return by_address_.size(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return entries_.size(); }

    /// In no order. `use` may remove the one that it is given.
    template <class Use>
    void for_each(Use use) {
        for (auto& entry : entries_) {
            if (entry.address != unused) use(entry);
        }
    }
    template <class Use>
    void for_each(Use use) const {
        for (const auto& entry : entries_) {
            if (entry.address != unused) use(entry);
        }
    }

private:
    static constexpr captures::base::Ipv4Address unused{};  ///< no neighbour is 0.0.0.0

    [[nodiscard]] std::uint32_t index_of(const Neighbour& neighbour) const noexcept {
        return static_cast<std::uint32_t>(&neighbour - entries_.data());
    }

    std::vector<Neighbour> entries_;
    std::vector<std::uint32_t> free_;
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> by_address_;
    dnat::ExpiryQueue deadlines_;  ///< its flows are indexes into entries_
    std::uint32_t recent_ = 0;     ///< found last: nearly all that leaves on a side goes to one router
};

}  // namespace gateway::live
