#pragma once

#include <cstdint>
#include <string>

namespace captures::port {

/// The two shares of what arrives at an interface: TCP segments without SYN (of IPv4, whole), and all else. See Lanes.
enum class Share : std::uint8_t { connections, others };

/// A filter of pcap-filter(7), for Ethernet.
[[nodiscard]] std::string filter_expression(Share share);

/// Lets a packet socket that is not bound yet have this share only. False: errno tells why.
[[nodiscard]] bool take_only(int socket, Share share);

}  // namespace captures::port
