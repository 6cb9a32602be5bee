#include "policy/access_windows.hpp"

#include <algorithm>
#include <cassert>

namespace policy {

using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::base::Prefix;
using captures::base::Protocol;
using captures::base::Time;

template <class Visit>
void AccessWindows::for_each_door(Endpoint target, std::optional<Protocol> only, Visit visit) {
    for (const auto protocol : {Protocol::tcp, Protocol::udp}) {
        if (only.value_or(protocol) == protocol) visit(door_key_of(target, protocol));
    }
}

void AccessWindows::guard(Endpoint target, std::optional<Protocol> protocol) {
    for_each_door(target, protocol, [this](std::uint64_t key) { static_cast<void>(doors_[key]); });
}

bool AccessWindows::guarded(Endpoint target, Protocol protocol) const noexcept {
    return doors_.find(door_key_of(target, protocol)) != nullptr;
}

void AccessWindows::open(const Window& window) {
    assert(window.id != 0 && !window.sources.empty());
    for_each_door(window.target, window.protocol, [&](std::uint64_t key) {
        for (const auto& source : window.sources) open(key, source, Opening{window.id, window.start, window.end});
    });
}

void AccessWindows::open(std::uint64_t door_key, const Prefix& source, const Opening& opening) {
    const auto key = PrefixKey::of(door_key, source);
    auto& door = doors_[door_key];
    auto& counts = counts_[door_key];
    auto& prefix = prefixes_[key];
    if (prefix.longest.id == 0) {
        prefix.longest = opening;
    } else {
        auto& others = others_[key];
        const auto& next = opening.outlasts(prefix.longest) ? prefix.longest : opening;
        const auto place = std::ranges::upper_bound(
            others, next, [](const Opening& one, const Opening& other) { return one.outlasts(other); });
        others.insert(place, next);
        prefix.others = true;
        if (opening.outlasts(prefix.longest)) prefix.longest = opening;
    }
    ++counts[source.length];
    door.lengths |= std::uint64_t{1} << source.length;
}

void AccessWindows::close(const Window& window) noexcept {
    for_each_door(window.target, window.protocol, [&](std::uint64_t key) {
        for (const auto& source : window.sources) close(key, source, window.id);
    });
}

void AccessWindows::close(std::uint64_t door_key, const Prefix& source, WindowId id) noexcept {
    if (!remove(PrefixKey::of(door_key, source), id)) return;
    auto& left = counts_.find(door_key)->second[source.length];
    if (--left == 0) doors_.find(door_key)->lengths &= ~(std::uint64_t{1} << source.length);
}

/// False where that window is not open for that prefix.
bool AccessWindows::remove(const PrefixKey& key, WindowId id) noexcept {
    auto* const prefix = prefixes_.find(key);
    if (prefix == nullptr) return false;
    if (!prefix->others) {
        if (prefix->longest.id != id) return false;
        prefixes_.erase(prefix);
        return true;
    }
    const auto found = others_.find(key);
    auto& others = found->second;
    if (prefix->longest.id == id) {
        prefix->longest = others.front();
        others.erase(others.begin());
    } else {
        const auto from_back = std::find_if(others.rbegin(), others.rend(),
                                            [id](const Opening& one) { return one.id == id; });
        if (from_back == others.rend()) return false;
        others.erase(std::prev(from_back.base()));
    }
    if (others.empty()) {
        others_.erase(found);
        prefix->others = false;
    }
    return true;
}

void AccessWindows::clear() { *this = {}; }

std::optional<WindowId> AccessWindows::find(Endpoint target, Protocol protocol, Ipv4Address source,
                                            Time now) const noexcept {
    const auto door_key = door_key_of(target, protocol);
    const auto* const door = doors_.find(door_key);
    if (door == nullptr) return {};
    const Opening* best = nullptr;
    for_each_prefix_of(source, door->lengths, [&](const Prefix& prefix) {
        const auto* const one = open_at(now, PrefixKey::of(door_key, prefix));
        if (one != nullptr && (best == nullptr || one->outlasts(*best))) best = one;
    });
    if (best == nullptr) return {};
    return best->id;
}

/// Of the windows of one prefix that are open then, the one that lasts longest; or null.
const AccessWindows::Opening* AccessWindows::open_at(Time now, const PrefixKey& key) const noexcept {
    const auto* const prefix = prefixes_.find(key);
    if (prefix == nullptr || prefix->longest.end <= now) return nullptr;
    if (prefix->longest.start <= now) return &prefix->longest;
    if (!prefix->others) return nullptr;
    for (const auto& other : others_.find(key)->second) {
        if (other.end <= now) break;  // and so are all after it
        if (other.start <= now) return &other;
    }
    return nullptr;
}

}  // namespace policy
