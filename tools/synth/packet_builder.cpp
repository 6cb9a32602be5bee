#include "tools/synth/packet_builder.hpp"

#include <algorithm>
#include <stdexcept>

#include "captures/base/bytes.hpp"
#include "captures/base/checksum.hpp"
#include "captures/packet/header_writer.hpp"
#include "captures/packet/icmp.hpp"
#include "captures/packet/ipv4.hpp"
#include "captures/packet/link_layer.hpp"
#include "captures/packet/udp.hpp"

namespace tools {

namespace {

using captures::base::store_be16;
using captures::base::store_u8;
using captures::packet::IcmpView;
using captures::packet::Ipv4Fields;
using captures::packet::Ipv4View;
using captures::packet::TcpView;
using captures::packet::UdpView;

constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;

void append(std::vector<std::byte>& bytes, std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

/// Another value, never 0 (which UDP reads as "none").
std::uint16_t spoiled(std::uint16_t checksum) {
    const auto other = static_cast<std::uint16_t>(checksum ^ 0x5555);
    return other == 0 ? std::uint16_t{0x1234} : other;
}

}  // namespace

Where::Where(std::string_view text) {
    if (const auto both = captures::base::Endpoint::parse(text)) {
        endpoint = *both;
        has_port = true;
    } else if (const auto address = captures::base::Ipv4Address::parse(text)) {
        endpoint.address = *address;
    } else {
        throw std::invalid_argument{"neither a.b.c.d:port nor a.b.c.d: " + std::string{text}};
    }
}

PacketBuilder::PacketBuilder(std::uint8_t protocol, Where from, Where to)
    : source_{from.endpoint}, destination_{to.endpoint}, protocol_{protocol} {
    link_.source = source_.address;
    link_.destination = destination_.address;
    capture_.time = start_time;
}

PacketBuilder::PacketBuilder(std::uint16_t ethertype, std::vector<std::byte> content) : content_{std::move(content)} {
    link_.ethertype = ethertype;
    capture_.time = start_time;
}

PacketBuilder& PacketBuilder::quoting(const PacketBuilder& packet, std::size_t bytes) {
    const auto quoted = packet.datagram();
    payload_.clear();
    append(payload_, std::span{quoted}.first(std::min(quoted.size(), packet.header_length() + bytes)));
    return *this;
}

PacketBuilder& PacketBuilder::quoting(const captures::packet::Frame& frame, std::size_t bytes) {
    const auto link = captures::packet::parse_link_layer(frame);
    if (link.content != captures::packet::LinkLayer::Content::ipv4)
        throw std::invalid_argument{"only IPv4 can be quoted"};
    const auto rest = frame.bytes().subspan(link.offset);
    const Ipv4View ipv4{rest.data()};
    payload_.clear();
    append(payload_,
           rest.first(std::min({rest.size(), std::size_t{ipv4.total_length()}, ipv4.header_length() + bytes})));
    return *this;
}

PacketBuilder& PacketBuilder::bad_quoted_ip_checksum() {
    const Ipv4View quoted{payload_.data()};
    quoted.set_checksum(spoiled(quoted.checksum()));
    return *this;
}

std::size_t PacketBuilder::header_length() const { return Ipv4View::shortest + ip_options_.size(); }

std::vector<std::byte> PacketBuilder::datagram() const {
    if (content_) return *content_;
    const auto header = header_length();
    const auto behind = fragment_offset_ == 0 ? transport() : payload_;
    const auto total = header + behind.size();
    std::vector<std::byte> bytes(Ipv4View::shortest);
    append(bytes, ip_options_);
    captures::packet::write_ipv4(
        bytes,
        {.source = source_.address,
         .destination = destination_.address,
         .protocol = protocol_,
         .total_length = static_cast<std::uint16_t>(total > 65535 ? 0 : total),  // as segmentation offload leaves it
         .identification = identification_,
         .fragment = static_cast<std::uint16_t>(fragment_offset_ / 8 |
                                                (more_fragments_ ? Ipv4Fields::more_fragments : 0) |
                                                (dont_fragment_ ? Ipv4Fields::dont_fragment : 0)),
         .ttl = ttl_});
    const Ipv4View ipv4{bytes.data()};
    if (ip_sum_ == Sum::none) ipv4.set_checksum(0);
    for (const auto& [offset, value] : ip_pokes_) store_u8(&bytes.at(offset), value);
    if (ip_sum_ != Sum::none) captures::packet::write_ipv4_checksum(bytes);
    if (ip_sum_ == Sum::bad) ipv4.set_checksum(spoiled(ipv4.checksum()));
    append(bytes, behind);
    return bytes;
}

OwnedFrame PacketBuilder::frame_around(const std::vector<std::byte>& network_layer) const {
    auto bytes = link_header_bytes(link_);
    append(bytes, network_layer);
    if (bytes.size() < pad_to_) bytes.resize(pad_to_, std::byte{padding_});
    auto properties = capture_;
    properties.length = static_cast<std::uint32_t>(bytes.size());
    properties.link_type = link_.type;
    bytes.resize(std::min(bytes.size(), snap_));
    return {std::move(bytes), properties};
}

std::vector<std::byte> PacketBuilder::transport() const {
    std::vector<std::byte> bytes;
    switch (protocol_) {
        case protocol_tcp: add_tcp_header(bytes); break;
        case protocol_udp:
            bytes.resize(UdpView::size);
            captures::packet::write_udp(bytes.data(), source_.port, destination_.port,
                                        static_cast<std::uint16_t>(UdpView::size + payload_.size()));
            break;
        case protocol_icmp:
            bytes.resize(IcmpView::header_size);
            captures::packet::write_icmp(bytes.data(), icmp_type_, icmp_code_, icmp_rest_);
            break;
        default: break;
    }
    append(bytes, payload_);
    for (const auto& [offset, value] : transport_pokes_) store_u8(&bytes.at(offset), value);
    if (checksum_offset() != 0) write_transport_checksum(bytes);
    return bytes;
}

void PacketBuilder::add_tcp_header(std::vector<std::byte>& bytes) const {
    bytes.resize(TcpView::shortest);
    append(bytes, tcp_options_);
    while (bytes.size() % 4 != 0) bytes.push_back(std::byte{1});  // no operation
    captures::packet::write_tcp(bytes, {.source_port = source_.port,
                                        .destination_port = destination_.port,
                                        .sequence = sequence_,
                                        .acknowledgment = acknowledgment_,
                                        .flags = flags_,
                                        .window = window_});
}

std::size_t PacketBuilder::checksum_offset() const {
    switch (protocol_) {
        case protocol_tcp: return TcpView::checksum_offset;
        case protocol_udp: return UdpView::checksum_offset;
        case protocol_icmp: return 2;
        default: return 0;
    }
}

void PacketBuilder::write_transport_checksum(std::vector<std::byte>& bytes) const {
    if (transport_sum_ == Sum::none) return;
    const auto checksum = protocol_ == protocol_icmp ? captures::base::checksum_of(bytes)
                                                     : captures::packet::transport_checksum(
                                                           source_.address, destination_.address,
                                                           static_cast<captures::base::Protocol>(protocol_), bytes);
    store_be16(&bytes[checksum_offset()], transport_sum_ == Sum::bad ? spoiled(checksum) : checksum);
}

OwnedFrame fragment_of(const PacketBuilder& packet, std::size_t offset, std::size_t size) {
    auto whole = packet.datagram();
    const auto header = packet.header_length();
    const auto end = std::min(whole.size(), header + offset + size);
    if (offset % 8 != 0 || header + offset >= end) throw std::invalid_argument{"no fragment is there"};
    std::vector<std::byte> bytes{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(header)};
    append(bytes, std::span{whole}.subspan(header + offset, end - header - offset));
    const auto more = end < whole.size() ? Ipv4Fields::more_fragments : std::uint16_t{0};
    store_be16(&bytes[2], static_cast<std::uint16_t>(bytes.size()));
    store_be16(&bytes[6], static_cast<std::uint16_t>(offset / 8 | more));
    captures::packet::write_ipv4_checksum(std::span{bytes}.first(header));
    return packet.frame_around(bytes);
}

std::vector<OwnedFrame> fragments_of(const PacketBuilder& packet, std::size_t size) {
    std::vector<OwnedFrame> frames;
    const auto behind = packet.datagram().size() - packet.header_length();
    for (std::size_t offset = 0; offset < behind; offset += size) frames.push_back(fragment_of(packet, offset, size));
    return frames;
}

}  // namespace tools
