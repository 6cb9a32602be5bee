#include "tests/support/packet_zoo.hpp"

namespace support {

namespace {

using captures::packet::Defect;
using captures::packet::Kind;
using captures::packet::LinkType;

constexpr auto* client = "198.51.100.7:40000";
constexpr auto* listener = "203.0.113.10:50022";
constexpr auto* router = "192.0.2.1";
constexpr auto* public_ip = "203.0.113.10";

PacketBuilder tcp() { return support::tcp(client, listener); }
PacketBuilder udp() { return support::udp(client, listener); }
PacketBuilder reply() { return support::tcp(listener, client).ack(1).payload("SSH-2.0-"); }
PacketBuilder unreachable() { return icmp_error(3, 1, router, public_ip); }

}  // namespace

std::vector<Specimen> sound_packets() {
    const std::initializer_list<std::uint8_t> record_route{7, 7, 4, 0, 0, 0, 0};  // one empty slot
    return {
        {"a SYN is TCP", tcp().syn().mss(1460).window_scale(7).sack_permitted(), Kind::tcp},
        {"TCP with all options and data is TCP", tcp().ack(1).timestamps(1, 2).payload("hello"), Kind::tcp},
        {"a SYN with ECE and CWR is TCP", tcp().syn().flags(0xc2), Kind::tcp},
        {"a FIN with ACK is TCP", tcp().fin().ack(1), Kind::tcp},
        {"a lone RST is TCP", tcp().rst(), Kind::tcp},
        {"a wrong TCP checksum is its receiver's business", tcp().syn().bad_checksum(), Kind::tcp},
        {"UDP is UDP", udp().payload("hello"), Kind::udp},
        {"UDP may be empty", udp(), Kind::udp},
        {"UDP may have no checksum", udp().payload("hello").no_checksum(), Kind::udp},
        {"UDP may be shorter than its datagram", udp().payload_size(20).transport_byte(5, 12), Kind::udp},
        {"padding behind the datagram is ignored", udp().payload("x").pad_to(60, 0xee), Kind::udp},
        {"total length 0 stands for the rest of the frame", tcp().ack(1).payload_size(100).total_length(0), Kind::tcp},
        {"total length 0 may hide more than 64 KiB", tcp().ack(1).payload_size(66'000), Kind::tcp},
        {"an IPv4 checksum of 0 is left to the NIC", tcp().syn().no_ip_checksum(), Kind::tcp},
        {"IP options are skipped", tcp().syn().ip_options(record_route), Kind::tcp},
        {"no-operation and end-of-list are options", tcp().syn().ip_options({1, 1, 0, 131}), Kind::tcp},
        {"an option that claims no length stops nobody", udp().ip_options({68, 0, 68, 1}), Kind::udp},
        {"a first fragment of TCP is TCP", tcp().ack(1).payload_size(12).fragment(0, true), Kind::tcp},
        {"a first fragment of UDP is UDP", udp().payload_size(16).fragment(0, true), Kind::udp},
        {"a middle fragment is a fragment", udp().payload_size(24).fragment(16, true), Kind::fragment},
        {"a last fragment may have any length", tcp().payload_size(3).fragment(1480, false), Kind::fragment},
        {"the last bytes of the longest datagram are a fragment", udp().payload_size(3).fragment(65512, false),
         Kind::fragment},
        {"UDP may be fragmented at 8", udp().payload_size(8).fragment(8, true), Kind::fragment},
        {"unreachable about TCP is an ICMP error", unreachable().quoting(reply()), Kind::icmp_error},
        {"time exceeded is an ICMP error", icmp_error(11, 0, router, public_ip).quoting(reply(), 100),
         Kind::icmp_error},
        {"parameter problem is an ICMP error", icmp_error(12, 0, router, public_ip).quoting(udp()), Kind::icmp_error},
        {"source quench is an ICMP error", icmp_error(4, 0, router, public_ip).quoting(udp()), Kind::icmp_error},
        {"too big carries an MTU", icmp_error(3, 4, router, public_ip).mtu(1400).quoting(reply()), Kind::icmp_error},
        {"an ICMP error about a packet with options", unreachable().quoting(reply().ip_options(record_route)),
         Kind::icmp_error},
        {"an ICMP error with options itself", unreachable().ip_options(record_route).quoting(reply()),
         Kind::icmp_error},
        {"an ICMP error about a first fragment", unreachable().quoting(udp().payload_size(16).fragment(0, true)),
         Kind::icmp_error},
        {"the quoted transport checksum is not judged (RFC 5508 REQ-3)",
         unreachable().quoting(reply().bad_checksum(), 100), Kind::icmp_error},
        {"the quoted total length is not judged", unreachable().quoting(reply().total_length(9)), Kind::icmp_error},
        {"a redirect is no error of a flow", icmp_error(5, 1, router, public_ip).quoting(reply()), Kind::unsupported},
        {"an echo request is unsupported", support::icmp_echo(router, public_ip), Kind::unsupported},
        {"an ICMP error about ICMP is unsupported",
         unreachable().quoting(support::icmp_echo(public_ip, "198.51.100.7")), Kind::unsupported},
        {"an ICMP error about a later fragment is unsupported",
         unreachable().quoting(udp().payload_size(16).fragment(16, true)), Kind::unsupported},
        {"a fragmented ICMP error is unsupported", unreachable().quoting(reply()).fragment(0, true), Kind::unsupported},
        {"GRE is unsupported", support::ip_protocol(47, client, listener).payload_size(8), Kind::unsupported},
        {"IPv6 is unsupported", support::ipv6(), Kind::unsupported},
        {"ARP is not IP", support::arp("198.51.100.7", "198.51.100.8"), Kind::not_ip},
        {"an unknown link type is not IP", udp().on(LinkType{147}), Kind::not_ip},
        {"TCP behind QinQ", tcp().syn().qinq(10, 20), Kind::tcp},
        {"TCP in a cooked capture", tcp().syn().on(LinkType::linux_sll), Kind::tcp},
        {"TCP in a cooked capture v2", tcp().syn().on(LinkType::linux_sll2), Kind::tcp},
        {"TCP in raw IP", tcp().syn().on(LinkType::raw), Kind::tcp},
        {"TCP on BSD null", tcp().syn().on(LinkType::null), Kind::tcp},
        {"TCP on BSD loop", tcp().syn().on(LinkType::loop), Kind::tcp},
    };
}

std::vector<Specimen> malformed_packets() {
    std::vector<Specimen> rows;
    const auto add = [&rows](std::string_view what, PacketBuilder packet, Defect defect) {
        rows.push_back({what, std::move(packet), Kind::malformed, defect});
    };
    add("a frame without a whole Ethernet header", tcp().syn().snap(13), Defect::cut_link_layer);
    add("a capture that ends in the tags", tcp().syn().qinq(10, 20).snap(20), Defect::cut_link_layer);
    add("a capture that ends in the IPv4 header", tcp().syn().snap(14 + 19), Defect::cut_ip_header);
    add("a capture that ends in the IPv4 options", tcp().syn().ip_options({7, 3, 4}).snap(14 + 23),
        Defect::cut_ip_header);
    add("version 6 under the type of IPv4", tcp().syn().ip_byte(0, 0x65), Defect::ip_version);
    add("a header of 16 bytes", tcp().syn().ip_byte(0, 0x44), Defect::ip_header_length);
    add("a total length beyond the frame", tcp().syn().total_length(41), Defect::ip_total_length);
    add("a total length below the header", tcp().syn().total_length(19), Defect::ip_total_length);
    add("a wrong IPv4 checksum", tcp().syn().bad_ip_checksum(), Defect::ip_checksum);
    add("a source in 0/8", support::udp("0.1.2.3:1", listener), Defect::martian_source);
    add("a source in 127/8", support::udp("127.0.0.1:1", listener), Defect::martian_source);
    add("a multicast source", support::udp("224.0.0.1:1", listener), Defect::martian_source);
    add("a reserved source", support::udp("240.0.0.1:1", listener), Defect::martian_source);
    add("a broadcast source", support::udp("255.255.255.255:1", listener), Defect::martian_source);
    add("a loose source route", tcp().syn().ip_options({131, 7, 4, 1, 2, 3, 4}), Defect::source_route);
    add("a strict source route behind others", tcp().syn().ip_options({1, 68, 4, 5, 0, 137, 7, 4, 1, 2, 3, 4}),
        Defect::source_route);
    add("a capture that ends in the TCP header", tcp().syn().snap(14 + 20 + 19), Defect::cut_transport_header);
    add("a capture that ends in the UDP header", udp().snap(14 + 20 + 7), Defect::cut_transport_header);
    add("a capture that ends in the quoted ports", unreachable().quoting(reply()).snap(14 + 20 + 8 + 20 + 7),
        Defect::cut_transport_header);
    add("a capture that ends in the quoted options",
        unreachable().quoting(reply().ip_options({7, 7, 4, 0, 0, 0, 0})).snap(14 + 20 + 8 + 28 + 7),
        Defect::cut_transport_header);
    add("a capture that ends in the ICMP header", unreachable().quoting(reply()).snap(14 + 20 + 7),
        Defect::cut_transport_header);
    add("a datagram too short for TCP", tcp().syn().total_length(39), Defect::tcp_header_length);
    add("a TCP header of 16 bytes", tcp().syn().transport_byte(12, 0x40), Defect::tcp_header_length);
    add("a TCP header longer than its segment", tcp().syn().transport_byte(12, 0x60), Defect::tcp_header_length);
    add("no TCP flags at all", tcp(), Defect::tcp_flags);
    add("SYN with FIN", tcp().syn().fin(), Defect::tcp_flags);
    add("SYN with RST", tcp().syn().rst(), Defect::tcp_flags);
    add("FIN without ACK", tcp().fin(), Defect::tcp_flags);
    add("FIN, PSH and URG: a Christmas tree", tcp().fin().psh().urg(), Defect::tcp_flags);
    add("a datagram too short for UDP", udp().total_length(27), Defect::udp_length);
    add("a UDP length below its header", udp().transport_byte(5, 7), Defect::udp_length);
    add("a UDP length beyond its datagram", udp().transport_byte(5, 9), Defect::udp_length);
    add("a wrong ICMP checksum", unreachable().quoting(reply()).bad_checksum(), Defect::icmp_checksum);
    add("a wrong checksum of the quoted header", unreachable().quoting(reply()).bad_quoted_ip_checksum(),
        Defect::icmp_quote);
    add("an ICMP error without a quote", unreachable(), Defect::icmp_quote);
    add("an ICMP error that quotes 7 bytes of TCP", unreachable().quoting(reply(), 7), Defect::icmp_quote);
    add("an ICMP error that quotes no transport behind options",
        unreachable().quoting(reply().ip_options({7, 7, 4, 0, 0, 0, 0}), 7), Defect::icmp_quote);
    add("an ICMP error that quotes IPv6", unreachable().quoting(reply().ip_byte(0, 0x65)), Defect::icmp_quote);
    add("an ICMP error that quotes a header of 16 bytes", unreachable().quoting(reply().ip_byte(0, 0x44)),
        Defect::icmp_quote);
    add("ICMP of 7 bytes", unreachable().total_length(27), Defect::icmp_quote);
    add("a first fragment with 16 bytes of TCP", support::ip_protocol(6, client, listener), Defect::tiny_fragment);
    rows.back().packet = tcp().ack(1).total_length(36).fragment(0, true);
    add("a first fragment that cuts TCP options",
        tcp().syn().mss(1460).window_scale(7).total_length(44).fragment(0, true), Defect::tiny_fragment);
    add("a TCP fragment at 8", tcp().payload_size(16).fragment(8, true), Defect::tiny_fragment);
    add("a first fragment without any UDP", udp().total_length(20).fragment(0, true), Defect::tiny_fragment);
    add("a fragment before others whose length is no multiple of 8", udp().payload_size(15).fragment(16, true),
        Defect::fragment_length);
    add("an empty fragment", udp().fragment(16, false), Defect::fragment_length);
    add("a fragment beyond 64 KiB", udp().payload_size(4).fragment(65512, false), Defect::fragment_length);
    return rows;
}

}  // namespace support
