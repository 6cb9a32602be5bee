#pragma once

#include "captures/capture_writer.hpp"
#include "gateway/pipeline.hpp"

namespace gateway::live {

/// A pcapng of both wires: every packet as it came, with its verdict as a comment, and every frame as it left, with the
/// number of the packet that it was. Interfaces are named `outside` and `inside`, packets marked inbound or outbound.
/// So it opens in Wireshark (`frame.comment contains "jit-closed"`), and `replay --vantage both` takes what came.
///
/// Checksums that a sender left to be computed are computed here, as a wire would have it; frames that stand for several
/// segments are written as the one that they are.
class Recording {
public:
    explicit Recording(captures::CaptureWriter& writer) : writer_{&writer} {}

    /// Frames are as they came, and may be changed.
    void arrived(const Judged& burst);
    void left(const captures::Frame& frame);

private:
    captures::CaptureWriter* writer_;
};

}  // namespace gateway::live
