#include "tests/support/packet_builder.hpp"

#include <cctype>
#include <charconv>
#include <ostream>
#include <stdexcept>

namespace support {

Decoded::Decoded(OwnedFrame built)
    : owned{std::move(built)}, frame{owned.frame()}, packet{captures::packet::decode(frame)} {}

std::vector<std::byte> from_hex(std::string_view text) {
    std::string digits;
    for (const char c : text) {
        if (std::isspace(static_cast<unsigned char>(c)) == 0) digits += c;
    }
    if (digits.size() % 2 != 0) throw std::invalid_argument{"odd number of hex digits"};
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        unsigned value = 0;
        const auto* const end = digits.data() + i + 2;
        if (std::from_chars(digits.data() + i, end, value, 16).ptr != end) {
            throw std::invalid_argument{"not a hex digit near " + digits.substr(i, 2)};
        }
        bytes.push_back(static_cast<std::byte>(value));
    }
    return bytes;
}

std::string to_hex(std::span<const std::byte> bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i > 0) text += i % 16 == 0 ? '\n' : ' ';
        text += digits[std::to_integer<unsigned>(bytes[i]) >> 4];
        text += digits[std::to_integer<unsigned>(bytes[i]) & 0xf];
    }
    return text;
}

}  // namespace support

namespace captures::packet {

std::string_view name_of(Kind kind) noexcept {
    switch (kind) {
        case Kind::tcp: return "tcp";
        case Kind::udp: return "udp";
        case Kind::icmp_error: return "icmp_error";
        case Kind::fragment: return "fragment";
        case Kind::unsupported: return "unsupported";
        case Kind::not_ip: return "not_ip";
        case Kind::malformed: return "malformed";
    }
    return "?";
}

std::ostream& operator<<(std::ostream& out, Kind kind) { return out << name_of(kind); }
std::ostream& operator<<(std::ostream& out, Defect defect) { return out << to_string(defect); }
std::ostream& operator<<(std::ostream& out, LinkType type) { return out << "link type " << static_cast<int>(type); }
std::ostream& operator<<(std::ostream& out, Side side) { return out << (side == Side::outside ? "outside" : "inside"); }

}  // namespace captures::packet

namespace captures::base {

std::ostream& operator<<(std::ostream& out, Protocol protocol) { return out << to_string(protocol); }
std::ostream& operator<<(std::ostream& out, Ipv4Address address) { return out << to_string(address); }
std::ostream& operator<<(std::ostream& out, const Endpoint& endpoint) { return out << to_string(endpoint); }
std::ostream& operator<<(std::ostream& out, const FiveTuple& tuple) {
    return out << tuple.protocol << ' ' << tuple.source << " > " << tuple.destination;
}

}  // namespace captures::base
