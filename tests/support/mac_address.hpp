#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>

#include "captures/port/port.hpp"

namespace support {

/// `aa:bb:cc:dd:ee:ff`.
[[nodiscard]] inline std::optional<captures::port::MacAddress> parse_mac(const std::string& text) {
    captures::port::MacAddress mac{};
    std::array<unsigned, 6> parts{};
    // NOLINTNEXTLINE(cert-err34-c): %2x cannot overflow
    const int got = std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &parts[0], &parts[1], &parts[2], &parts[3],
                                &parts[4], &parts[5]);
    if (got != 6) return {};
    std::ranges::transform(parts, mac.begin(), [](unsigned part) { return std::byte(part); });
    return mac;
}

}  // namespace support
