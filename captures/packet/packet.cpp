#include "captures/packet/packet.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "captures/base/checksum.hpp"
#include "captures/packet/link_layer.hpp"

namespace captures::packet {

namespace {

constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;

constexpr void reject(Packet& packet, Defect defect) noexcept {
    packet.kind = Kind::malformed;
    packet.defect = defect;
}

/// Addresses that no packet on a wire may come from (RFC 1812 §5.3.7).
constexpr bool is_martian(base::Ipv4Address source) noexcept {
    const auto first = source.value >> 24;
    return first == 0 || first == 127 || first >= 224;
}

/// Loose or strict source route among the options: a router that honours them can be led around its rules.
bool is_source_routed(Ipv4View ipv4, std::uint32_t header_length) noexcept {
    for (std::uint32_t at = Ipv4View::shortest; at < header_length;) {
        const auto option = base::load_u8(ipv4.at + at);
        if (option == 0) return false;  // end of list
        if (option == 131 || option == 137) return true;
        if (option == 1) {  // no operation
            ++at;
            continue;
        }
        if (at + 1 >= header_length) return false;
        at += std::max<std::uint32_t>(base::load_u8(ipv4.at + at + 1), 2);
    }
    return false;
}

/// Combinations that a TCP sends, PSH, ECE and CWR aside: the list of Linux' nf_conntrack_proto_tcp.
constexpr bool plausible(std::uint8_t flags) noexcept {
    using namespace tcp_flag;
    switch (flags & (fin | syn | rst | ack | urg)) {
        case syn:
        case syn | urg:
        case syn | ack:
        case rst:
        case rst | ack:
        case fin | ack:
        case fin | ack | urg:
        case ack:
        case ack | urg: return true;
        default: return false;
    }
}

inline void decode_tcp(Packet& packet, std::uint32_t payload, std::uint32_t captured) noexcept {
    if (payload < TcpView::shortest) {
        return reject(packet, packet.more_fragments ? Defect::tiny_fragment : Defect::tcp_header_length);
    }
    if (captured < TcpView::shortest) return reject(packet, Defect::cut_transport_header);
    const auto tcp = packet.tcp();
    const std::uint32_t header = tcp.header_length();
    if (header < TcpView::shortest) return reject(packet, Defect::tcp_header_length);
    if (header > payload) {
        return reject(packet, packet.more_fragments ? Defect::tiny_fragment : Defect::tcp_header_length);
    }
    packet.tcp_flags = tcp.flags();
    if (!plausible(packet.tcp_flags)) return reject(packet, Defect::tcp_flags);
    packet.kind = Kind::tcp;
    packet.tuple.source.port = tcp.source_port();
    packet.tuple.destination.port = tcp.destination_port();
    packet.sequence = tcp.sequence();
    packet.acknowledgment = tcp.acknowledgment();
    packet.window = tcp.window();
    packet.segment_length = payload - header + (packet.tcp_flags & tcp_flag::fin) + (packet.has(tcp_flag::syn) ? 1 : 0);
}

inline void decode_udp(Packet& packet, std::uint32_t payload, std::uint32_t captured) noexcept {
    if (payload < UdpView::size) {
        return reject(packet, packet.more_fragments ? Defect::tiny_fragment : Defect::udp_length);
    }
    if (captured < UdpView::size) return reject(packet, Defect::cut_transport_header);
    const auto udp = packet.udp();
    const bool fits = packet.more_fragments || udp.length() <= payload;
    if (udp.length() < UdpView::size || !fits) return reject(packet, Defect::udp_length);
    packet.kind = Kind::udp;
    packet.tuple.source.port = udp.source_port();
    packet.tuple.destination.port = udp.destination_port();
}

/// RFC 5508 REQ-3: the outer checksum and the quoted header's are checked, the quoted transport's is not.
void decode_icmp(Packet& packet, std::uint32_t payload, std::uint32_t captured) noexcept {
    packet.kind = Kind::unsupported;
    if (packet.is_fragmented()) return;
    if (payload < IcmpView::header_size) return reject(packet, Defect::icmp_quote);
    if (captured < IcmpView::header_size) return reject(packet, Defect::cut_transport_header);
    const auto icmp = packet.icmp();
    if (!IcmpView::is_error(icmp.type())) return;
    if (captured == payload && !base::checksum_holds({icmp.at, payload})) return reject(packet, Defect::icmp_checksum);

    constexpr auto shortest = IcmpView::header_size + Ipv4View::shortest + IcmpView::quoted_transport;
    if (payload < shortest) return reject(packet, Defect::icmp_quote);
    if (captured < shortest) return reject(packet, Defect::cut_transport_header);
    const Ipv4View quoted{icmp.quoted()};
    const std::uint32_t header = quoted.header_length();
    const auto needed = IcmpView::header_size + header + IcmpView::quoted_transport;
    if (quoted.version() != 4 || header < Ipv4View::shortest || payload < needed) {
        return reject(packet, Defect::icmp_quote);
    }
    if (captured < needed) return reject(packet, Defect::cut_transport_header);
    if (!base::checksum_holds({quoted.at, header})) return reject(packet, Defect::icmp_quote);
    const bool ported = quoted.protocol() == protocol_tcp || quoted.protocol() == protocol_udp;
    if (ported && quoted.fragment_offset() == 0) packet.kind = Kind::icmp_error;
}

void decode_fragment(Packet& packet, std::uint32_t payload) noexcept {
    constexpr std::uint32_t largest_datagram = 65535;
    const std::uint32_t end = packet.fragment_offset + payload;
    if (payload == 0 || end + packet.header_length > largest_datagram) return reject(packet, Defect::fragment_length);
    // RFC 1858 §3: a fragment at offset 8 can overwrite TCP flags.
    if (packet.fragment_offset == 8 && packet.tuple.protocol == base::Protocol::tcp) {
        return reject(packet, Defect::tiny_fragment);
    }
    packet.kind = Kind::fragment;
}

void decode_ipv4(Packet& packet, const Frame& frame, std::uint32_t offset) noexcept {
    const auto here = frame.captured - offset;
    const auto on_wire = frame.length - offset;
    packet.ip = frame.data + offset;
    if (here < Ipv4View::shortest) return reject(packet, Defect::cut_ip_header);
    const auto ipv4 = packet.ipv4();
    const std::uint32_t header = ipv4.header_length();
    if (ipv4.version() != 4) return reject(packet, Defect::ip_version);
    if (header < Ipv4View::shortest) return reject(packet, Defect::ip_header_length);
    if (here < header) return reject(packet, Defect::cut_ip_header);
    const std::uint32_t total = ipv4.total_length();
    packet.length = total == 0 ? on_wire : total;
    if (packet.length < header || packet.length > on_wire) return reject(packet, Defect::ip_total_length);
    packet.captured = std::min(here, packet.length);
    packet.header_length = static_cast<std::uint16_t>(header);
    packet.ttl = ipv4.ttl();
    packet.tuple.source.address = ipv4.source();
    packet.tuple.destination.address = ipv4.destination();
    if (!base::checksum_holds({packet.ip, header})) {
        if (ipv4.checksum() != 0) return reject(packet, Defect::ip_checksum);
        packet.checksum_offloaded = true;
    }
    if (is_martian(packet.tuple.source.address)) return reject(packet, Defect::martian_source);
    if (header > Ipv4View::shortest && is_source_routed(ipv4, header)) return reject(packet, Defect::source_route);

    const auto payload = packet.length - header;
    const auto captured = packet.captured - header;
    const auto protocol = ipv4.protocol();
    packet.more_fragments = ipv4.more_fragments();
    packet.fragment_offset = static_cast<std::uint16_t>(ipv4.fragment_offset());
    if (protocol == protocol_icmp) return decode_icmp(packet, payload, captured);
    if (protocol != protocol_tcp && protocol != protocol_udp) {
        packet.kind = Kind::unsupported;
        return;
    }
    packet.tuple.protocol = static_cast<base::Protocol>(protocol);
    if (packet.more_fragments && payload % 8 != 0) return reject(packet, Defect::fragment_length);
    if (packet.fragment_offset != 0) return decode_fragment(packet, payload);
    if (protocol == protocol_tcp) return decode_tcp(packet, payload, captured);
    decode_udp(packet, payload, captured);
}

/// Nearly every packet there is: TCP or UDP in IPv4 without options or fragments, in untagged Ethernet, with 40 bytes
/// of IP or more in the capture. Whatever else the general way would reject or treat otherwise is left to it.
bool decode_plain(Packet& packet, const Frame& frame) noexcept {
    constexpr std::uint32_t link = 14;
    constexpr std::uint32_t header = Ipv4View::shortest;
    if (frame.link_type != LinkType::ethernet || frame.captured < link + header + TcpView::shortest) return false;
    if (base::load_be32(frame.data + 12) >> 8 != 0x0800'45) return false;  // EtherType, version and header length
    const Ipv4View ipv4{frame.data + link};
    const std::uint32_t total = ipv4.total_length();
    const auto source = ipv4.source();
    const auto protocol = ipv4.protocol();
    if (total < header || total > frame.length - link) return false;
    if (ipv4.is_fragment()) return false;
    if (!base::checksum_holds({ipv4.at, header}) || is_martian(source)) return false;
    if (protocol != protocol_tcp && protocol != protocol_udp) return false;

    packet.ip = ipv4.at;
    packet.tuple.source.address = source;
    packet.tuple.destination.address = ipv4.destination();
    packet.tuple.protocol = static_cast<base::Protocol>(protocol);
    packet.length = total;
    packet.captured = std::min(frame.captured - link, total);
    packet.header_length = header;
    packet.ttl = ipv4.ttl();
    if (protocol == protocol_tcp) {
        decode_tcp(packet, total - header, packet.captured - header);
    } else {
        decode_udp(packet, total - header, packet.captured - header);
    }
    return true;
}

[[gnu::noinline]] void decode_any(Packet& packet, const Frame& frame) noexcept {
    const auto link = parse_link_layer(frame);
    switch (link.content) {
        case LinkLayer::Content::ipv4: return decode_ipv4(packet, frame, link.offset);
        case LinkLayer::Content::ipv6: packet.kind = Kind::unsupported; return;
        case LinkLayer::Content::other: packet.kind = Kind::not_ip; return;
        case LinkLayer::Content::cut: return reject(packet, Defect::cut_link_layer);
    }
}

}  // namespace

void decode(const Frame& frame, Packet& packet) noexcept {
    static constexpr Packet blank;
    std::memcpy(&packet, &blank, sizeof packet);
    if (!decode_plain(packet, frame)) [[unlikely]]
        decode_any(packet, frame);
}

base::FiveTuple quoted_tuple(const Packet& packet) noexcept {
    assert(packet.kind == Kind::icmp_error);
    const Ipv4View quoted{packet.icmp().quoted()};
    const auto* ports = quoted.at + quoted.header_length();
    return {{quoted.source(), base::load_be16(ports)},
            {quoted.destination(), base::load_be16(ports + 2)},
            static_cast<base::Protocol>(quoted.protocol())};
}

std::optional<std::uint16_t> transport_checksum(const Packet& packet) noexcept {
    const bool whole = packet.captured == packet.length && !packet.is_fragmented() && packet.length <= 65535;
    if (!whole || (packet.kind != Kind::tcp && packet.kind != Kind::udp)) return {};
    const std::size_t size = packet.kind == Kind::udp ? packet.udp().length() : packet.length - packet.header_length;
    const auto field = packet.kind == Kind::udp ? UdpView::checksum_offset : TcpView::checksum_offset;
    const auto* transport = packet.transport();
    const auto sum = base::sum_of({transport, field}) + base::sum_of({transport + field + 2, size - field - 2}) +
                     base::pseudo_header_sum(packet.tuple.source.address, packet.tuple.destination.address,
                                             static_cast<std::uint8_t>(packet.tuple.protocol),
                                             static_cast<std::uint16_t>(size));
    const auto checksum = static_cast<std::uint16_t>(~base::fold(sum));
    return packet.kind == Kind::udp && checksum == 0 ? std::uint16_t{0xffff} : checksum;
}

std::string_view to_string(Defect defect) noexcept {
    switch (defect) {
        case Defect::none: return "sound";
        case Defect::cut_link_layer: return "capture ends inside the link-layer header";
        case Defect::cut_ip_header: return "capture ends inside the IPv4 header";
        case Defect::ip_version: return "IP version is not 4";
        case Defect::ip_header_length: return "IPv4 header length below 20";
        case Defect::ip_total_length: return "IPv4 total length does not fit the frame";
        case Defect::ip_checksum: return "IPv4 header checksum is wrong";
        case Defect::martian_source: return "source address cannot be on a wire (RFC 1812 5.3.7)";
        case Defect::source_route: return "source route option";
        case Defect::cut_transport_header: return "capture ends inside the transport header";
        case Defect::tcp_header_length: return "TCP header length does not fit the packet";
        case Defect::tcp_flags: return "TCP flags that no TCP sends together";
        case Defect::udp_length: return "UDP length does not fit the packet";
        case Defect::icmp_checksum: return "ICMP checksum is wrong";
        case Defect::icmp_quote: return "packet quoted by the ICMP error is not usable";
        case Defect::tiny_fragment: return "fragment cuts the transport header (RFC 1858)";
        case Defect::fragment_length: return "fragment length cannot be";
    }
    return "";
}

}  // namespace captures::packet
