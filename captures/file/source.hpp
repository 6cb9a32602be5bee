#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "captures/packet/frame.hpp"

namespace captures::file {

/// Why an input could not be read to its end. Everything before it was delivered.
struct ReadError {
    std::uint64_t packet = 0;  ///< 1-based number of the packet that could not be read
    std::uint64_t offset = 0;  ///< bytes from the start of the (uncompressed) input
    std::string input;         ///< its name, for the person
    std::string what;
};

[[nodiscard]] std::string to_string(const ReadError& error);

/// Where frames come from.
class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    /// Fills `burst` with the next frames, in the order of the input. Their bytes stay valid and writable until
    /// the next call. An empty burst means the end; then `error` tells whether it was the real one.
    virtual void read(packet::Burst& burst) = 0;

    /// From now on the bytes of frames, and the room around them, stay as the caller leaves them beyond the next `read`,
    /// until `before_reuse` is called within one; an empty function ends that. A source that copies calls nothing:
    /// its frames have no room.
    virtual void use_zero_copy(const std::function<void()>& /*before_reuse*/) {}

    [[nodiscard]] virtual const std::optional<ReadError>& error() const noexcept = 0;

    /// That of the input's first frames, where the input has said it: a classic pcap does so even if it has none.
    [[nodiscard]] virtual std::optional<packet::LinkType> link_type() const noexcept { return {}; }

    /// Whether every frame says on which wire it was seen. If not, all are said to be of the outside one.
    [[nodiscard]] virtual bool tells_sides() const noexcept { return true; }

    /// Bytes of input consumed and in all (0 where unknown, as on a pipe), for a progress bar.
    struct Progress {
        std::uint64_t done = 0;
        std::uint64_t total = 0;
    };
    [[nodiscard]] virtual Progress progress() const noexcept = 0;
};

}  // namespace captures::file
