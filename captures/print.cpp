#include "captures/print.hpp"

#include <array>
#include <utility>

namespace captures {

namespace {

std::string describe_tcp(const Packet& packet) {
    auto text = " TCP " + flag_letters(packet.tcp_flags) + " seq " + std::to_string(packet.sequence);
    if (packet.has(tcp_flag::ack)) text += " ack " + std::to_string(packet.acknowledgment);
    return text + " win " + std::to_string(packet.window);
}

std::string addresses(const Packet& packet) {
    return to_string(packet.tuple.source.address) + " > " + to_string(packet.tuple.destination.address);
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
    const auto endpoints = to_string(packet.tuple.source) + " > " + to_string(packet.tuple.destination);
    const auto length = " len " + std::to_string(packet.length);
    switch (packet.kind) {
        case Kind::tcp: return endpoints + describe_tcp(packet) + length;
        case Kind::udp: return endpoints + " UDP" + length;
        case Kind::fragment:
            return addresses(packet) + ' ' + std::string{to_string(packet.tuple.protocol)} + " fragment at " +
                   std::to_string(packet.fragment_offset) + length;
        case Kind::icmp_error: {
            const auto quoted = quoted_tuple(packet);
            const auto icmp = packet.icmp();
            return addresses(packet) + " ICMP " + std::to_string(icmp.type()) + '/' + std::to_string(icmp.code()) +
                   " about " + to_string(quoted.source) + " > " + to_string(quoted.destination) + length;
        }
        case Kind::unsupported: return packet.ip == nullptr ? "IPv6" : addresses(packet) + " other protocol" + length;
        case Kind::not_ip: return "not IP";
        case Kind::malformed: return "malformed: " + std::string{to_string(packet.defect)};
    }
    return "";
}

}  // namespace captures
