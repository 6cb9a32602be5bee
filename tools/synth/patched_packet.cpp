#include "tools/synth/patched_packet.hpp"

namespace tools {

using captures::base::ChecksumDelta;
using captures::base::load_be16;
using captures::base::load_be32;
using captures::base::store_be16;
using captures::base::store_be32;
using captures::packet::Kind;

PatchedPacket::PatchedPacket(const PacketBuilder& packet)
    : owned_{packet.build()}, frame_{owned_.frame()}, packet_{captures::packet::decode(frame_)} {}

void PatchedPacket::set_endpoint(std::size_t address_offset, std::size_t port_offset,
                                 captures::base::Endpoint endpoint) noexcept {
    auto* const address = packet_.ip + address_offset;
    auto* const port = packet_.transport() + port_offset;
    ChecksumDelta delta;
    delta.replace32(load_be32(address), endpoint.address.value);
    store_be32(address, endpoint.address.value);
    const auto ipv4 = packet_.ipv4();
    ipv4.set_checksum(captures::base::updated(ipv4.checksum(), delta));
    delta.replace16(load_be16(port), endpoint.port);
    store_be16(port, endpoint.port);
    update_transport_checksum(delta);
}

void PatchedPacket::set_tcp_number(std::size_t offset, std::uint32_t number) noexcept {
    auto* const field = packet_.transport() + offset;
    const auto delta = ChecksumDelta{}.replace32(load_be32(field), number);
    store_be32(field, number);
    update_transport_checksum(delta);
}

void PatchedPacket::update_transport_checksum(ChecksumDelta delta) noexcept {
    if (packet_.kind == Kind::udp) {
        const auto udp = packet_.udp();
        udp.set_checksum(captures::base::updated_udp(udp.checksum(), delta));
    } else {
        const auto tcp = packet_.tcp();
        tcp.set_checksum(captures::base::updated(tcp.checksum(), delta));
    }
}

}  // namespace tools
