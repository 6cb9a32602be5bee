#include "gateway/annotated_capture.hpp"

#include <fmt/format.h>

#include "gateway/verdict_text.hpp"

namespace gateway {

namespace {

std::string_view name_of(captures::Side side) { return side == captures::Side::outside ? "outside" : "inside"; }

/// An undone reply was captured outside.
captures::Side came_on(const Verdict& verdict) {
    return verdict.ttl == dnat::TtlStep::up ? captures::Side::outside : verdict.arrived;
}

}  // namespace

void AnnotatedCapture::judged(const Judged& burst) {
    originals_.clear();
    for (const auto& frame : burst.frames) originals_.insert(originals_.end(), frame.data, frame.data + frame.captured);
}

void AnnotatedCapture::rewritten(const Judged& burst) {
    auto* original = originals_.data();
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        auto frame = burst.frames[i];
        const auto& verdict = burst.verdicts[i];
        auto* const bytes = original;
        original += frame.captured;
        if (verdict.held) continue;
        auto arrived = frame;
        arrived.data = bytes;
        arrived.room = captures::Room::none;
        arrived.side = came_on(verdict);
        write_arrival(arrived, fmt::format("packet {}: {}", frame.number,
                                           verdict_text(verdict, burst.packets[i], *burst.tables)));
        if (verdict.fate() != policy::Fate::forward) continue;
        write_departure(frame, fmt::format("packet {} on the {} wire", frame.number, name_of(frame.side)));
    }
}

void AnnotatedCapture::synthesized(const captures::Frame& frame) {
    const bool error = captures::decode(frame).kind == captures::Kind::icmp_error;
    write_departure(
        frame, fmt::format("synthesized: {}, on the {} wire",
                           error ? "an ICMP error for the sender" : "the firewall ends the flow", name_of(frame.side)));
}

void AnnotatedCapture::write_arrival(const captures::Frame& frame, const std::string& comment) {
    if (interfaces_ == Interfaces::arrived_left) return writer_->write(frame, {"arrived", comment});
    writer_->write(frame, {name_of(frame.side), comment, captures::Annotation::Direction::inbound});
}

void AnnotatedCapture::write_departure(const captures::Frame& frame, const std::string& comment) {
    if (interfaces_ == Interfaces::arrived_left) return writer_->write(frame, {"left", comment});
    writer_->write(frame, {name_of(frame.side), comment, captures::Annotation::Direction::outbound});
}

}  // namespace gateway
