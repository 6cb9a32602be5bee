#include "dnat/rewrite.hpp"

#include <cassert>

#include "captures/base/checksum.hpp"

namespace dnat {

namespace {

using captures::base::ChecksumDelta;
using captures::base::Endpoint;
using captures::base::Protocol;
using captures::base::updated;
using captures::base::updated_udp;
using captures::packet::Ipv4View;
using captures::packet::Kind;
using captures::packet::Packet;
using captures::packet::TcpView;
using captures::packet::UdpView;

/// What a step of the TTL changes, ~(ttl << 8) + (ttl +- 1 << 8): the same for every TTL.
constexpr ChecksumDelta ttl_down{0xfeff};
constexpr ChecksumDelta ttl_up{0x0100};
constexpr ChecksumDelta ttl_stays{0xffff};

/// Writes the header's addresses and TTL; `addresses` is what the addresses change.
inline void rewrite_header(const Packet& packet, const Translation& translation, ChecksumDelta addresses,
                           TtlStep step) noexcept {
    const auto ipv4 = packet.ipv4();
    const bool down = step == TtlStep::down;
    const bool stays = !down && packet.ttl == 255;
    if (!packet.checksum_offloaded) [[likely]] {
        addresses += down ? ttl_down : stays ? ttl_stays : ttl_up;
        ipv4.set_checksum(updated(ipv4.checksum(), addresses));
    }
    ipv4.set_ttl(static_cast<std::uint8_t>(packet.ttl + (down ? -1 : stays ? 0 : 1)));
    ipv4.set_source(translation.source.address);
    ipv4.set_destination(translation.destination.address);
}

void rewrite_ports(std::byte* transport, const Endpoint& source, const Endpoint& destination) noexcept {
    captures::base::store_be16(transport, source.port);
    captures::base::store_be16(transport + 2, destination.port);
}

ChecksumDelta addresses_of(Ipv4View ipv4, Endpoint source, Endpoint destination) noexcept {
    ChecksumDelta delta;
    delta.replace32(ipv4.source().value, source.address.value);
    delta.replace32(ipv4.destination().value, destination.address.value);
    return delta;
}

/// The quoted packet, and the ICMP checksum that covers it. Its IPv4 header's own sum stays what it was (the
/// checksum field moves against the addresses), so only ports and the transport checksum count for the outer one.
void rewrite_quoted(const Packet& packet, const Endpoint& source, const Endpoint& destination) noexcept {
    const auto icmp = packet.icmp();
    const Ipv4View quoted{icmp.quoted()};
    auto* const transport = quoted.at + quoted.header_length();
    const auto available = packet.captured - packet.header_length - captures::packet::IcmpView::header_size -
                           quoted.header_length();

    const auto addresses = addresses_of(quoted, source, destination);
    ChecksumDelta ports;
    ports.replace16(captures::base::load_be16(transport), source.port);
    ports.replace16(captures::base::load_be16(transport + 2), destination.port);
    auto both = addresses;
    both.replace16(captures::base::load_be16(transport), source.port);
    both.replace16(captures::base::load_be16(transport + 2), destination.port);

    auto outer = ports;
    if (quoted.protocol() == static_cast<std::uint8_t>(Protocol::udp)) {
        const UdpView udp{transport};
        const auto checksum = updated_udp(udp.checksum(), both);
        outer.replace16(udp.checksum(), checksum);
        udp.set_checksum(checksum);
    } else if (available >= TcpView::checksum_offset + 2) {
        const TcpView tcp{transport};
        const auto checksum = updated(tcp.checksum(), both);
        outer.replace16(tcp.checksum(), checksum);
        tcp.set_checksum(checksum);
    }
    quoted.set_checksum(updated(quoted.checksum(), addresses));
    quoted.set_source(source.address);
    quoted.set_destination(destination.address);
    rewrite_ports(transport, source, destination);
    icmp.set_checksum(updated(icmp.checksum(), outer));
}

/// The outer addresses need not be the flow's: a router on the way may be the sender.
void rewrite_error(const Packet& packet, const Translation& translation, TtlStep step) noexcept {
    rewrite_quoted(packet, translation.destination, translation.source);
    const auto addresses = addresses_of(packet.ipv4(), translation.source, translation.destination);
    rewrite_header(packet, translation, addresses, step);
}

}  // namespace

void rewrite(const Packet& packet, const Translation& translation, TtlStep step) noexcept {
    assert(packet.is_segment() || packet.kind == Kind::fragment || packet.kind == Kind::icmp_error);
    assert(step == TtlStep::up || packet.ttl > 1);
    if (packet.kind == Kind::icmp_error) return rewrite_error(packet, translation, step);
    if (packet.is_segment()) {  // a fragment has no ports
        const ChecksumDelta delta{translation.transport_delta};
        auto* const transport = packet.transport();
        if (packet.kind == captures::packet::Kind::tcp) {
            const TcpView tcp{transport};
            tcp.set_checksum(updated(tcp.checksum(), delta));
        } else {
            const UdpView udp{transport};
            udp.set_checksum(updated_udp(udp.checksum(), delta));
        }
        rewrite_ports(transport, translation.source, translation.destination);
    }
    rewrite_header(packet, translation, ChecksumDelta{translation.address_delta}, step);
}

}  // namespace dnat
