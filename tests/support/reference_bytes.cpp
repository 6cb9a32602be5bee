#include "tests/support/reference_bytes.hpp"

#include <algorithm>
#include <array>

#include "captures/base/bytes.hpp"

namespace support {

using captures::base::Endpoint;
using captures::base::load_be16;
using captures::base::load_be32;
using captures::base::load_u8;
using captures::base::store_be16;
using captures::base::store_be32;

namespace {

constexpr unsigned icmp_protocol = 1;
constexpr unsigned tcp_protocol = 6;
constexpr unsigned udp_protocol = 17;

std::uint16_t transport_sum(const std::byte* ip, std::size_t size) {
    std::array<std::byte, 12> pseudo{};
    std::copy_n(ip + 12, 8, pseudo.begin());
    pseudo[9] = ip[9];
    store_be16(&pseudo[10], static_cast<std::uint16_t>(size));
    return sum_words(ip + header_of(ip), size, sum_words(pseudo.data(), pseudo.size()));
}

/// One's complement: old words out, new words in.
std::uint16_t adjusted(std::uint16_t checksum, const std::byte* before, const std::byte* after, std::size_t size) {
    auto sum = static_cast<std::uint32_t>(static_cast<std::uint16_t>(~checksum));
    for (std::size_t i = 0; i < size; i += 2) {
        sum += 0xffffU - load_be16(before + i) + load_be16(after + i);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace

std::size_t header_of(const std::byte* ip) { return std::size_t{4} * (load_u8(ip) & 15U); }

Endpoint endpoint_at(const std::byte* ip, bool source, bool ported) {
    const auto* const transport = ip + header_of(ip);
    return {{load_be32(ip + (source ? 12 : 16))}, ported ? load_be16(transport + (source ? 0 : 2)) : std::uint16_t{0}};
}

std::uint16_t sum_words(const std::byte* at, std::size_t size, std::uint32_t sum) {
    for (std::size_t i = 0; i < size; i += 2) {
        sum += load_u8(at + i) * 256U + (i + 1 < size ? load_u8(at + i + 1) : 0U);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(sum);
}

void rewrite_datagram(std::byte* ip, std::size_t size, Endpoint source, Endpoint destination) {
    auto* const transport = ip + header_of(ip);
    const auto protocol = load_u8(ip + 9);
    const bool has_header = (load_be16(ip + 6) & 0x1fff) == 0 && protocol != icmp_protocol;
    const bool whole = has_header && (load_be16(ip + 6) & 0x2000) == 0 && load_be16(ip + 2) == header_of(ip) + size;
    const std::size_t field = protocol == tcp_protocol ? 16 : 6;
    std::array<std::byte, 12> before{};
    std::copy_n(ip + 12, 8, before.begin());
    if (has_header) std::copy_n(transport, 4, before.begin() + 8);
    store_be32(ip + 12, source.address.value);
    store_be32(ip + 16, destination.address.value);
    store_be16(ip + 10, 0);
    store_be16(ip + 10, static_cast<std::uint16_t>(~sum_words(ip, header_of(ip))));
    if (!has_header) return;
    store_be16(transport, source.port);
    store_be16(transport + 2, destination.port);
    std::array<std::byte, 12> after{};
    std::copy_n(ip + 12, 8, after.begin());
    std::copy_n(transport, 4, after.begin() + 8);
    if (size < field + 2) return;
    auto checksum = load_be16(transport + field);
    if (protocol == udp_protocol && checksum == 0) return;
    if (whole) {
        store_be16(transport + field, 0);
        checksum = static_cast<std::uint16_t>(~transport_sum(ip, size));
    } else {
        checksum = adjusted(checksum, before.data(), after.data(), after.size());
    }
    if (protocol == udp_protocol && checksum == 0) checksum = 0xffff;
    store_be16(transport + field, checksum);
}

void translate_packet(std::byte* ip, Endpoint source, Endpoint destination, bool up) {
    const auto ttl = load_u8(ip + 8);
    captures::base::store_u8(ip + 8, static_cast<std::uint8_t>(up ? std::min(ttl + 1, 255) : ttl - 1));
    const std::size_t size = load_be16(ip + 2) - header_of(ip);
    rewrite_datagram(ip, size, source, destination);
    if (load_u8(ip + 9) != icmp_protocol) return;
    auto* const message = ip + header_of(ip);
    auto* const quoted = message + 8;
    rewrite_datagram(quoted, size - 8 - header_of(quoted), destination, source);
    store_be16(message + 2, 0);
    store_be16(message + 2, static_cast<std::uint16_t>(~sum_words(message, size)));
}

}  // namespace support
