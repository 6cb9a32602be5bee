#pragma once

#include <vector>

#include "captures/capture_writer.hpp"
#include "gateway/pipeline.hpp"

namespace gateway {

/// `--annotate`: a pcapng with every input packet as it came, on the interface `arrived`, with its verdict as a comment,
/// followed by what left for it on the interface `left`. Opens in Wireshark: `frame.comment contains "jit-closed"`.
class AnnotatedCapture final : public Observer {
public:
    explicit AnnotatedCapture(captures::CaptureWriter& writer) : writer_{&writer} {}

    void judged(const Judged& burst) override;
    void rewritten(const Judged& burst) override;
    void synthesized(const captures::Frame& frame) override;

private:
    captures::CaptureWriter* writer_;
    std::vector<std::byte> originals_;  ///< of the burst, one after the other
};

}  // namespace gateway
