#include "gateway/live/arp.hpp"

#include <algorithm>

#include "captures/base/bytes.hpp"

namespace gateway::live {

using captures::base::load_be16;
using captures::base::load_be32;
using captures::base::store_be16;
using captures::base::store_be32;

namespace {

constexpr std::uint16_t ethertype_arp = 0x0806;
constexpr std::size_t arp_size = 28;
constexpr std::uint32_t ethernet_and_ipv4 = 0x0001'0800;
constexpr std::uint16_t address_sizes = 0x0604;

constexpr std::size_t operation_offset = ethernet_size + 6;
constexpr std::size_t sender_offset = ethernet_size + 8;
constexpr std::size_t target_offset = ethernet_size + 18;

void read_pair(const std::byte* from, MacAddress& mac, captures::base::Ipv4Address& address) noexcept {
    std::copy_n(from, mac.size(), mac.begin());
    address.value = load_be32(from + mac.size());
}

void write_pair(std::byte* to, const MacAddress& mac, captures::base::Ipv4Address address) noexcept {
    std::ranges::copy(mac, to);
    store_be32(to + mac.size(), address.value);
}

}  // namespace

bool is_arp(std::span<const std::byte> frame) noexcept {
    return frame.size() >= ethernet_size && load_be16(frame.data() + 12) == ethertype_arp;
}

std::optional<ArpPacket> parse_arp(std::span<const std::byte> frame) noexcept {
    if (!is_arp(frame) || frame.size() < ethernet_size + arp_size) return {};
    const auto* const at = frame.data();
    if (load_be32(at + ethernet_size) != ethernet_and_ipv4) return {};
    if (load_be16(at + ethernet_size + 4) != address_sizes) return {};
    ArpPacket packet;
    packet.operation = static_cast<ArpPacket::Operation>(load_be16(at + operation_offset));
    if (packet.operation != ArpPacket::Operation::request && packet.operation != ArpPacket::Operation::reply) return {};
    read_pair(at + sender_offset, packet.sender_mac, packet.sender);
    read_pair(at + target_offset, packet.target_mac, packet.target);
    if (!is_station(packet.sender_mac)) return {};
    return packet;
}

ArpFrame build_arp(const ArpPacket& packet, const MacAddress& to) noexcept {
    ArpFrame frame{};
    auto* const at = frame.data();
    std::ranges::copy(to, at);
    std::ranges::copy(packet.sender_mac, at + to.size());
    store_be16(at + 12, ethertype_arp);
    store_be32(at + ethernet_size, ethernet_and_ipv4);
    store_be16(at + ethernet_size + 4, address_sizes);
    store_be16(at + operation_offset, static_cast<std::uint16_t>(packet.operation));
    write_pair(at + sender_offset, packet.sender_mac, packet.sender);
    write_pair(at + target_offset, packet.target_mac, packet.target);
    return frame;
}

}  // namespace gateway::live
