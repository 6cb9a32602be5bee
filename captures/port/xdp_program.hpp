#pragma once

#include <cstdint>
#include <string>

#include <tl/expected.hpp>

#include "captures/base/file_descriptor.hpp"
#include "captures/port/interface.hpp"

namespace captures::port {

/// The XDP program of an interface: each frame goes to one of two AF_XDP sockets of the receive queue on which it arrived,
/// TCP segments without SYN (of IPv4, whole) to one and all else to the other (see Lanes). Where there is none it is dropped.
///
/// Before the frame it leaves eight bytes with the time of its arrival: nanoseconds of CLOCK_MONOTONIC in this machine's
/// byte order. Where an interface has no room for them all frames go to the second socket, and need no time.
///
/// Theory of operation: some forty instructions, written out here and given to the kernel as they are, so that neither a
/// compiler nor an object file is needed where it runs. (libxdp's own would be loaded from libxdp1's folder of object
/// files together with its dispatcher, and lets frames without a socket pass on to the kernel.) It is attached by a
/// bpf_link: when the last descriptor of that is closed, by destruction or since the process was killed, the kernel takes
/// the program off. So there is no stale one to be replaced; one of somebody else is left alone.
class XdpProgram {
public:
    /// Attaches to the driver if it supports XDP, else to the kernel's generic hook. Needs CAP_BPF, CAP_NET_ADMIN and
    /// Linux 5.9. The error is for a person.
    [[nodiscard]] static tl::expected<XdpProgram, std::string> attach(const Interface& interface);

    /// From now on frames of the queue, below the interface's number of queues, go to these AF_XDP sockets.
    [[nodiscard]] bool steer(std::uint32_t queue, int connections, int others) noexcept;

    /// In the driver, before the kernel makes a buffer of its own for the frame.
    [[nodiscard]] bool is_native() const noexcept { return native_; }

private:
    XdpProgram() = default;

    base::FileDescriptor sockets_;  ///< BPF map: two for each queue
    base::FileDescriptor link_;
    bool native_ = false;
};

/// As `interface_error`, of what the xdp driver needs.
[[nodiscard]] std::string xdp_error(const Interface& interface, const std::string& what, int error_number);

}  // namespace captures::port
