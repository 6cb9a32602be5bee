#include "tools/synth/packet_builder.hpp"

#include <algorithm>
#include <stdexcept>

#include "captures/base/bytes.hpp"
#include "captures/base/checksum.hpp"
#include "captures/packet/ipv4.hpp"
#include "captures/packet/link_layer.hpp"
#include "captures/packet/udp.hpp"

namespace tools {

namespace {

using captures::base::store_be16;
using captures::base::store_be32;
using captures::base::store_u8;
using captures::packet::Ipv4View;
using captures::packet::TcpView;
using captures::packet::UdpView;

constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint16_t more_fragments_flag = 0x2000;
constexpr std::uint16_t dont_fragment_flag = 0x4000;

void append8(std::vector<std::byte>& bytes, std::uint8_t value) { bytes.push_back(std::byte{value}); }

void append16(std::vector<std::byte>& bytes, std::uint16_t value) {
    bytes.resize(bytes.size() + 2);
    store_be16(bytes.data() + bytes.size() - 2, value);
}

void append32(std::vector<std::byte>& bytes, std::uint32_t value) {
    bytes.resize(bytes.size() + 4);
    store_be32(bytes.data() + bytes.size() - 4, value);
}

void append(std::vector<std::byte>& bytes, std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

/// Another value, never 0 (which UDP reads as "none").
std::uint16_t spoiled(std::uint16_t checksum) {
    const auto other = static_cast<std::uint16_t>(checksum ^ 0x5555);
    return other == 0 ? std::uint16_t{0x1234} : other;
}

void write_ip_checksum(std::vector<std::byte>& datagram, std::size_t header) {
    store_be16(&datagram[10], 0);
    store_be16(&datagram[10], captures::base::checksum_of(std::span{datagram}.first(header)));
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
    store_u8(bytes.data(), static_cast<std::uint8_t>(0x40 | header / 4));
    store_be16(&bytes[2], static_cast<std::uint16_t>(total > 65535 ? 0 : total));  // as segmentation offload leaves it
    store_be16(&bytes[4], identification_);
    store_be16(&bytes[6],
               static_cast<std::uint16_t>(fragment_offset_ / 8 | (more_fragments_ ? more_fragments_flag : 0) |
                                          (dont_fragment_ ? dont_fragment_flag : 0)));
    store_u8(&bytes[8], ttl_);
    store_u8(&bytes[9], protocol_);
    store_be32(&bytes[12], source_.address.value);
    store_be32(&bytes[16], destination_.address.value);
    append(bytes, ip_options_);
    for (const auto& [offset, value] : ip_pokes_) store_u8(&bytes.at(offset), value);
    if (ip_sum_ != Sum::none) write_ip_checksum(bytes, header);
    const Ipv4View ipv4{bytes.data()};
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
            append16(bytes, source_.port);
            append16(bytes, destination_.port);
            append16(bytes, static_cast<std::uint16_t>(UdpView::size + payload_.size()));
            append16(bytes, 0);
            break;
        case protocol_icmp:
            append8(bytes, icmp_type_);
            append8(bytes, icmp_code_);
            append16(bytes, 0);
            append32(bytes, icmp_rest_);
            break;
        default: break;
    }
    append(bytes, payload_);
    for (const auto& [offset, value] : transport_pokes_) store_u8(&bytes.at(offset), value);
    if (checksum_offset() != 0) write_transport_checksum(bytes);
    return bytes;
}

void PacketBuilder::add_tcp_header(std::vector<std::byte>& bytes) const {
    auto options = tcp_options_;
    while (options.size() % 4 != 0) append8(options, 1);  // no operation
    append16(bytes, source_.port);
    append16(bytes, destination_.port);
    append32(bytes, sequence_);
    append32(bytes, acknowledgment_);
    append8(bytes, static_cast<std::uint8_t>((TcpView::shortest + options.size()) / 4 << 4));
    append8(bytes, flags_);
    append16(bytes, window_);
    append32(bytes, 0);  // checksum, urgent pointer
    append(bytes, options);
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
    auto sum = captures::base::sum_of(bytes);
    if (protocol_ != protocol_icmp) {
        sum += captures::base::pseudo_header_sum(source_.address, destination_.address, protocol_,
                                                 static_cast<std::uint16_t>(bytes.size()));
    }
    auto checksum = static_cast<std::uint16_t>(~captures::base::fold(sum));
    if (protocol_ == protocol_udp && checksum == 0) checksum = 0xffff;
    store_be16(&bytes[checksum_offset()], transport_sum_ == Sum::bad ? spoiled(checksum) : checksum);
}

OwnedFrame fragment_of(const PacketBuilder& packet, std::size_t offset, std::size_t size) {
    auto whole = packet.datagram();
    const auto header = packet.header_length();
    const auto end = std::min(whole.size(), header + offset + size);
    if (offset % 8 != 0 || header + offset >= end) throw std::invalid_argument{"no fragment is there"};
    std::vector<std::byte> bytes{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(header)};
    append(bytes, std::span{whole}.subspan(header + offset, end - header - offset));
    const auto more = end < whole.size() ? more_fragments_flag : std::uint16_t{0};
    store_be16(&bytes[2], static_cast<std::uint16_t>(bytes.size()));
    store_be16(&bytes[6], static_cast<std::uint16_t>(offset / 8 | more));
    write_ip_checksum(bytes, header);
    return packet.frame_around(bytes);
}

std::vector<OwnedFrame> fragments_of(const PacketBuilder& packet, std::size_t size) {
    std::vector<OwnedFrame> frames;
    const auto behind = packet.datagram().size() - packet.header_length();
    for (std::size_t offset = 0; offset < behind; offset += size) frames.push_back(fragment_of(packet, offset, size));
    return frames;
}

}  // namespace tools
