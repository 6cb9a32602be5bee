#pragma once

#include "captures/file/capture_writer.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace gateway::outputs {

/// `--write`: what left, and only that. From the outside vantage this is what the inside wire carried, so frames that
/// the firewall itself sends outside are not in it.
class TranslatedCapture final : public pipeline::Observer {
public:
    TranslatedCapture(captures::file::CaptureWriter& writer, pipeline::Vantage vantage)
        : writer_{&writer}, vantage_{vantage} {}

    void judged(const pipeline::Judged&) override {}
    void rewritten(const pipeline::Judged& burst) override;
    void synthesized(const captures::packet::Frame& frame) override;
    void release() override { writer_->release(); }

private:
    captures::file::CaptureWriter* writer_;
    pipeline::Vantage vantage_;
};

}  // namespace gateway::outputs
