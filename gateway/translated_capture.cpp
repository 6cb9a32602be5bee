#include "gateway/translated_capture.hpp"

namespace gateway {

void TranslatedCapture::rewritten(const Judged& burst) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        const auto& verdict = burst.verdicts[i];
        if (verdict.fate() == policy::Fate::forward && !verdict.held) leaving_[count++] = burst.frames[i];
    }
    writer_->write(std::span<const captures::Frame>{leaving_.data(), count});
}

void TranslatedCapture::synthesized(const captures::Frame& frame) {
    if (vantage_ == Vantage::outside && frame.side == captures::Side::outside) return;
    writer_->write(std::span<const captures::Frame>{&frame, 1});
}

}  // namespace gateway
