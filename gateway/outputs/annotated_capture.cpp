#include "gateway/outputs/annotated_capture.hpp"

#include <fmt/format.h>

#include "captures/packet/print.hpp"
#include "gateway/outputs/verdict_text.hpp"

namespace gateway::outputs {

void AnnotatedCapture::judged(const pipeline::Judged& burst) {
    originals_.clear();
    for (const auto& frame : burst.frames) originals_.insert(originals_.end(), frame.data, frame.data + frame.captured);
}

void AnnotatedCapture::rewritten(const pipeline::Judged& burst) {
    auto* original = originals_.data();
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        auto frame = burst.frames[i];
        const auto& verdict = burst.verdicts[i];
        auto* const bytes = original;
        original += frame.captured;
        if (verdict.held) continue;
        auto arrived = frame;
        arrived.data = bytes;
        arrived.room = captures::packet::Room::none;
        writer_->write(arrived, {"arrived", fmt::format("packet {}: {}", frame.number,
                                                        verdict_text(verdict, burst.packets[i], *burst.tables))});
        if (verdict.fate() != policy::Fate::forward) continue;
        writer_->write(frame, {"left", fmt::format("packet {} on the {} wire", frame.number, to_string(frame.side))});
    }
}

void AnnotatedCapture::synthesized(const captures::packet::Frame& frame) {
    writer_->write(
        frame, {"left", fmt::format("synthesized: the firewall ends the flow, on the {} wire", to_string(frame.side))});
}

}  // namespace gateway::outputs
