#include "gateway/live/held_frames.hpp"

#include <algorithm>

namespace gateway::live {

namespace {

constexpr std::size_t common_size = 2048;

}  // namespace

HeldFrames::HeldFrames() : slots_(most_frames) {
    free_.reserve(most_frames);
    for (auto index = most_frames; index-- > 0;) free_.push_back(index);
}

HeldFrames::Outcome HeldFrames::hold(Queue& queue, const captures::packet::Frame& frame) {
    const bool full = queue.count == most_of_a_queue;
    const auto regained = full ? slots_[queue.first].bytes.size() : 0;
    if ((free_.empty() && !full) || bytes_ - regained + frame.captured > most_bytes) return Outcome::no_room;
    if (full) drop_oldest(queue);
    const auto index = free_.back();
    auto& slot = slots_[index];
    slot.bytes.reserve(std::max<std::size_t>(common_size, frame.captured));
    slot.bytes.assign(frame.data, frame.data + frame.captured);
    slot.frame = frame;
    slot.frame.data = slot.bytes.data();
    free_.pop_back();
    bytes_ += frame.captured;
    (queue.count == 0 ? queue.first : slots_[queue.last].next) = index;
    queue.last = index;
    ++queue.count;
    return full ? Outcome::displaced : Outcome::held;
}

void HeldFrames::drop_oldest(Queue& queue) noexcept {
    const auto index = queue.first;
    auto& slot = slots_[index];
    bytes_ -= slot.bytes.size();
    if (slot.bytes.capacity() > common_size) slot.bytes = {};
    queue.first = slot.next;
    --queue.count;
    free_.push_back(index);
}

}  // namespace gateway::live
