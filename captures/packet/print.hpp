#pragma once

#include <string>
#include <string_view>

#include "captures/packet/packet.hpp"

namespace captures::packet {

/// As every file, answer and line names it.
[[nodiscard]] constexpr std::string_view to_string(Side side) noexcept {
    return side == Side::outside ? "outside" : "inside";
}

/// A packet on a line as tcpdump's habit has it: `198.51.100.7:40000 > 203.0.113.10:50022 TCP S seq 1 win 64240 len 0`.
[[nodiscard]] std::string describe(const Packet& packet);

/// TCP flags in tcpdump's letters: `S.`, `P.`, `F.`, `R`, `.`.
[[nodiscard]] std::string flag_letters(std::uint8_t flags);

}  // namespace captures::packet
