#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "captures/packet/frame.hpp"
#include "captures/packet/packet.hpp"

namespace gateway::live {

/// What the gateway tells the sender of a packet that it does not forward.
struct IcmpError {
    enum class Kind : std::uint8_t {
        host_unreachable,      ///< 3/1
        fragmentation_needed,  ///< 3/4 (RFC 1191)
        time_exceeded,         ///< 11/0
    };
    Kind kind = Kind::host_unreachable;
    captures::base::Ipv4Address source;  ///< whom the sender hears it from
    std::uint16_t next_hop_mtu = 0;      ///< of fragmentation_needed
};

/// Whether a packet may have an ICMP error at all (RFC 1812 §4.3.2.7): a whole TCP or UDP datagram or the first
/// fragment of one, from one host to one host, in the link layer, too. Nothing else that the gateway forwards may.
[[nodiscard]] bool may_be_answered(const captures::packet::Frame& frame,
                                   const captures::packet::Packet& packet) noexcept;

/// An ICMP error in an Ethernet frame without MAC addresses, for the side where the packet came from: TTL 64, DF,
/// precedence 6 (§4.3.2.5). It quotes the packet as it is, as much as 576 bytes take (§4.3.2.3); of a frame that
/// stands for several segments the first one, whose length is what the sender's TCP looks for.
///
/// Precondition: `may_be_answered`; the packet is not translated yet.
class IcmpErrorFrame {
public:
    static constexpr std::size_t longest_datagram = 576;

    IcmpErrorFrame(const IcmpError& error, const captures::packet::Frame& about,
                   const captures::packet::Packet& packet) noexcept;
    IcmpErrorFrame(const IcmpErrorFrame&) = delete;
    IcmpErrorFrame& operator=(const IcmpErrorFrame&) = delete;
    ~IcmpErrorFrame() = default;

    /// Number 0; points into this object.
    [[nodiscard]] const captures::packet::Frame& frame() const noexcept { return frame_; }

private:
    std::array<std::byte, 14 + longest_datagram> bytes_{};
    captures::packet::Frame frame_;
};

/// How often the gateway may send ICMP errors (RFC 1812 §4.3.2.8): a token bucket, as the time at which it is full
/// again.
class IcmpBudget {
public:
    static constexpr std::uint32_t per_second = 100;
    static constexpr std::uint32_t burst = 50;

    /// Whether one more may be sent now. A clock that steps back gives nothing.
    [[nodiscard]] bool take(captures::base::Time now) noexcept;

private:
    captures::base::Time full_at_ = captures::base::Time::min();
};

}  // namespace gateway::live
