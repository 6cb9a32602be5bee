#pragma once

#include "captures/base/checksum.hpp"
#include "captures/packet/packet.hpp"
#include "tools/synth/packet_builder.hpp"

namespace tools {

/// A TCP or UDP packet of which millions are sent with other endpoints: its fields are replaced in place, its
/// checksums updated.
class PatchedPacket {
public:
    explicit PatchedPacket(const PacketBuilder& packet);
    PatchedPacket(const PatchedPacket&) = delete;
    PatchedPacket& operator=(const PatchedPacket&) = delete;
    ~PatchedPacket() = default;

    void set_source(captures::base::Endpoint endpoint) noexcept { set_endpoint(12, 0, endpoint); }
    void set_destination(captures::base::Endpoint endpoint) noexcept { set_endpoint(16, 2, endpoint); }
    void set_sequence(std::uint32_t number) noexcept { set_tcp_number(4, number); }
    void set_acknowledgment(std::uint32_t number) noexcept { set_tcp_number(8, number); }

    [[nodiscard]] captures::packet::Frame frame() noexcept { return frame_; }

private:
    void set_endpoint(std::size_t address_offset, std::size_t port_offset, captures::base::Endpoint endpoint) noexcept;
    void set_tcp_number(std::size_t offset, std::uint32_t number) noexcept;
    void update_transport_checksum(captures::base::ChecksumDelta delta) noexcept;

    OwnedFrame owned_;
    captures::packet::Frame frame_;
    captures::packet::Packet packet_;
};

}  // namespace tools
