#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "captures/packet/frame.hpp"
#include "tools/synth/packet_builder.hpp"

namespace tools {

/// The capture being made: gives each frame its number and its time, one interval after the one before.
class FrameStream {
public:
    using Write = std::function<void(std::span<const captures::packet::Frame>)>;

    FrameStream(Write write, captures::base::Time start, captures::base::Duration interval)
        : write_{std::move(write)}, now_{start}, interval_{interval} {}

    void emit(captures::packet::Frame frame) {
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
    captures::base::Time now_;
    captures::base::Duration interval_;
    std::uint64_t count_ = 0;
};

}  // namespace tools
