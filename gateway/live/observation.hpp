#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "gateway/live/byte_ring.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace gateway::live {

/// What a tap saw, on its way through a ring: by value, with the first bytes of its frame behind it.
///
/// Pointers to rules in it (Judged::tables, Verdict's) are the packet path's: whoever reads keeps these tables alive.

/// A packet that was judged, as it came.
struct Arrival {
    const pipeline::Tables* tables = nullptr;
    captures::packet::Frame frame;
    captures::packet::Packet packet;
    pipeline::Verdict verdict;
    dnat::Translation translation;

    /// What observers are told.
    [[nodiscard]] pipeline::Judged judged() const noexcept {
        return {{&frame, 1}, {&packet, 1}, {&verdict, 1}, {&translation, 1}, tables};
    }
};

/// A frame that was given to a port.
struct Departure {
    captures::packet::Frame frame;
    bool refused = false;  ///< by the port: it has not left
};

/// At most `most` bytes of a frame are kept. False: the ring has no room.
[[nodiscard]] bool store_arrival(ByteRing& ring, const pipeline::Judged& burst, std::size_t i,
                                 std::size_t most) noexcept;
/// Where `refused` can be set until the ring is published; null: no room.
[[nodiscard]] Departure* store_departure(ByteRing& ring, const captures::packet::Frame& frame) noexcept;

/// Frames in it lie in the ring, and may be changed; they count as captured as far as they were kept.
using Observation = std::variant<Arrival, Departure>;
/// Precondition: the ring's record was stored by one of the above.
[[nodiscard]] Observation load_observation(std::span<std::byte> record) noexcept;

}  // namespace gateway::live
