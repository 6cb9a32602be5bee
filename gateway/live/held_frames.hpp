#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "captures/packet/frame.hpp"

namespace gateway::live {

/// Copies of frames that wait for a neighbour's MAC address, in queues; all is bounded. Buffers of common size are kept
/// for the next ones.
class HeldFrames {
public:
    static constexpr std::uint32_t most_of_a_queue = 64;  ///< connections that begin at once
    static constexpr std::uint32_t most_frames = 1024;
    static constexpr std::size_t most_bytes = std::size_t{4} << 20;

    HeldFrames();

    /// Empty at first. Belongs to one HeldFrames, which must drain it before it is forgotten.
    struct Queue {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
        std::uint32_t count = 0;
    };

    enum class Outcome : std::uint8_t {
        held,
        displaced,  ///< held, in place of the queue's oldest: the latest is worth most (RFC 1122 §2.3.2.2)
        no_room,
    };
    Outcome hold(Queue& queue, const captures::packet::Frame& frame);

    /// Empties a queue: calls `use(frame)` for each, oldest first. The bytes are writable, and valid during the call
    /// only.
    template <class Use>
    void drain(Queue& queue, Use use) {
        while (queue.count > 0) {
            use(slots_[queue.first].frame);
            drop_oldest(queue);
        }
    }

    [[nodiscard]] std::size_t frames() const noexcept { return slots_.size() - free_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    struct Slot {
        captures::packet::Frame frame;
        std::vector<std::byte> bytes;
        std::uint32_t next = 0;
    };

    void drop_oldest(Queue& queue) noexcept;

    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::size_t bytes_ = 0;
};

}  // namespace gateway::live
