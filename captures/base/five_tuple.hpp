#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "captures/base/address.hpp"

namespace captures::base {

/// The IP protocols that a NAT rule can name (IANA numbers).
enum class Protocol : std::uint8_t { tcp = 6, udp = 17 };

[[nodiscard]] constexpr std::string_view to_string(Protocol protocol) noexcept {
    return protocol == Protocol::tcp ? "TCP" : "UDP";
}

/// Who talks to whom, as the wire says it.
struct FiveTuple {
    Endpoint source;
    Endpoint destination;
    Protocol protocol = Protocol::tcp;

    auto operator<=>(const FiveTuple&) const = default;

    /// The tuple of an answer.
    [[nodiscard]] constexpr FiveTuple reversed() const noexcept { return {destination, source, protocol}; }
};

}  // namespace captures::base
