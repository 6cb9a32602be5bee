#pragma once

#include <vector>

#include "captures/file/capture_writer.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace gateway::outputs {

/// `--annotate`: a pcapng with every input packet as it came, on the interface `arrived`, with its verdict as a comment,
/// followed by what left for it on the interface `left`. Opens in Wireshark: `frame.comment contains "jit-closed"`.
class AnnotatedCapture final : public pipeline::Observer {
public:
    explicit AnnotatedCapture(captures::file::CaptureWriter& writer) : writer_{&writer} {}

    void judged(const pipeline::Judged& burst) override;
    void rewritten(const pipeline::Judged& burst) override;
    void synthesized(const captures::packet::Frame& frame) override;

private:
    captures::file::CaptureWriter* writer_;
    std::vector<std::byte> originals_;  ///< of the burst, one after the other
};

}  // namespace gateway::outputs
