#include "gateway/outputs/translated_capture.hpp"

namespace gateway::outputs {

void TranslatedCapture::rewritten(const pipeline::Judged& burst) {
    const auto leaves = [&](std::size_t i) {
        return burst.verdicts[i].fate() == policy::Fate::forward && !burst.verdicts[i].held;
    };
    const auto count = burst.frames.size();
    for (std::size_t begin = 0; begin < count;) {
        auto end = begin;
        while (end < count && leaves(end)) ++end;
        if (end > begin) writer_->write(burst.frames.subspan(begin, end - begin));
        begin = end + 1;
    }
}

void TranslatedCapture::synthesized(const captures::packet::Frame& frame) {
    if (vantage_ == pipeline::Vantage::outside && frame.side == captures::packet::Side::outside) return;
    writer_->write(std::span<const captures::packet::Frame>{&frame, 1});
}

}  // namespace gateway::outputs
