#include "gateway/decision_log.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cstring>
#include <iterator>

#include "gateway/verdict_text.hpp"

namespace gateway {

void append_line(captures::OutputBuffer& output, std::string_view line) {
    auto* const room = output.append(line.size() + 1);
    if (room == nullptr) return;
    std::memcpy(room, line.data(), line.size());
    room[line.size()] = std::byte{'\n'};
}

std::string json_string(std::string_view text) { return boost::json::serialize(boost::json::string_view{text}); }

void DecisionLog::judged(const Judged& burst) {
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        const auto& frame = burst.frames[i];
        const auto& packet = burst.packets[i];
        const auto& verdict = burst.verdicts[i];
        if (verdict.held) continue;
        line_.clear();
        const auto out = std::back_inserter(line_);
        fmt::format_to(out, R"({{"packet":{},"time":"{}","side":"{}","fate":"{}","reason":"{}")", frame.number,
                       captures::to_rfc3339(frame.time), frame.side == captures::Side::outside ? "outside" : "inside",
                       to_string(verdict.fate()), to_string(verdict.reason));
        if (const auto rule = rule_text(verdict, *burst.tables); !rule.empty()) {
            fmt::format_to(out, R"(,"rule":{})", json_string(rule));
        }
        const bool addressed = packet.ip != nullptr && packet.header_length != 0;
        if (addressed) {
            fmt::format_to(out, R"(,"from":"{}","to":"{}")", endpoint_text(packet.tuple.source, packet.kind),
                           endpoint_text(packet.tuple.destination, packet.kind));
        }
        if (verdict.fate() == policy::Fate::forward) {
            const auto& translation = burst.translations[i];
            fmt::format_to(out, R"(,"out_from":"{}","out_to":"{}")", endpoint_text(translation.source, packet.kind),
                           endpoint_text(translation.destination, packet.kind));
        }
        if (const auto detail = detail_text(verdict, packet, *burst.tables); !detail.empty()) {
            fmt::format_to(out, R"(,"detail":{})", json_string(detail));
        }
        line_ += '}';
        append_line(*output_, line_);
    }
}

}  // namespace gateway
