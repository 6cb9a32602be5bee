#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "captures/five_tuple.hpp"
#include "captures/time.hpp"

namespace policy {

/// Identifies an open or past window; numbered from 1 in the order of approval, never reused.
using WindowId = std::uint32_t;

/// A permission for some sources to reach one port of one VM from `start` until just before `end`.
struct Window {
    WindowId id = 0;
    captures::Endpoint target;                   ///< the VM's private address and port
    std::optional<captures::Protocol> protocol;  ///< empty: TCP and UDP
    std::vector<captures::Prefix> sources;
    captures::Time start;
    captures::Time end;
};

/// Which ports are guarded, and who may reach them until when.
///
/// Theory of operation. A hash map from (target, protocol, prefix) to the windows of exactly that prefix, and for each
/// guarded (target, protocol) a count of open windows by prefix length. A look-up tries the lengths in use, at
/// most 33 of them and mostly one or two: its cost does not grow with the number of windows, and opening or closing
/// one is as cheap. Windows of the same prefix stand in order of their end, the last to end first: a look-up reads
/// the front and expiry takes from the back; only opening one moves those that end sooner. An interval map would be
/// faster to search with many lengths, but dear to change. A port that is not guarded is open to all, as in Azure.
class AccessWindows {
public:
    /// Puts a port under just-in-time access: closed from now on, but for windows. Idempotent.
    void guard(captures::Endpoint target, std::optional<captures::Protocol> protocol);

    [[nodiscard]] bool guarded(captures::Endpoint target, captures::Protocol protocol) const noexcept;

    /// Opens a window; its target is guarded from now on. Precondition: the id is not open there yet, at least one
    /// source.
    void open(const Window& window);

    /// Ends a window at once: target, protocol and sources as when it was opened. Unknown ids are ignored.
    void close(const Window& window) noexcept;

    /// Forgets all windows and guards.
    void clear() noexcept;

    /// The window that lets `source` in at `now`: the one that lasts longest where several do, the newest of those.
    /// Does not allocate.
    [[nodiscard]] std::optional<WindowId> find(captures::Endpoint target, captures::Protocol protocol,
                                               captures::Ipv4Address source, captures::Time now) const noexcept;

private:
    struct Door {
        std::uint64_t lengths = 0;               ///< bit n: some window with a prefix of length n
        std::array<std::uint32_t, 33> counts{};  ///< windows by prefix length
    };
    struct Key {
        std::uint64_t target = 0;  ///< address, port, protocol
        std::uint64_t prefix = 0;  ///< address, length
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        using is_avalanching = void;
        [[nodiscard]] std::size_t operator()(const Key& key) const noexcept;
    };
    struct Opening {
        WindowId id = 0;
        captures::Time start;
        captures::Time end;

        [[nodiscard]] bool outlasts(const Opening& other) const noexcept {
            return end != other.end ? end > other.end : id > other.id;
        }
    };

    void open(std::uint64_t door_key, const captures::Prefix& source, const Opening& opening);
    void close(std::uint64_t door_key, const captures::Prefix& source, WindowId id) noexcept;

    boost::unordered_flat_map<std::uint64_t, Door> doors_;
    using Openings = boost::container::small_vector<Opening, 1>;  // of one prefix there is mostly one window

    boost::unordered_flat_map<Key, Openings, KeyHash> openings_;  ///< in the order of `outlasts`
};

}  // namespace policy
