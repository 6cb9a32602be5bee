#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "captures/packet/packet.hpp"
#include "captures/port/port.hpp"

namespace bench {

/// TCP's timestamps (RFC 7323). Linux does not use a port in TIME-WAIT again with a peer that has none.
struct Timestamps {
    std::uint32_t value = 0;
    std::uint32_t echo = 0;
};

/// A TCP segment that has come, sound and whole.
struct Arrival {
    captures::packet::Packet packet;
    captures::port::MacAddress sender{};
    std::span<const std::byte> payload;

    [[nodiscard]] std::optional<Timestamps> timestamps() const noexcept;
};

/// A TCP segment to send. With SYN it tells the MSS.
struct Segment {
    captures::port::MacAddress receiver{};
    captures::base::Endpoint from;
    captures::base::Endpoint to;
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgment = 0;
    std::uint8_t flags = 0;
    std::optional<Timestamps> timestamps;
    std::span<const std::byte> payload;

    static constexpr std::size_t largest_payload = 1400;
};

/// TCP segments over an interface, in bursts, past the kernel's stack: for ends that cost less than what is between them.
class TcpWire {
public:
    /// Ends the program if it cannot be opened.
    explicit TcpWire(const std::string& interface);

    /// What has come; if nothing has, waits as long for it. Valid until the next call. As a stack does, it passes over
    /// segments whose checksum is wrong.
    [[nodiscard]] std::span<const Arrival> receive(std::chrono::milliseconds wait);
    /// Its payload is not needed afterwards.
    void send(const Segment& segment);
    void flush();

private:
    using Buffer = std::array<std::byte, 1536>;

    std::unique_ptr<captures::port::Port> port_;
    captures::port::MacAddress mac_{};
    captures::packet::Burst burst_;
    std::vector<Arrival> arrivals_;
    std::vector<Buffer> buffers_;
    std::size_t used_ = 0;  ///< buffers that are to be flushed
};

}  // namespace bench
