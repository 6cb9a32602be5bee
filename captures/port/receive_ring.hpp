#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <tl/expected.hpp>

#include "captures/base/file_descriptor.hpp"
#include "captures/base/mapped_memory.hpp"
#include "captures/packet/frame.hpp"
#include "captures/port/arrival_filter.hpp"
#include "captures/port/interface.hpp"
#include "captures/port/vnet_header.hpp"

namespace captures::port {

/// A share of what arrives at an interface, through memory shared with the kernel (packet(7), PACKET_RX_RING with TPACKET_V2
/// and PACKET_VNET_HDR): an ArrivalQueue.
///
/// Theory of operation. A slot takes a frame of the interface's MTU. Of a longer one, several segments in one, it holds
/// the beginning, and the kernel queues the whole on the socket (PACKET_COPY_THRESH): both in one order, so a slot that
/// says so is followed by a read. Thus small slots, which the caches like, hold millions of small packets a second, and
/// 64 KB at once cost one more system call. What was not done: TPACKET_V3, whose blocks are handed over when full or
/// after a millisecond at the earliest, which is latency; slots of 64 KB, of which the same memory holds 30 times fewer.
class ReceiveRing {
public:
    [[nodiscard]] static tl::expected<ReceiveRing, std::string> open(const Interface& interface, Share share);

    [[nodiscard]] bool can_receive() const noexcept { return whole_size_ < whole_bytes; }
    /// At most as many as `burst_capacity` that are not released.
    [[nodiscard]] std::size_t receive(std::span<packet::Frame> frames);
    void release(std::size_t count) noexcept;
    [[nodiscard]] static base::Time time_of(const packet::Frame& frame) noexcept { return frame.time; }

    /// Readable when `hear` would find something, or when the interface has failed.
    [[nodiscard]] int descriptor() const noexcept { return socket_.number(); }
    /// False from the first error of reading on.
    [[nodiscard]] bool works() const noexcept { return works_; }
    /// Frames that found no room, or came in a form that nobody can know, since the start.
    [[nodiscard]] std::uint64_t lost();

private:
    class Slot;
    /// Of whole frames at a time: what the second-level cache holds until they are sent on.
    static constexpr std::size_t whole_bytes = 1U << 19;

    ReceiveRing() = default;
    [[nodiscard]] Slot slot(std::uint32_t index) const noexcept;
    [[nodiscard]] bool take(const Slot& slot, packet::Frame& frame);
    [[nodiscard]] bool read_whole(packet::Frame& frame, VnetHeader& offload);

    base::FileDescriptor socket_;
    base::MappedMemory memory_;
    std::uint32_t slot_size_ = 0;
    std::uint32_t slots_ = 0;
    std::uint32_t slots_a_block_ = 0;
    std::uint32_t next_ = 0;  ///< slot that is filled next
    std::uint32_t used_ = 0;  ///< slots before it that are still the caller's, or of lost frames
    std::size_t held_ = 0;    ///< frames that were received and not released
    std::array<std::uint32_t, packet::burst_capacity>
        used_for_;  ///< slots that are free when so many of them are released, and one
    std::unique_ptr<std::byte[]> whole_;
    std::size_t whole_size_ = 0;  ///< of it, taken since nothing was held
    std::uint64_t lost_ = 0;
    bool works_ = true;
};

}  // namespace captures::port
