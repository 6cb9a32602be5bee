#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "captures/port/port.hpp"

namespace captures::port {

/// A port by AF_XDP: frames go past the kernel's stack between the interface's driver and this process's memory. Needs
/// CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF and Linux 5.10.
///
/// Theory of operation: `XdpProgram` steers each receive queue to two sockets of its own (Lanes), which share memory; the
/// first one of all sends as well. Frames are handed out where they arrived; one to be sent is copied into
/// the memory, since it lies in another port's, and one system call sends a burst. XDP in the driver if
/// that has it, without copies if it can do that, too; else on the kernel's generic hook.
///
/// Nothing tells of offloads. Partial checksums (of a veth's peer) are recognised as in `live_port`, and completed
/// when they leave; what is sent is complete. Merged frames do not arrive: XDP sees frames before GRO, and a veth's peer
/// segments what it sends once XDP is in the driver. On the generic hook merged frames of a virtual interface's
/// other end can arrive; they do not fit into a chunk, and are lost and counted. `packet_ring` carries them.
///
/// Refused, with the reason: an MTU that does not fit into a chunk (3818), an XDP program of somebody else, another socket on
/// a queue. Queues that are added while it runs are not used.
[[nodiscard]] tl::expected<std::unique_ptr<Port>, std::string> open_xdp_port(const std::string& interface);

}  // namespace captures::port
