#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

#include "captures/base/five_tuple.hpp"
#include "dnat/flat_table.hpp"

namespace dnat {

/// Which source ports the firewall instance uses towards each target.
///
/// Azure Firewall keeps the client's source port (facts: "will be maintained through the connection"); what it does when
/// two clients use the same one towards the same VM is not documented. Here the second gets the next free port,
/// counting up and around within its range: 1-1023 or 1024-65535 (RFC 4787 REQ-3a). No port is shared towards one
/// target, so every reply finds one flow.
///
/// Theory of operation. Which ports are in use, the flow table knows: its index has an entry for each. So a port that is
/// kept costs nothing here. Only a search for another one marks, bit by bit, what it found in use, and the next search skips
/// it: searching costs one look into the index a port that was taken since, and a scan of 1,008 words at most. What is chosen
/// is not marked, so that nobody has to be told where it is not taken after all. A table of all ports in use would cost each
/// first packet a cache miss, and a line of memory for nearly every flow.
class SourcePorts {
public:
    /// `wanted` or the next port that is free according to `in_use(port)`; nothing when the whole range is in use towards
    /// this target. Throws std::bad_alloc; then nothing has changed.
    template <class InUse>
    [[nodiscard]] std::optional<std::uint16_t> choose(captures::base::Endpoint target,
                                                      captures::base::Protocol protocol, std::uint16_t wanted,
                                                      InUse in_use) {
        const std::uint32_t low = wanted < first_unprivileged ? 1 : first_unprivileged;
        const std::uint32_t high = wanted < first_unprivileged ? first_unprivileged - 1 : last_port;
        const auto start = std::max(wanted, static_cast<std::uint16_t>(low));  // port 0 is nobody's
        if (!in_use(start)) [[likely]]
            return start;
        const auto found = search(target, protocol, start, high, in_use);
        return found || start == low ? found : search(target, protocol, low, start - 1U, in_use);
    }

    /// Must be told of every port that is no longer in use.
    void release(captures::base::Endpoint target, captures::base::Protocol protocol, std::uint16_t port) noexcept;

private:
    static constexpr std::uint32_t first_unprivileged = 1024;
    static constexpr std::uint32_t last_port = 65535;

    struct Chunk {
        std::uint64_t key = 0;
        std::array<std::uint64_t, 7> taken{};  ///< a bit that is set: surely in use
    };
    static_assert(sizeof(Chunk) == 64);
    static constexpr std::uint32_t chunk_ports = 7 * 64;

    [[nodiscard]] static constexpr std::uint64_t key_of(captures::base::Endpoint target,
                                                        captures::base::Protocol protocol,
                                                        std::uint32_t port) noexcept {
        return std::uint64_t{target.address.value} << 32 | std::uint64_t{target.port} << 16 | port / chunk_ports << 8 |
               static_cast<std::uint64_t>(protocol);
    }

    template <class InUse>
    [[nodiscard]] std::optional<std::uint16_t> search(captures::base::Endpoint target,
                                                      captures::base::Protocol protocol, std::uint32_t from,
                                                      std::uint32_t to, InUse& in_use) {
        for (auto port = from; port <= to;) {
            const auto key = key_of(target, protocol, port);
            const auto word = port % chunk_ports / 64;
            const auto* const chunk = chunks_.find(key);
            const auto left = 64 - port % 64;  // 64 divides chunk_ports
            const auto taken = chunk == nullptr ? 0 : chunk->taken[word] >> port % 64;
            const auto run = static_cast<std::uint32_t>(std::countr_one(taken));
            port += std::min(run, left);
            if (run >= left) continue;
            if (port > to) break;
            if (!in_use(static_cast<std::uint16_t>(port))) return static_cast<std::uint16_t>(port);
            chunks_[key].taken[word] |= std::uint64_t{1} << port % 64;
            ++port;
        }
        return {};
    }

    FlatTable<Chunk> chunks_;
};

}  // namespace dnat
