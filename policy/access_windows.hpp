#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "captures/base/five_tuple.hpp"
#include "captures/base/time.hpp"
#include "dnat/flat_table.hpp"
#include "policy/prefix_key.hpp"

namespace policy {

/// Identifies an open or past window; numbered from 1 in the order of approval, never reused.
using WindowId = std::uint64_t;

/// A permission for some sources to reach one port of one VM from `start` until just before `end`.
struct Window {
    WindowId id = 0;
    captures::base::Endpoint target;                   ///< the VM's private address and port
    std::optional<captures::base::Protocol> protocol;  ///< empty: TCP and UDP
    std::vector<captures::base::Prefix> sources;
    captures::base::Time start;
    captures::base::Time end;
    /// The firewall's port by which its sources come, where that is one for just-in-time access and no NAT rule's.
    std::optional<captures::base::Endpoint> mapped_port = {};
};

/// Which ports are guarded, and who may reach them until when.
///
/// Theory of operation. A hash table from (target, protocol, prefix) to the window of exactly that prefix that lasts
/// longest, and one of doors: for each guarded (target, protocol) which prefix lengths have windows. A look-up tries
/// the lengths in use, at most 33 of them and mostly one or two: its cost does not grow with the number of windows,
/// and opening or closing one is as cheap. Each record is a cache line or begins one, and its place follows from the key
/// alone: a burst of first packets announces its doors, then, with these at hand, their prefixes, and so waits for memory twice
/// in all rather than twice a packet. Windows of the same prefix that end sooner stand behind, in order of their end; only
/// who looks before the longest has begun sees them. An interval map would be faster to search with many lengths, but
/// dear to change. A port that is not guarded is open to all, as in Azure.
class AccessWindows {
public:
    /// Puts a port under just-in-time access: closed from now on, but for windows. Idempotent.
    void guard(captures::base::Endpoint target, std::optional<captures::base::Protocol> protocol);

    [[nodiscard]] bool guarded(captures::base::Endpoint target, captures::base::Protocol protocol) const noexcept;

    /// Opens a window; its target is guarded from now on. Precondition: the id is not open there yet, at least one
    /// source.
    void open(const Window& window);

    /// Ends a window at once: target, protocol and sources as when it was opened. Unknown ids are ignored.
    void close(const Window& window) noexcept;

    /// Forgets all windows and guards.
    void clear();

    /// Starts loading what `prefetch` of a source and `guarded` will ask for.
    void prefetch(captures::base::Endpoint target, captures::base::Protocol protocol) const noexcept {
        doors_.prefetch(door_key_of(target, protocol));
    }
    /// Starts loading what `find` will ask for.
    void prefetch(captures::base::Endpoint target, captures::base::Protocol protocol,
                  captures::base::Ipv4Address source) const noexcept {
        const auto door_key = door_key_of(target, protocol);
        const auto* const door = doors_.find(door_key);
        if (door == nullptr) return;
        for_each_prefix_of(source, door->lengths, [&](const captures::base::Prefix& prefix) {
            prefixes_.prefetch(PrefixKey::of(door_key, prefix));
        });
    }

    /// The window that lets `source` in at `now`: the one that lasts longest where several do, the newest of those.
    /// Does not allocate.
    [[nodiscard]] std::optional<WindowId> find(captures::base::Endpoint target, captures::base::Protocol protocol,
                                               captures::base::Ipv4Address source,
                                               captures::base::Time now) const noexcept;

private:
    struct Door {
        std::uint64_t key = 0;
        std::uint64_t lengths = 0;  ///< bit n: some window with a prefix of length n
    };
    struct Opening {
        WindowId id = 0;
        captures::base::Time start;
        captures::base::Time end;

        [[nodiscard]] bool outlasts(const Opening& other) const noexcept {
            return end != other.end ? end > other.end : id > other.id;
        }
    };
    using Counts = std::array<std::uint32_t, 33>;  ///< windows by prefix length
    struct alignas(64) Opened {
        PrefixKey key;
        Opening longest;      ///< outlasts all others of this prefix
        bool others = false;  ///< there are some, in `others_`
    };
    using Openings = std::vector<Opening>;

    [[nodiscard]] static constexpr std::uint64_t door_key_of(captures::base::Endpoint target,
                                                             captures::base::Protocol protocol) noexcept {
        return std::uint64_t{target.address.value} << 24 | std::uint64_t{target.port} << 8 |
               static_cast<std::uint64_t>(protocol);
    }
    template <class Visit>
    static void for_each_door(captures::base::Endpoint target, std::optional<captures::base::Protocol> only,
                              Visit visit);

    void open(std::uint64_t door_key, const captures::base::Prefix& source, const Opening& opening);
    void close(std::uint64_t door_key, const captures::base::Prefix& source, WindowId id) noexcept;
    [[nodiscard]] bool remove(const PrefixKey& key, WindowId id) noexcept;
    [[nodiscard]] const Opening* open_at(captures::base::Time now, const PrefixKey& key) const noexcept;

    dnat::FlatTable<Door> doors_;
    boost::unordered_flat_map<std::uint64_t, Counts> counts_;  ///< by door, of those that ever had a window
    dnat::FlatTable<Opened> prefixes_;
    boost::unordered_flat_map<PrefixKey, Openings, PrefixKeyHash> others_;  ///< in the order of `outlasts`, never empty
};

}  // namespace policy
