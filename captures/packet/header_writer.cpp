#include "captures/packet/header_writer.hpp"

#include <cassert>

#include "captures/base/bytes.hpp"
#include "captures/base/checksum.hpp"
#include "captures/packet/icmp.hpp"
#include "captures/packet/ipv4.hpp"
#include "captures/packet/tcp.hpp"
#include "captures/packet/udp.hpp"

namespace captures::packet {

using base::store_be16;
using base::store_be32;
using base::store_u8;

void write_ipv4(std::span<std::byte> header, const Ipv4Fields& fields) noexcept {
    assert(header.size() >= Ipv4View::shortest && header.size() <= 60 && header.size() % 4 == 0);
    auto* const at = header.data();
    store_u8(at, static_cast<std::uint8_t>(0x40 | header.size() / 4));
    store_u8(at + 1, fields.type_of_service);
    store_be16(at + 2, fields.total_length);
    store_be16(at + 4, fields.identification);
    store_be16(at + 6, fields.fragment);
    store_u8(at + 8, fields.ttl);
    store_u8(at + 9, fields.protocol);
    store_be32(at + 12, fields.source.value);
    store_be32(at + 16, fields.destination.value);
    write_ipv4_checksum(header);
}

void write_ipv4_checksum(std::span<std::byte> header) noexcept {
    const Ipv4View view{header.data()};
    view.set_checksum(0);
    view.set_checksum(base::checksum_of(header));
}

void write_tcp(std::span<std::byte> header, const TcpFields& fields) noexcept {
    assert(header.size() >= TcpView::shortest && header.size() <= 60 && header.size() % 4 == 0);
    auto* const at = header.data();
    store_be16(at, fields.source_port);
    store_be16(at + 2, fields.destination_port);
    store_be32(at + 4, fields.sequence);
    store_be32(at + 8, fields.acknowledgment);
    store_u8(at + 12, static_cast<std::uint8_t>(header.size() / 4 << 4));
    store_u8(at + 13, fields.flags);
    store_be16(at + 14, fields.window);
    store_be32(at + TcpView::checksum_offset, 0);  // and the urgent pointer
}

void write_udp(std::byte* header, std::uint16_t source_port, std::uint16_t destination_port,
               std::uint16_t length) noexcept {
    store_be16(header, source_port);
    store_be16(header + 2, destination_port);
    store_be16(header + 4, length);
    store_be16(header + UdpView::checksum_offset, 0);
}

void write_icmp(std::byte* header, std::uint8_t type, std::uint8_t code, std::uint32_t rest) noexcept {
    store_u8(header, type);
    store_u8(header + 1, code);
    IcmpView{header}.set_checksum(0);
    store_be32(header + 4, rest);
}

std::uint16_t transport_checksum(base::Ipv4Address source, base::Ipv4Address destination, base::Protocol protocol,
                                 std::span<const std::byte> segment) noexcept {
    const auto pseudo = base::pseudo_header_sum(source, destination, static_cast<std::uint8_t>(protocol),
                                                static_cast<std::uint16_t>(segment.size()));
    const auto checksum = static_cast<std::uint16_t>(~base::fold(pseudo + base::sum_of(segment)));
    return checksum == 0 && protocol == base::Protocol::udp ? std::uint16_t{0xffff} : checksum;
}

}  // namespace captures::packet
