#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "captures/packet/frame.hpp"

namespace captures::port {

using MacAddress = std::array<std::byte, 6>;

/// An interface of one side of a live gateway: Ethernet frames come and go. One thread uses it.
///
/// What the interface's offloads leave undone comes with the frame (`Frame::offload`), and `send` takes it back: a driver
/// that cannot hand it to the interface does it itself. So nobody between two ports looks at transport checksums
/// or segments.
class Port {
public:
    Port() = default;
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
    virtual ~Port() = default;

    /// Fills at most `frames` with what has arrived, in order, and returns how many: 0 if nothing is there, never waits.
    /// Sets data, captured, length and offload; time, number and side are the caller's. Bytes stay valid and
    /// writable until the next call of `receive`. Frames that this process sent are not among them.
    [[nodiscard]] virtual std::size_t receive(std::span<packet::Frame> frames) = 0;

    /// Takes a frame to send; its bytes (which it may change, as to fill in checksums) are not needed after the next `flush`.
    /// False: there is no room or the interface refused it, and the frame is lost and counted. Never waits.
    virtual bool send(const packet::Frame& frame) = 0;

    /// Sends what `send` took.
    virtual void flush() = 0;

    /// Once `receive` has found nothing: readable when it would find something, or when the interface has failed.
    [[nodiscard]] virtual int descriptor() const noexcept = 0;

    /// False once the interface is gone or down for good: then it must be opened anew.
    [[nodiscard]] virtual bool works() const noexcept = 0;

    struct Numbers {
        std::uint64_t received = 0;
        std::uint64_t received_bytes = 0;
        std::uint64_t sent = 0;
        std::uint64_t sent_bytes = 0;
        std::uint64_t not_received = 0;  ///< lost before they reached this process: it was too slow
        std::uint64_t not_sent = 0;
    };
    [[nodiscard]] virtual Numbers numbers() = 0;
};

}  // namespace captures::port
