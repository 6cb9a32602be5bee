#pragma once

#include <cassert>
#include <cstdint>
#include <optional>

#include "captures/base/time.hpp"
#include "dnat/flow.hpp"
#include "dnat/huge_array.hpp"

namespace dnat {

/// Flows by deadline: a four-way heap that can move any entry.
///
/// Entries may be early: a flow that is used again keeps its place, and its true deadline is computed when the entry
/// comes to the top. So a packet costs the queue nothing, and an active flow comes up once per timeout. A deadline
/// that moves earlier must be told by `put`. Lists by last use, one per timeout class, would do without the
/// logarithm, but either cost two cache misses a packet or lose the exact order of expiry, and with it the
/// byte-identical replay.
class ExpiryQueue {
public:
    explicit ExpiryQueue(std::uint32_t capacity) : heap_(std::size_t{capacity} + 1), place_(capacity) {}

    struct Entry {
        captures::base::Time deadline;
        FlowIndex flow = no_flow;

        /// Equal deadlines are ordered by flow, so that replay is deterministic.
        [[nodiscard]] bool before(const Entry& other) const noexcept {
            return deadline != other.deadline ? deadline < other.deadline : flow < other.flow;
        }
    };

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// Precondition: not empty.
    [[nodiscard]] const Entry& top() const noexcept {
        assert(!empty());
        return heap_[0];
    }

    /// Inserts a flow, or moves it.
    void put(FlowIndex flow, captures::base::Time deadline) noexcept;
    /// Only if that is earlier than what is noted.
    void put_earlier(FlowIndex flow, captures::base::Time deadline) noexcept;
    /// Removes a flow; ignored if it is not there.
    void remove(FlowIndex flow) noexcept;

    [[nodiscard]] std::size_t bytes() const noexcept { return heap_.bytes() + place_.bytes(); }

private:
    void sift_up(std::uint32_t hole, Entry entry) noexcept;
    void sift_down(std::uint32_t hole, Entry entry) noexcept;
    void set(std::uint32_t at, Entry entry) noexcept;

    HugeArray<Entry> heap_;
    HugeArray<std::uint32_t> place_;  ///< index into heap_ plus one; 0: not there
    std::uint32_t size_ = 0;
};

}  // namespace dnat
