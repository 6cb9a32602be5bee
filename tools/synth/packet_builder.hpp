#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "captures/base/address.hpp"
#include "captures/packet/frame.hpp"
#include "captures/packet/tcp.hpp"
#include "tools/synth/link_header.hpp"

namespace tools {

/// `a.b.c.d:port` or `a.b.c.d`, or the value. Text that is neither throws std::invalid_argument: what builds packets
/// is a test or a generator, and its author has to mend it.
struct Where {
    captures::base::Endpoint endpoint;
    bool has_port = false;

    Where(captures::base::Endpoint value) : endpoint{value}, has_port{true} {}
    Where(captures::base::Ipv4Address value) : endpoint{value, 0} {}
    Where(std::string_view text);
    Where(const char* text) : Where{std::string_view{text}} {}
    Where(const std::string& text) : Where{std::string_view{text}} {}
};

/// A frame with its own bytes. Views are taken from a named one only, so that none outlives it.
class OwnedFrame {
public:
    OwnedFrame(std::vector<std::byte> bytes, captures::packet::Frame properties)
        : bytes_{std::move(bytes)}, properties_{properties} {}

    [[nodiscard]] captures::packet::Frame frame() & noexcept {
        auto frame = properties_;
        frame.data = bytes_.data();
        frame.captured = static_cast<std::uint32_t>(bytes_.size());
        return frame;
    }
    operator captures::packet::Frame() & noexcept { return frame(); }
    [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

private:
    std::vector<std::byte> bytes_;
    captures::packet::Frame properties_;  // its data and captured are unused
};

/// When a frame was seen that says nothing else: 2026-01-31T09:30:00Z.
inline constexpr captures::base::Time start_time{std::chrono::sys_days{std::chrono::January / 31 / 2026} +
                                                 std::chrono::hours{9} + std::chrono::minutes{30}};

/// A packet, described. What is not said is as a sound sender would have it: lengths and checksums fit the bytes,
/// TTL 64, no flags, window 64240, Ethernet, outside. What is said is believed, sound or not.
class PacketBuilder {
public:
    PacketBuilder(std::uint8_t protocol, Where from, Where to);
    /// Something else than IPv4, e.g. ARP.
    PacketBuilder(std::uint16_t ethertype, std::vector<std::byte> content);

    // IPv4
    PacketBuilder& ttl(std::uint8_t ttl);
    PacketBuilder& id(std::uint16_t identification);
    PacketBuilder& df(bool dont_fragment = true);
    /// Options are padded to a multiple of 4 bytes with end-of-list.
    PacketBuilder& ip_options(std::initializer_list<std::uint8_t> bytes);
    PacketBuilder& total_length(std::uint16_t bytes);
    /// Any byte of the header, before its checksum is computed.
    PacketBuilder& ip_byte(std::size_t offset, std::uint8_t value);
    PacketBuilder& bad_ip_checksum();
    PacketBuilder& no_ip_checksum();  ///< 0, as captures from before checksum offload have it
    /// `offset` in bytes, a multiple of 8. Behind a first fragment there is no transport header: the payload is the
    /// fragment. To cut a whole datagram use `fragments_of`.
    PacketBuilder& fragment(std::uint16_t offset, bool more);

    // TCP
    PacketBuilder& syn();
    PacketBuilder& ack();
    PacketBuilder& ack(std::uint32_t number);  ///< the flag and its number
    PacketBuilder& fin();
    PacketBuilder& rst();
    PacketBuilder& psh();
    PacketBuilder& urg();
    PacketBuilder& flags(std::uint8_t flags);
    PacketBuilder& seq(std::uint32_t number);
    PacketBuilder& ack_number(std::uint32_t number);
    PacketBuilder& window(std::uint16_t window);
    PacketBuilder& mss(std::uint16_t bytes);
    PacketBuilder& window_scale(std::uint8_t shift);
    PacketBuilder& sack_permitted();
    PacketBuilder& timestamps(std::uint32_t value, std::uint32_t echo);

    // ICMP
    PacketBuilder& icmp_type(std::uint8_t type, std::uint8_t code);
    PacketBuilder& mtu(std::uint16_t bytes);  ///< next-hop MTU of type 3 code 4 (RFC 1191)
    /// The quoted datagram's IPv4 header and so many bytes behind it.
    PacketBuilder& quoting(const PacketBuilder& packet, std::size_t bytes = 8);
    PacketBuilder& quoting(const captures::packet::Frame& frame, std::size_t bytes = 8);
    PacketBuilder& bad_quoted_ip_checksum();  ///< of the packet quoted before

