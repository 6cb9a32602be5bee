#pragma once

#include <algorithm>
#include <chrono>

#include "captures/base/time.hpp"

namespace dnat {

/// How long a flow may be silent, or linger. All settable; at its deadline a flow is gone, a nanosecond before it lives.
struct Timeouts {
    /// TCP between outside and inside; on expiry the firewall sends RST to both (learn.microsoft.com:
    /// azure/firewall/tcp-session-behavior: 4 minutes, up to 15 by support ticket).
    captures::base::Duration tcp_idle = std::chrono::seconds{240};
    /// TCP that arrived on the private IP; no RST (same page: 5 minutes, fixed).
    captures::base::Duration tcp_idle_east_west = std::chrono::seconds{300};
    /// TCP being opened, closed by both sides, or reset (RFC 5382 REQ-5, RFC 7857 §2: 4 minutes).
    captures::base::Duration tcp_transitory = std::chrono::seconds{240};
    /// Undocumented for Azure Firewall; Azure Load Balancer's 4 minutes (RFC 4787 REQ-5 asks for at least 2).
    captures::base::Duration udp_idle = std::chrono::seconds{240};
    /// How long a datagram's fragments are waited for (Linux' ipfrag_time).
    captures::base::Duration fragment = std::chrono::seconds{30};

    /// No flow that is used now can be gone before this.
    [[nodiscard]] captures::base::Duration shortest() const noexcept {
        return std::min({tcp_idle, tcp_idle_east_west, tcp_transitory, udp_idle, fragment});
    }
};

}  // namespace dnat
