#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <sys/socket.h>
#include <sys/uio.h>

#include <tl/expected.hpp>

#include "captures/base/file_descriptor.hpp"
#include "captures/packet/frame.hpp"
#include "captures/port/interface.hpp"
#include "captures/port/vnet_header.hpp"

namespace captures::port {

/// Frames that leave by an interface, many with one system call, each with what the kernel shall do to it (packet(7),
/// PACKET_VNET_HDR; sendmmsg(2)).
///
/// What was not done. PACKET_TX_RING: small frames would cost a sixth less, but 64 KB more than twice as much, since
/// they would be copied to the ring first, and on a veth the kernel copies them out again page by page.
/// PACKET_QDISC_BYPASS: no faster on a veth, and what the interface cannot cut is lost instead of being cut before it.
class SendBatch {
public:
    [[nodiscard]] static tl::expected<SendBatch, std::string> open(const Interface& interface);

    /// As Port's. False: it cannot be sent as it is.
    bool add(const packet::Frame& frame);
    void flush();

    struct Numbers {
        std::uint64_t sent = 0;
        std::uint64_t sent_bytes = 0;
        std::uint64_t not_sent = 0;
    };
    [[nodiscard]] const Numbers& numbers() const noexcept { return numbers_; }

private:
    /// What the kernel reads, at a fixed place.
    struct Messages {
        std::array<VnetHeader, packet::burst_capacity> headers;
        std::array<std::array<iovec, 2>, packet::burst_capacity> parts;
        std::array<mmsghdr, packet::burst_capacity> messages;
    };

    SendBatch() = default;

    base::FileDescriptor socket_;
    std::unique_ptr<Messages> batch_;
    std::size_t count_ = 0;
    Numbers numbers_;
};

}  // namespace captures::port
