#include "dnat/source_ports.hpp"

#include <algorithm>
#include <bit>

namespace dnat {

namespace {

constexpr std::uint32_t first_unprivileged = 1024;
constexpr std::uint32_t last_port = 65535;

constexpr std::uint64_t key_of(captures::Endpoint target, captures::Protocol protocol) noexcept {
    return std::uint64_t{target.address.value} << 24 | std::uint64_t{target.port} << 8 |
           static_cast<std::uint64_t>(protocol);
}

}  // namespace

std::optional<std::uint16_t> SourcePorts::take(captures::Endpoint target, captures::Protocol protocol,
                                               std::uint16_t wanted) {
    auto& ports = targets_[key_of(target, protocol)];
    const std::uint32_t low = wanted < first_unprivileged ? 1 : first_unprivileged;
    const std::uint32_t high = wanted < first_unprivileged ? first_unprivileged - 1 : last_port;
    const auto start = std::max<std::uint32_t>(wanted, low);  // port 0 is nobody's
    auto found = first_free(ports, start, high);
    if (!found && start > low) found = first_free(ports, low, start - 1);
    if (found) mark(ports, *found);
    return found;
}

void SourcePorts::release(captures::Endpoint target, captures::Protocol protocol, std::uint16_t port) noexcept {
    const auto entry = targets_.find(key_of(target, protocol));
    if (entry == targets_.end()) return;
    auto& ports = entry->second;
    auto& place = ports.chunks[port / chunk_ports];
    if (place == 0) return;
    auto& chunk = chunks_[place - 1];
    auto& word = chunk[port % chunk_ports / 64];
    const auto bit = std::uint64_t{1} << port % 64;
    if ((word & bit) == 0) return;
    word &= ~bit;
    if (std::ranges::all_of(chunk, [](std::uint64_t each) { return each == 0; })) {
        free_chunks_.push_back(place - 1);
        place = 0;
    }
    if (--ports.used == 0) targets_.erase(entry);
}

std::uint32_t SourcePorts::used(captures::Endpoint target, captures::Protocol protocol) const noexcept {
    const auto entry = targets_.find(key_of(target, protocol));
    return entry == targets_.end() ? 0 : entry->second.used;
}

std::optional<std::uint16_t> SourcePorts::first_free(const Ports& ports, std::uint32_t from,
                                                     std::uint32_t to) const noexcept {
    for (auto port = from; port <= to;) {
        const auto place = ports.chunks[port / chunk_ports];
        if (place == 0) return static_cast<std::uint16_t>(port);
        const auto taken = chunks_[place - 1][port % chunk_ports / 64] >> port % 64;
        const auto run = static_cast<std::uint32_t>(std::countr_one(taken));
        const auto word_left = 64 - port % 64;
        if (run < word_left) {
            const auto found = port + run;
            return found <= to ? std::optional{static_cast<std::uint16_t>(found)} : std::nullopt;
        }
        port += word_left;
    }
    return {};
}

void SourcePorts::mark(Ports& ports, std::uint16_t port) {
    auto& place = ports.chunks[port / chunk_ports];
    if (place == 0) {
        if (free_chunks_.empty()) {
            chunks_.emplace_back();
            free_chunks_.reserve(chunks_.size());  // so that release never allocates
            place = static_cast<std::uint32_t>(chunks_.size());
        } else {
            place = free_chunks_.back() + 1;
            free_chunks_.pop_back();
        }
    }
    chunks_[place - 1][port % chunk_ports / 64] |= std::uint64_t{1} << port % 64;
    ++ports.used;
}

}  // namespace dnat
