#include "captures/packet/print.hpp"

#include <array>
#include <utility>

namespace captures::packet {

namespace {

std::string describe_tcp(const Packet& packet) {
    auto text = " TCP " + flag_letters(packet.tcp_flags) + " seq " + std::to_string(packet.sequence);
    if (packet.has(tcp_flag::ack)) text += " ack " + std::to_string(packet.acknowledgment);
    return text + " win " + std::to_string(packet.window);
}

/// Bytes behind the headers that the text names.
std::uint32_t payload_length(const Packet& packet) {
    const auto behind_ip = packet.length - packet.header_length;
    if (packet.kind == Kind::tcp) return behind_ip - packet.tcp().header_length();
    return packet.kind == Kind::udp ? packet.udp().length() - std::uint32_t{UdpView::size} : behind_ip;
}

std::string length_text(const Packet& packet) { return " len " + std::to_string(payload_length(packet)); }

std::string addresses(const Packet& packet) {
    return base::to_string(packet.tuple.source.address) + " > " + base::to_string(packet.tuple.destination.address);
}

}  // namespace

std::string flag_letters(std::uint8_t flags) {
    static constexpr std::array<std::pair<std::uint8_t, char>, 8> letters{{{tcp_flag::syn, 'S'},
                                                                           {tcp_flag::fin, 'F'},
                                                                           {tcp_flag::rst, 'R'},
                                                                           {tcp_flag::psh, 'P'},
                                                                           {tcp_flag::urg, 'U'},
                                                                           {tcp_flag::ece, 'E'},
                                                                           {tcp_flag::cwr, 'W'},
                                                                           {tcp_flag::ack, '.'}}};
    std::string text;
    for (const auto& [flag, letter] : letters) {
        if ((flags & flag) != 0) text += letter;
    }
    return text;
}

std::string describe(const Packet& packet) {
    const auto endpoints = base::to_string(packet.tuple.source) + " > " + base::to_string(packet.tuple.destination);
    switch (packet.kind) {
        case Kind::tcp: return endpoints + describe_tcp(packet) + length_text(packet);
        case Kind::udp: return endpoints + " UDP" + length_text(packet);
        case Kind::fragment:
            return addresses(packet) + ' ' + std::string{base::to_string(packet.tuple.protocol)} + " fragment at " +
                   std::to_string(packet.fragment_offset) + length_text(packet);
        case Kind::icmp_error: {
            const auto quoted = quoted_tuple(packet);
            const auto icmp = packet.icmp();
            return addresses(packet) + " ICMP " + std::to_string(icmp.type()) + '/' + std::to_string(icmp.code()) +
                   " about " + base::to_string(quoted.source) + " > " + base::to_string(quoted.destination) +
                   length_text(packet);
        }
        case Kind::unsupported:
            return packet.ip == nullptr ? "IPv6" : addresses(packet) + " other protocol" + length_text(packet);
        case Kind::not_ip: return "not IP";
        case Kind::malformed: return "malformed: " + std::string{to_string(packet.defect)};
    }
    return "";
}

}  // namespace captures::packet
