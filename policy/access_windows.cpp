#include "policy/access_windows.hpp"

#include <algorithm>
#include <bit>

namespace policy {

using captures::Endpoint;
using captures::Ipv4Address;
using captures::Prefix;
using captures::Protocol;
using captures::Time;

namespace {

constexpr std::array both_protocols{Protocol::tcp, Protocol::udp};

constexpr std::uint64_t door_key_of(Endpoint target, Protocol protocol) noexcept {
    return std::uint64_t{target.address.value} << 24 | std::uint64_t{target.port} << 8 |
           static_cast<std::uint64_t>(protocol);
}

constexpr std::uint64_t key_of(const Prefix& prefix) noexcept {
    return std::uint64_t{prefix.address.value} << 8 | prefix.length;
}

template <class Visit>
void for_each_door(Endpoint target, std::optional<Protocol> only, Visit visit) {
    for (const auto protocol : both_protocols) {
        if (only.value_or(protocol) == protocol) visit(door_key_of(target, protocol));
    }
}

}  // namespace

void AccessWindows::guard(Endpoint target, std::optional<Protocol> protocol) {
    for_each_door(target, protocol, [this](std::uint64_t key) { doors_.try_emplace(key); });
}

bool AccessWindows::guarded(Endpoint target, Protocol protocol) const noexcept {
    return doors_.contains(door_key_of(target, protocol));
}

void AccessWindows::open(const Window& window) {
    for_each_door(window.target, window.protocol, [&](std::uint64_t key) {
        for (const auto& source : window.sources) open(key, source, Opening{window.id, window.start, window.end});
    });
}

void AccessWindows::open(std::uint64_t door_key, const Prefix& source, const Opening& opening) {
    auto& openings = openings_[Key{door_key, key_of(source)}];
    const auto place = std::ranges::upper_bound(
        openings, opening, [](const Opening& one, const Opening& other) { return one.outlasts(other); });
    openings.insert(place, opening);
    auto& door = doors_[door_key];
    ++door.counts[source.length];
    door.lengths |= std::uint64_t{1} << source.length;
}

void AccessWindows::close(const Window& window) noexcept {
    for_each_door(window.target, window.protocol, [&](std::uint64_t key) {
        for (const auto& source : window.sources) close(key, source, window.id);
    });
}

void AccessWindows::close(std::uint64_t door_key, const Prefix& source, WindowId id) noexcept {
    const auto found = openings_.find(Key{door_key, key_of(source)});
    if (found == openings_.end()) return;
    auto& openings = found->second;
    const auto from_back = std::find_if(openings.rbegin(), openings.rend(),
                                        [id](const Opening& one) { return one.id == id; });
    if (from_back == openings.rend()) return;
    openings.erase(std::prev(from_back.base()));
    if (openings.empty()) openings_.erase(found);
    auto& door = doors_.find(door_key)->second;
    if (--door.counts[source.length] == 0) door.lengths &= ~(std::uint64_t{1} << source.length);
}

void AccessWindows::clear() noexcept {
    doors_.clear();
    openings_.clear();
}

std::optional<WindowId> AccessWindows::find(Endpoint target, Protocol protocol, Ipv4Address source,
                                            Time now) const noexcept {
    const auto door_key = door_key_of(target, protocol);
    const auto door = doors_.find(door_key);
    if (door == doors_.end()) return {};
    const Opening* best = nullptr;
    for (auto lengths = door->second.lengths; lengths != 0; lengths &= lengths - 1) {
        const auto length = static_cast<std::uint8_t>(std::countr_zero(lengths));
        const Prefix prefix{{source.value & Prefix::mask(length)}, length};
        const auto found = openings_.find(Key{door_key, key_of(prefix)});
        if (found == openings_.end()) continue;
        for (const auto& opening : found->second) {
            if (opening.end <= now) break;  // and so are all after it
            if (opening.start > now) continue;
            if (best == nullptr || opening.outlasts(*best)) best = &opening;
            break;
        }
    }
    if (best == nullptr) return {};
    return best->id;
}

/// The finalizer of SplitMix64, which turns every bit of the input into about half of the output's.
std::size_t AccessWindows::KeyHash::operator()(const Key& key) const noexcept {
    auto mixed = key.target * 0x9e3779b97f4a7c15 + key.prefix;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

}  // namespace policy
