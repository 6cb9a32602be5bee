#include "captures/base/bytes.hpp"
#include "tools/synth/packet_builder.hpp"

// What a packet says about itself, one line a property; packet_builder.cpp makes bytes of it.

namespace tools {

namespace {

namespace tcp_flag = captures::packet::tcp_flag;

std::vector<std::byte> bytes_of(std::initializer_list<std::uint8_t> values) {
    std::vector<std::byte> bytes;
    for (const auto value : values) bytes.push_back(std::byte{value});
    return bytes;
}

void append(std::vector<std::byte>& bytes, std::initializer_list<std::uint8_t> values) {
    for (const auto value : values) bytes.push_back(std::byte{value});
}

constexpr std::uint8_t high(std::uint16_t value) { return static_cast<std::uint8_t>(value >> 8); }
constexpr std::uint8_t low(std::uint16_t value) { return static_cast<std::uint8_t>(value); }

constexpr std::uint16_t vlan_identifier_bits = 0x0fff;

}  // namespace

PacketBuilder tcp(Where from, Where to) { return {std::uint8_t{6}, from, to}; }
PacketBuilder udp(Where from, Where to) { return {std::uint8_t{17}, from, to}; }
PacketBuilder ip_protocol(std::uint8_t protocol, Where from, Where to) { return {protocol, from, to}; }

PacketBuilder icmp_error(std::uint8_t type, std::uint8_t code, Where from, Where to) {
    return PacketBuilder{std::uint8_t{1}, from, to}.icmp_type(type, code);
}

PacketBuilder icmp_echo(Where from, Where to) { return icmp_error(8, 0, from, to).payload("abcdefgh"); }

PacketBuilder arp(Where from, Where to) {
    auto bytes = bytes_of({0, 1, 8, 0, 6, 4, 0, 1, 2, 0});  // Ethernet, IPv4, request, and the sender's MAC begins
    bytes.resize(28);
    captures::base::store_be32(&bytes[10], from.endpoint.address.value);
    captures::base::store_be32(&bytes[14], from.endpoint.address.value);
    captures::base::store_be32(&bytes[24], to.endpoint.address.value);
    return {std::uint16_t{0x0806}, std::move(bytes)};
}

PacketBuilder ipv6() {
    auto bytes = bytes_of({0x60, 0,    0,    0,    0, 12, 17,   64,                                   // 12 bytes of UDP
                           0xfd, 0,    0,    0,    0, 0,  0,    0,    0,   0,   0,   0,  0, 0, 0, 1,  // source
                           0xfd, 0,    0,    0,    0, 0,  0,    0,    0,   0,   0,   0,  0, 0, 0, 2,  // destination
                           0x9c, 0x40, 0xc3, 0x85, 0, 12, 0xc6, 0x64, 'i', 'p', 'v', '6'});           // 40000 to 50053
    return {std::uint16_t{0x86dd}, std::move(bytes)};
}

PacketBuilder& PacketBuilder::ttl(std::uint8_t ttl) { return ttl_ = ttl, *this; }
PacketBuilder& PacketBuilder::id(std::uint16_t identification) { return identification_ = identification, *this; }
PacketBuilder& PacketBuilder::df(bool dont_fragment) { return dont_fragment_ = dont_fragment, *this; }

PacketBuilder& PacketBuilder::ip_options(std::initializer_list<std::uint8_t> bytes) {
    ip_options_ = bytes_of(bytes);
    ip_options_.resize((ip_options_.size() + 3) / 4 * 4);
    return *this;
}

PacketBuilder& PacketBuilder::total_length(std::uint16_t bytes) {
    return ip_byte(2, high(bytes)).ip_byte(3, low(bytes));
}

PacketBuilder& PacketBuilder::ip_byte(std::size_t offset, std::uint8_t value) {
    ip_pokes_.push_back({offset, value});
    return *this;
}

PacketBuilder& PacketBuilder::bad_ip_checksum() { return ip_sum_ = Sum::bad, *this; }
PacketBuilder& PacketBuilder::no_ip_checksum() { return ip_sum_ = Sum::none, *this; }
PacketBuilder& PacketBuilder::fragment(std::uint16_t offset, bool more) {
    fragment_offset_ = offset;
    more_fragments_ = more;
    return *this;
}

PacketBuilder& PacketBuilder::syn() { return flags(flags_ | tcp_flag::syn); }
PacketBuilder& PacketBuilder::ack() { return flags(flags_ | tcp_flag::ack); }
PacketBuilder& PacketBuilder::ack(std::uint32_t number) { return ack().ack_number(number); }
PacketBuilder& PacketBuilder::fin() { return flags(flags_ | tcp_flag::fin); }
PacketBuilder& PacketBuilder::rst() { return flags(flags_ | tcp_flag::rst); }
PacketBuilder& PacketBuilder::psh() { return flags(flags_ | tcp_flag::psh); }
PacketBuilder& PacketBuilder::urg() { return flags(flags_ | tcp_flag::urg); }
PacketBuilder& PacketBuilder::flags(std::uint8_t flags) { return flags_ = flags, *this; }
PacketBuilder& PacketBuilder::seq(std::uint32_t number) { return sequence_ = number, *this; }
PacketBuilder& PacketBuilder::ack_number(std::uint32_t number) { return acknowledgment_ = number, *this; }
PacketBuilder& PacketBuilder::window(std::uint16_t window) { return window_ = window, *this; }

PacketBuilder& PacketBuilder::mss(std::uint16_t bytes) {
    append(tcp_options_, {2, 4, high(bytes), low(bytes)});
    return *this;
}

PacketBuilder& PacketBuilder::window_scale(std::uint8_t shift) {
    append(tcp_options_, {1, 3, 3, shift});
    return *this;
}

PacketBuilder& PacketBuilder::sack_permitted() {
    append(tcp_options_, {4, 2});
    return *this;
}

PacketBuilder& PacketBuilder::timestamps(std::uint32_t value, std::uint32_t echo) {
    append(tcp_options_, {8, 10});
    tcp_options_.resize(tcp_options_.size() + 8);
    captures::base::store_be32(tcp_options_.data() + tcp_options_.size() - 8, value);
    captures::base::store_be32(tcp_options_.data() + tcp_options_.size() - 4, echo);
    return *this;
}

PacketBuilder& PacketBuilder::icmp_type(std::uint8_t type, std::uint8_t code) {
    icmp_type_ = type;
    icmp_code_ = code;
    return *this;
}

PacketBuilder& PacketBuilder::mtu(std::uint16_t bytes) { return icmp_rest_ = bytes, *this; }

PacketBuilder& PacketBuilder::payload(std::string_view text) {
    const auto bytes = std::as_bytes(std::span{text});
    payload_.assign(bytes.begin(), bytes.end());
    return *this;
}

PacketBuilder& PacketBuilder::payload(std::vector<std::byte> bytes) { return payload_ = std::move(bytes), *this; }

PacketBuilder& PacketBuilder::payload_size(std::size_t bytes) {
    payload_.resize(bytes);
    for (std::size_t i = 0; i < bytes; ++i) payload_[i] = static_cast<std::byte>(i);
    return *this;
}

PacketBuilder& PacketBuilder::transport_byte(std::size_t offset, std::uint8_t value) {
    transport_pokes_.push_back({offset, value});
    return *this;
}

PacketBuilder& PacketBuilder::bad_checksum() { return transport_sum_ = Sum::bad, *this; }
PacketBuilder& PacketBuilder::no_checksum() { return transport_sum_ = Sum::none, *this; }
PacketBuilder& PacketBuilder::on(captures::packet::LinkType type) { return link_.type = type, *this; }

PacketBuilder& PacketBuilder::vlan(std::uint16_t identifier) {
    link_.tags.push_back({0x8100, static_cast<std::uint16_t>(identifier & vlan_identifier_bits)});
    return *this;
}

PacketBuilder& PacketBuilder::qinq(std::uint16_t outer, std::uint16_t inner) {
    link_.tags.push_back({0x88a8, static_cast<std::uint16_t>(outer & vlan_identifier_bits)});
    return vlan(inner);
}

PacketBuilder& PacketBuilder::pad_to(std::size_t bytes, std::uint8_t with) {
    pad_to_ = bytes;
    padding_ = with;
    return *this;
}

PacketBuilder& PacketBuilder::snap(std::size_t bytes) { return snap_ = bytes, *this; }
PacketBuilder& PacketBuilder::at(captures::base::Time time) { return capture_.time = time, *this; }
PacketBuilder& PacketBuilder::after(captures::base::Duration since_start) { return at(start_time + since_start); }
PacketBuilder& PacketBuilder::side(captures::packet::Side side) { return capture_.side = side, *this; }
PacketBuilder& PacketBuilder::inside() { return side(captures::packet::Side::inside); }
PacketBuilder& PacketBuilder::number(std::uint64_t number) { return capture_.number = number, *this; }

}  // namespace tools
