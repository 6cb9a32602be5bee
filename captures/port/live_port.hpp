#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "captures/port/port.hpp"

namespace captures::port {

/// A port by libpcap: the driver that works with every interface. Needs CAP_NET_RAW.
///
/// Theory of operation: immediate mode, each frame copied once out of libpcap's ring, since its slot is free again
/// before the burst is handled; one system call for each frame sent. Not promiscuous. libpcap hides what the kernel
/// knows of offloads, so they are recognised: a checksum field that holds what a partial one does is taken for one
/// (`looks_partial` says why that is safe), and TCP in a datagram beyond the MTU for segments as large as the
/// MTU permits. TCP is a stream, so other cuts than the sender's change nothing. UDP beyond the MTU is
/// datagrams whose borders nobody can know: it is lost (`not_received`). `packet_ring` carries it.
/// Checksums and segments of what is sent are made in software.
[[nodiscard]] tl::expected<std::unique_ptr<Port>, std::string> open_live_port(const std::string& interface);

}  // namespace captures::port
