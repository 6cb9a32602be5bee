#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "captures/base/address.hpp"
#include "captures/packet/link_layer.hpp"
#include "captures/port/port.hpp"

namespace gateway::live {

using captures::packet::ethernet_size;
using captures::port::MacAddress;

inline constexpr MacAddress broadcast_mac{std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                                          std::byte{0xff}, std::byte{0xff}, std::byte{0xff}};

/// Whether a single interface can have an address: neither group nor zero.
[[nodiscard]] constexpr bool is_station(const MacAddress& mac) noexcept {
    return (mac[0] & std::byte{1}) == std::byte{0} && mac != MacAddress{};
}

/// ARP for IPv4 on Ethernet (RFC 826), decoded.
struct ArpPacket {
    enum class Operation : std::uint16_t { request = 1, reply = 2 };
    Operation operation = Operation::request;
    MacAddress sender_mac{};
    captures::base::Ipv4Address sender;  ///< 0.0.0.0 in a probe (RFC 5227 §1.1)
    MacAddress target_mac{};
    captures::base::Ipv4Address target;
};

/// An untagged Ethernet frame of EtherType ARP, whatever it holds.
[[nodiscard]] bool is_arp(std::span<const std::byte> frame) noexcept;

/// Empty: cut, for other hardware or another protocol, another operation, or from a MAC address that no station has.
[[nodiscard]] std::optional<ArpPacket> parse_arp(std::span<const std::byte> frame) noexcept;

/// Padded to Ethernet's shortest frame.
using ArpFrame = std::array<std::byte, 60>;
[[nodiscard]] ArpFrame build_arp(const ArpPacket& packet, const MacAddress& to) noexcept;

}  // namespace gateway::live
