#pragma once

#include "captures/packet/frame.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace gateway::live {

/// Is told of what happens on the packet path, by its thread: it must not wait, lock or allocate.
class Tap {
public:
    Tap() = default;
    Tap(const Tap&) = delete;
    Tap& operator=(const Tap&) = delete;
    virtual ~Tap() = default;

    /// Packets were judged; their frames are as they came.
    virtual void judged(const pipeline::Judged& burst) = 0;

    /// Whether it wants to be told of the following; it does not change its mind.
    [[nodiscard]] virtual bool takes_departures() const noexcept = 0;
    /// A frame goes to the port of its side: translated, addressed and cut as the wire will have it. Its number is that of
    /// the packet that it was, 0 for what the gateway says itself. The bytes are valid during the call only.
    virtual void leaving(const captures::packet::Frame& frame) = 0;
    /// Comes after each of these: whether the port has taken it.
    virtual void left(bool taken) = 0;
};

}  // namespace gateway::live
