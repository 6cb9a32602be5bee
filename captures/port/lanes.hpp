#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

#include "captures/packet/frame.hpp"

namespace captures::port {

/// A queue of the kernel's for what arrives at an interface, as a driver reads it.
template <class Type>
concept ArrivalQueue = requires(Type queue, std::span<packet::Frame> frames, std::size_t count,
                                const packet::Frame& received) {
    /// False: some that were received must be released before more can be.
    { queue.can_receive() } -> std::same_as<bool>;
    /// Fills `frames` with what has arrived, in order; at most so many, 0 if there is nothing.
    { queue.receive(frames) } -> std::same_as<std::size_t>;
    /// The caller is done with the oldest so many of those that were received.
    queue.release(count);
    /// When one that was received arrived, by a clock that both queues of an interface have.
    { std::as_const(queue).time_of(received) } -> std::same_as<base::Time>;
};

/// What arrives at an interface, from two queues, in the order in which it arrived.
///
/// Theory of operation. What belongs to connections that have begun, TCP segments without SYN, has a queue of its own;
/// what anybody sends unasked, SYNs, datagrams, fragments and all the rest, has another. So a flood of these finds their
/// queue full, and no connection loses a segment to it: TCP would take that for a narrow road and send next to nothing. To
/// whoever reads, the two are one: of two frames the one that came first is first, for a connection's SYN must not be
/// overtaken. No clock is needed to know that: what a queue has, when the other one was looked at and found empty
/// afterwards, is older than all that comes there.
///
/// What was not done: the queue of connections first, which is out of order; a queue for datagrams, whose senders nobody
/// tells apart by looking at one packet. A flood of segments without SYN still fills the connections' queue.
template <ArrivalQueue Queue>
class Lanes {
public:
    Lanes(Queue connections, Queue others) : connections_{std::move(connections)}, others_{std::move(others)} {}

    /// As Port's.
    [[nodiscard]] std::size_t receive(std::span<packet::Frame> frames) {
        frames = frames.first(std::min(frames.size(), packet::burst_capacity));
        connections_.release();
        others_.release();
        std::size_t count = 0;
        while (count < frames.size() && look()) count += hand_out(frames.subspan(count));
        return count;
    }

    [[nodiscard]] Queue& connections() noexcept { return connections_.queue; }
    [[nodiscard]] Queue& others() noexcept { return others_.queue; }

private:
    struct Lane {
        Queue queue;
        std::array<packet::Frame, packet::burst_capacity> received{};
        std::size_t next = 0;  ///< of these, the first that was not handed out
        std::size_t end = 0;

        [[nodiscard]] bool is_empty() const noexcept { return next == end; }
        [[nodiscard]] base::Time time() const noexcept { return queue.time_of(received[next]); }

        void release() {
            queue.release(next);
            std::copy(received.begin() + next, received.begin() + end, received.begin());
            end -= std::exchange(next, 0);
        }
        /// False: there is no room to hear with.
        [[nodiscard]] bool receive() {
            if (end == received.size() || !queue.can_receive()) return false;
            end += queue.receive(std::span{received}.subspan(end));
            return true;
        }
        std::size_t hand_out(std::span<packet::Frame> frames) noexcept {
            const auto count = std::min(frames.size(), end - next);
            std::copy_n(received.begin() + next, count, frames.begin());
            next += count;
            return count;
        }
    };

    /// False: there is nothing, or it cannot be known to be the oldest. Afterwards, an empty lane was looked at when
    /// the other had what it has. To look at an empty one may be a system call, so the one that was not is looked at first.
    [[nodiscard]] bool look() {
        auto& first = others_were_last_ ? others_ : connections_;
        auto& second = others_were_last_ ? connections_ : others_;
        if (first.is_empty() && !first.receive()) return false;
        if (second.is_empty()) {
            if (!second.receive()) return false;
            if (first.is_empty() && !second.is_empty() && !first.receive()) return false;
        }
        return !first.is_empty() || !second.is_empty();
    }

    /// Until one of them has been handed out that was not empty.
    std::size_t hand_out(std::span<packet::Frame> frames) noexcept {
        others_were_last_ = connections_.is_empty();
        if (connections_.is_empty()) return others_.hand_out(frames);
        if (others_.is_empty()) return connections_.hand_out(frames);
        std::size_t count = 0;
        while (count < frames.size() && !connections_.is_empty() && !others_.is_empty()) {
            auto& older = others_.time() < connections_.time() ? others_ : connections_;
            frames[count++] = older.received[older.next++];
        }
        return count;
    }

    Lane connections_;
    Lane others_;
    bool others_were_last_ = false;
};

}  // namespace captures::port
