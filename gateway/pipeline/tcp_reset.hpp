#pragma once

#include <array>
#include <cstdint>

#include "captures/base/address.hpp"
#include "captures/packet/frame.hpp"

namespace gateway::pipeline {

/// A TCP RST that the firewall sends in somebody's name.
struct Reset {
    captures::base::Endpoint from;
    captures::base::Endpoint to;
    std::uint32_t sequence = 0;  ///< exactly what the receiver expects next, so that it is believed (RFC 5961 §3.2)
    std::uint32_t acknowledgment = 0;
    bool acknowledges = true;  ///< false: the receiver has not sent anything yet
};

/// Such a RST as a frame: 40 bytes of IPv4 and TCP, TTL 64, DF, behind a link-layer header of the given type. A capture does
/// not tell the gateway's own MAC addresses, so Ethernet frames carry locally administered ones: 02:50:43:00:00:01
/// (the gateway) to 02:50:43:00:00:02.
class ResetFrame {
public:
    ResetFrame(const Reset& reset, captures::packet::LinkType link_type, captures::packet::Side side,
               captures::base::Time time) noexcept;
    ResetFrame(const ResetFrame&) = delete;
    ResetFrame& operator=(const ResetFrame&) = delete;
    ~ResetFrame() = default;

    /// Number 0; points into this object.
    [[nodiscard]] const captures::packet::Frame& frame() const noexcept { return frame_; }

private:
    std::array<std::byte, 64> bytes_{};
    captures::packet::Frame frame_;
};

}  // namespace gateway::pipeline
