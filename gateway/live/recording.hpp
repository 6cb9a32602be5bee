#pragma once

#include "captures/file/capture_writer.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace gateway::live {

/// A pcapng of both wires: every packet as it came, with its verdict as a comment, and every frame as it left, with the
/// number of the packet that it was. Interfaces are named `outside` and `inside`, packets marked inbound or outbound.
/// So it opens in Wireshark (`frame.comment contains "jit-closed"`), and `replay --vantage both` takes what came.
///
/// Checksums that a sender left to be computed are computed here, as a wire would have it; frames that stand for several
/// segments are written as the one that they are.
class Recording {
public:
    explicit Recording(captures::file::CaptureWriter& writer) : writer_{&writer} {}

    /// Frames are as they came, and may be changed.
    void arrived(const pipeline::Judged& burst);
    void left(const captures::packet::Frame& frame);

private:
    captures::file::CaptureWriter* writer_;
};

}  // namespace gateway::live
