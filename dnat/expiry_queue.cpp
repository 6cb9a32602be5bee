#include "dnat/expiry_queue.hpp"

namespace dnat {

namespace {
constexpr std::uint32_t ways = 4;
}

void ExpiryQueue::put(FlowIndex flow, captures::base::Time deadline) noexcept {
    const Entry entry{deadline, flow};
    if (place_[flow] == 0) return sift_up(size_++, entry);
    const auto at = place_[flow] - 1;
    if (entry.before(heap_[at])) {
        sift_up(at, entry);
    } else {
        sift_down(at, entry);
    }
}

void ExpiryQueue::put_earlier(FlowIndex flow, captures::base::Time deadline) noexcept {
    if (place_[flow] == 0 || deadline < heap_[place_[flow] - 1].deadline) put(flow, deadline);
}

void ExpiryQueue::remove(FlowIndex flow) noexcept {
    if (place_[flow] == 0) return;
    const auto at = place_[flow] - 1;
    place_[flow] = 0;
    const auto last = heap_[--size_];
    if (last.flow == flow) return;
    if (last.before(heap_[at])) {
        sift_up(at, last);
    } else {
        sift_down(at, last);
    }
}

void ExpiryQueue::sift_up(std::uint32_t hole, Entry entry) noexcept {
    while (hole > 0) {
        const auto parent = (hole - 1) / ways;
        if (!entry.before(heap_[parent])) break;
        set(hole, heap_[parent]);
        hole = parent;
    }
    set(hole, entry);
}

void ExpiryQueue::sift_down(std::uint32_t hole, Entry entry) noexcept {
    for (;;) {
        const auto first = std::uint64_t{hole} * ways + 1;
        if (first >= size_) break;
        auto least = static_cast<std::uint32_t>(first);
        for (auto child = least + 1; child < first + ways && child < size_; ++child) {
            if (heap_[child].before(heap_[least])) least = child;
        }
        if (!heap_[least].before(entry)) break;
        set(hole, heap_[least]);
        hole = least;
    }
    set(hole, entry);
}

void ExpiryQueue::set(std::uint32_t at, Entry entry) noexcept {
    heap_[at] = entry;
    place_[entry.flow] = at + 1;
}

}  // namespace dnat
