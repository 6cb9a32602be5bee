#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "captures/frame.hpp"
#include "tools/synth/packet_builder.hpp"

namespace tools {

/// The capture being made: gives each frame its number and its time, one interval after the one before.
class FrameStream {
public:
    using Write = std::function<void(std::span<const captures::Frame>)>;

    FrameStream(Write write, captures::Time start, captures::Duration interval)
        : write_{std::move(write)}, now_{start}, interval_{interval} {}

    void emit(captures::Frame frame) {
        frame.number = ++count_;
        frame.time = now_;
        now_ += interval_;
        write_({&frame, 1});
    }
    void emit(OwnedFrame frame) { emit(frame.frame()); }
    void emit(const PacketBuilder& packet) { emit(packet.build()); }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

private:
    Write write_;
    captures::Time now_;
    captures::Duration interval_;
    std::uint64_t count_ = 0;
};

}  // namespace tools
