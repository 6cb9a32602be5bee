#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "captures/five_tuple.hpp"

namespace dnat {

/// Which source ports the firewall instance uses towards each target.
///
/// Azure Firewall keeps the client's source port (facts: "will be maintained through the connection"); what it does when
/// two clients use the same one towards the same VM is not documented. Here the second gets the next free port,
/// counting up and around within its range: 1-1023 or 1024-65535 (RFC 4787 REQ-3a). No port is shared towards one
/// target, so every reply finds one flow. Ports are bits in chunks of 1024, taken as needed, so that finding the
/// next free one costs at most a scan of 1024 words, full or not.
class SourcePorts {
public:
    /// Takes `wanted` or the next free port; nothing when the whole range is in use towards this target.
    [[nodiscard]] std::optional<std::uint16_t> take(captures::Endpoint target, captures::Protocol protocol,
                                                    std::uint16_t wanted);
    void release(captures::Endpoint target, captures::Protocol protocol, std::uint16_t port) noexcept;

    /// Ports in use towards one target.
    [[nodiscard]] std::uint32_t used(captures::Endpoint target, captures::Protocol protocol) const noexcept;

private:
    static constexpr std::uint32_t chunk_ports = 1024;
    using Chunk = std::array<std::uint64_t, chunk_ports / 64>;
    struct Ports {
        std::array<std::uint32_t, 65536 / chunk_ports> chunks{};  ///< index into chunks_ plus one
        std::uint32_t used = 0;
    };

    [[nodiscard]] std::optional<std::uint16_t> first_free(const Ports& ports, std::uint32_t from,
                                                          std::uint32_t to) const noexcept;
    void mark(Ports& ports, std::uint16_t port);

    boost::unordered_flat_map<std::uint64_t, Ports> targets_;
    std::vector<Chunk> chunks_;
    std::vector<std::uint32_t> free_chunks_;
};

}  // namespace dnat
