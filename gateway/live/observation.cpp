#include "gateway/live/observation.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

namespace gateway::live {

namespace {

enum class Type : std::uint64_t { arrival, departure };

// Copied as they are, and never destroyed.
static_assert(std::is_trivially_copyable_v<Arrival> && std::is_trivially_copyable_v<Departure>);
static_assert(alignof(Arrival) <= ByteRing::alignment && alignof(Departure) <= ByteRing::alignment);

constexpr std::size_t value_at = ByteRing::alignment;  // behind the type

/// Of a record with a T, where its frame's bytes begin.
template <class T>
constexpr std::size_t bytes_at = value_at + sizeof(T);

/// Room for a T and `bytes`; null: none.
template <class T>
std::byte* claim(ByteRing& ring, Type type, std::size_t bytes) noexcept {
    auto* const record = ring.claim(bytes_at<T> + bytes);
    if (record != nullptr) std::memcpy(record, &type, sizeof type);
    return record;
}

void copy(std::byte* to, const captures::packet::Frame& frame, std::size_t bytes) noexcept {
    if (bytes != 0) std::memcpy(to, frame.data, bytes);
}

template <class T>
T& value_of(std::span<std::byte> record) noexcept {
    return *std::launder(static_cast<T*>(static_cast<void*>(record.data() + value_at)));
}

}  // namespace

bool store_arrival(ByteRing& ring, const pipeline::Judged& burst, std::size_t i, std::size_t most) noexcept {
    const auto& frame = burst.frames[i];
    const auto kept = std::min<std::size_t>(frame.captured, most);
    auto* const record = claim<Arrival>(ring, Type::arrival, kept);
    if (record == nullptr) return false;
    new (record + value_at) Arrival{burst.tables, frame, burst.packets[i], burst.verdicts[i], burst.translations[i]};
    copy(record + bytes_at<Arrival>, frame, kept);
    return true;
}

Departure* store_departure(ByteRing& ring, const captures::packet::Frame& frame) noexcept {
    auto* const record = claim<Departure>(ring, Type::departure, frame.captured);
    if (record == nullptr) return nullptr;
    copy(record + bytes_at<Departure>, frame, frame.captured);
    return new (record + value_at) Departure{frame};
}

Observation load_observation(std::span<std::byte> record) noexcept {
    Type type{};
    std::memcpy(&type, record.data(), sizeof type);
    if (type == Type::departure) {
        auto departure = value_of<Departure>(record);
        departure.frame.data = record.data() + bytes_at<Departure>;
        return departure;
    }
    auto arrival = value_of<Arrival>(record);
    auto* const bytes = record.data() + bytes_at<Arrival>;
    const auto kept = static_cast<std::uint32_t>(record.size() - bytes_at<Arrival>);
    // Headers are within what is kept, or the packet has none that anybody looks at.
    if (arrival.packet.ip != nullptr) arrival.packet.ip = bytes + (arrival.packet.ip - arrival.frame.data);
    arrival.frame.data = bytes;
    arrival.frame.captured = kept;
    return arrival;
}

}  // namespace gateway::live
