#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "captures/port/port.hpp"

namespace captures::port {

/// A port by packet sockets: the driver for traffic as it comes. Needs CAP_NET_RAW and CAP_NET_ADMIN.
///
/// Theory of operation: frames arrive in a ring (`receive_ring.hpp`) and leave in batches (`send_batch.hpp`), both with
/// PACKET_VNET_HDR. So what offloads leave undone is passed on as it came: a partial checksum is completed, and a
/// super-frame cut, by the interface or by the kernel in front of it, and on a veth never. Nothing of the interface
/// is turned off. Not promiscuous.
[[nodiscard]] tl::expected<std::unique_ptr<Port>, std::string> open_packet_ring(const std::string& interface);

}  // namespace captures::port
