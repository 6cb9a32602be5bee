#pragma once

#include <cstdint>

#include "captures/base/address.hpp"
#include "tools/synth/random.hpp"

namespace tools {

inline constexpr std::uint32_t first_client = 0xc6120001;  // 198.18.0.1
inline constexpr std::uint64_t client_addresses = 131070;  // of 198.18.0.0/15

/// The endpoint of a flow's client: no two of the first 8 thousand million flows share one.
[[nodiscard]] constexpr captures::base::Endpoint client_of(std::uint64_t flow, std::uint64_t seed) noexcept {
    constexpr std::uint64_t first_port = 1024;
    constexpr std::uint64_t ports = 65536 - first_port;
    const auto host = flow % client_addresses;
    const auto port = (Random::mixed(seed + host) % ports + flow / client_addresses) % ports;
    return {{first_client + static_cast<std::uint32_t>(host)}, static_cast<std::uint16_t>(first_port + port)};
}

/// The same with source ports that do not meet either, so that the firewall keeps each; for up to 20,000 flows.
[[nodiscard]] constexpr captures::base::Endpoint client_with_own_port(std::uint64_t flow) noexcept {
    return {{first_client + static_cast<std::uint32_t>(flow % client_addresses)},
            static_cast<std::uint16_t>(40000 + flow % 20000)};
}

}  // namespace tools
