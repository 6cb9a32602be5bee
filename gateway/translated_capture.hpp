#pragma once

#include "captures/capture_writer.hpp"
#include "gateway/pipeline.hpp"

namespace gateway {

/// `--write`: what left, and only that. From the outside vantage this is what the inside wire carried, so frames that
/// the firewall itself sends outside are not in it.
class TranslatedCapture final : public Observer {
public:
    TranslatedCapture(captures::CaptureWriter& writer, Vantage vantage) : writer_{&writer}, vantage_{vantage} {}

    void judged(const Judged&) override {}
    void rewritten(const Judged& burst) override;
    void synthesized(const captures::Frame& frame) override;
    void let_go() override { writer_->let_go(); }

private:
    captures::CaptureWriter* writer_;
    Vantage vantage_;
};

}  // namespace gateway
