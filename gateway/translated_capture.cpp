#include "gateway/translated_capture.hpp"

namespace gateway {

void TranslatedCapture::rewritten(const Judged& burst) {
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

void TranslatedCapture::synthesized(const captures::Frame& frame) {
    if (vantage_ == Vantage::outside && frame.side == captures::Side::outside) return;
    writer_->write(std::span<const captures::Frame>{&frame, 1});
}

}  // namespace gateway