    // TCP, UDP, ICMP and others
    PacketBuilder& payload(std::string_view text);
    PacketBuilder& payload(std::vector<std::byte> bytes);
    PacketBuilder& payload_size(std::size_t bytes);  ///< bytes that count 0, 1, 2 …
    /// Any byte of the transport header, before its checksum is computed.
    PacketBuilder& transport_byte(std::size_t offset, std::uint8_t value);
    PacketBuilder& bad_checksum();
    PacketBuilder& no_checksum();  ///< 0; UDP allows it

    // Link layer
    PacketBuilder& on(captures::packet::LinkType type);
    PacketBuilder& vlan(std::uint16_t identifier);  ///< adds an 802.1Q tag inside those before
    PacketBuilder& qinq(std::uint16_t outer, std::uint16_t inner);
    PacketBuilder& pad_to(std::size_t bytes, std::uint8_t with = 0);

    // The capture
    PacketBuilder& snap(std::size_t bytes);
    PacketBuilder& at(captures::base::Time time);
    PacketBuilder& after(captures::base::Duration since_start);  ///< at start_time + this
    PacketBuilder& side(captures::packet::Side side);
    PacketBuilder& inside();
    PacketBuilder& number(std::uint64_t number);

    [[nodiscard]] std::size_t header_length() const;  ///< of IPv4, options included
    /// The network layer, whole.
    [[nodiscard]] std::vector<std::byte> datagram() const;
    [[nodiscard]] OwnedFrame build() const { return frame_around(datagram()); }
    /// Other content, in this packet's link layer and capture.
    [[nodiscard]] OwnedFrame frame_around(const std::vector<std::byte>& network_layer) const;

private:
    struct Poke {
        std::size_t offset;
        std::uint8_t value;
    };

    [[nodiscard]] std::vector<std::byte> transport() const;
    void add_tcp_header(std::vector<std::byte>& bytes) const;
    void write_transport_checksum(std::vector<std::byte>& bytes) const;
    [[nodiscard]] std::size_t checksum_offset() const;

    captures::base::Endpoint source_;
    captures::base::Endpoint destination_;
    std::optional<std::vector<std::byte>> content_;  // of what is not IPv4
    std::vector<std::byte> payload_;
    std::vector<std::byte> ip_options_;
    std::vector<std::byte> tcp_options_;
    std::vector<Poke> ip_pokes_;
    std::vector<Poke> transport_pokes_;
    LinkHeader link_;
    captures::packet::Frame capture_{};
    std::size_t pad_to_ = 0;
    std::size_t snap_ = SIZE_MAX;
    std::uint32_t sequence_ = 0;
    std::uint32_t acknowledgment_ = 0;
    std::uint32_t icmp_rest_ = 0;  // of the ICMP header
    std::uint16_t window_ = 64240;
    std::uint16_t identification_ = 0;
    std::uint16_t fragment_offset_ = 0;
    std::uint8_t protocol_ = 0;
    std::uint8_t ttl_ = 64;
    std::uint8_t flags_ = 0;
    std::uint8_t icmp_type_ = 0;
    std::uint8_t icmp_code_ = 0;
    std::uint8_t padding_ = 0;
    enum class Sum : std::uint8_t { good, bad, none } ip_sum_ = Sum::good, transport_sum_ = Sum::good;
    bool dont_fragment_ = false;
    bool more_fragments_ = false;
};

[[nodiscard]] PacketBuilder tcp(Where from, Where to);
[[nodiscard]] PacketBuilder udp(Where from, Where to);
/// An ICMP error; `quoting` says about what.
[[nodiscard]] PacketBuilder icmp_error(std::uint8_t type, std::uint8_t code, Where from, Where to);
[[nodiscard]] PacketBuilder icmp_echo(Where from, Where to);
/// IPv4 with another protocol and no header behind it.
[[nodiscard]] PacketBuilder ip_protocol(std::uint8_t protocol, Where from, Where to);
/// A broadcast ARP request.
[[nodiscard]] PacketBuilder arp(Where from, Where to);
/// A UDP packet from fd00::1 to fd00::2.
[[nodiscard]] PacketBuilder ipv6();

/// One fragment of a datagram: `size` bytes from `offset` on, of what is behind the IPv4 header. `offset` is a
/// multiple of 8; the end is cut to the datagram's. The more-fragments flag is set unless it ends the datagram.
[[nodiscard]] OwnedFrame fragment_of(const PacketBuilder& packet, std::size_t offset, std::size_t size);

/// A datagram in fragments of `size` bytes, a multiple of 8.
[[nodiscard]] std::vector<OwnedFrame> fragments_of(const PacketBuilder& packet, std::size_t size);

}  // namespace tools
