#include "gateway/live/icmp_error.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <span>

#include "captures/base/checksum.hpp"
#include "captures/packet/header_writer.hpp"
#include "captures/packet/link_layer.hpp"
#include "gateway/live/arp.hpp"
#include "gateway/live/next_hop.hpp"

namespace gateway::live {

using captures::base::store_be16;
using captures::packet::ethertype_ipv4;
using captures::packet::IcmpView;
using captures::packet::Ipv4View;
using captures::packet::Kind;
using captures::packet::Packet;

namespace {

constexpr std::size_t headers_size = ethernet_size + Ipv4View::shortest + IcmpView::header_size;
constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t internetwork_control = 0xc0;

struct TypeAndCode {
    std::uint8_t type;
    std::uint8_t code;
};

TypeAndCode type_and_code(IcmpError::Kind kind) noexcept {
    switch (kind) {
        case IcmpError::Kind::host_unreachable: return {3, 1};
        case IcmpError::Kind::fragmentation_needed: return {3, 4};
        case IcmpError::Kind::time_exceeded: break;
    }
    return {11, 0};
}

/// Of the datagram on the wire that the frame stands for.
std::uint32_t datagram_length(const captures::packet::Frame& frame, const Packet& packet) noexcept {
    if (frame.offload.segment_size == 0) return packet.length;
    const std::size_t transport = packet.kind == Kind::tcp ? packet.tcp().header_length()
                                                           : captures::packet::UdpView::size;
    const auto segment = packet.header_length + transport + frame.offload.segment_size;
    return std::min(packet.length, static_cast<std::uint32_t>(segment));
}

}  // namespace

bool may_be_answered(const captures::packet::Frame& frame, const Packet& packet) noexcept {
    if (!packet.is_segment() || packet.fragment_offset != 0) return false;
    if (frame.link_type == captures::packet::LinkType::ethernet && (frame.data[0] & std::byte{1}) != std::byte{0})
        return false;
    return is_host(packet.tuple.source.address) && is_host(packet.tuple.destination.address);
}

IcmpErrorFrame::IcmpErrorFrame(const IcmpError& error, const captures::packet::Frame& about,
                               const Packet& packet) noexcept {
    assert(may_be_answered(about, packet));
    const auto length = datagram_length(about, packet);
    const auto quoted = std::min<std::size_t>({bytes_.size() - headers_size, length, packet.captured});
    auto* const quote = bytes_.data() + headers_size;
    std::memcpy(quote, packet.ip, quoted);
    if (length != packet.length) {
        store_be16(quote + 2, static_cast<std::uint16_t>(length));
        captures::packet::write_ipv4_checksum({quote, Ipv4View{quote}.header_length()});
    }

    store_be16(bytes_.data() + ethernet_size - 2, ethertype_ipv4);
    const std::span ip{bytes_.data() + ethernet_size, Ipv4View::shortest};
    captures::packet::write_ipv4(
        ip, {.source = error.source,
             .destination = packet.tuple.source.address,
             .protocol = protocol_icmp,
             .type_of_service = internetwork_control,
             .total_length = static_cast<std::uint16_t>(Ipv4View::shortest + IcmpView::header_size + quoted)});
    auto* const icmp = ip.data() + ip.size();
    const auto [type, code] = type_and_code(error.kind);
    const bool has_mtu = error.kind == IcmpError::Kind::fragmentation_needed;
    captures::packet::write_icmp(icmp, type, code, has_mtu ? error.next_hop_mtu : 0);
    IcmpView{icmp}.set_checksum(captures::base::checksum_of({icmp, IcmpView::header_size + quoted}));

    const auto size = static_cast<std::uint32_t>(headers_size + quoted);
    frame_ = {.data = bytes_.data(),
              .captured = size,
              .length = size,
              .time = about.time,
              .number = 0,
              .link_type = captures::packet::LinkType::ethernet,
              .side = about.side};
}

bool IcmpBudget::take(captures::base::Time now) noexcept {
    constexpr captures::base::Duration one = std::chrono::seconds{1};
    constexpr auto interval = one / per_second;
    const auto full_at = std::max(full_at_, now);
    if (full_at - now > interval * (burst - 1)) return false;
    full_at_ = full_at + interval;
    return true;
}

}  // namespace gateway::live
