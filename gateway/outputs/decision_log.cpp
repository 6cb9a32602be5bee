#include "gateway/outputs/decision_log.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cstring>
#include <iterator>

#include "captures/packet/print.hpp"
#include "gateway/outputs/verdict_text.hpp"

namespace gateway::outputs {

void append_line(captures::file::OutputBuffer& output, std::string_view line) {
    auto* const room = output.append(line.size() + 1);
    if (room == nullptr) return;
    std::memcpy(room, line.data(), line.size());
    room[line.size()] = std::byte{'\n'};
}

std::string json_string(std::string_view text) { return boost::json::serialize(boost::json::string_view{text}); }

Decision decision_of(const pipeline::Judged& burst, std::size_t i) {
    const auto& packet = burst.packets[i];
    const auto& verdict = burst.verdicts[i];
    Decision decision{.packet = burst.frames[i].number,
                      .time = burst.frames[i].time,
                      .side = burst.frames[i].side,
                      .reason = verdict.reason,
                      .kind = packet.kind,
                      .addressed = packet.ip != nullptr && packet.header_length != 0,
                      .tuple = packet.tuple,
                      .tcp_flags = packet.tcp_flags,
                      .length = burst.frames[i].length,
                      .rule = rule_text(verdict, *burst.tables),
                      .detail = detail_text(verdict, packet, *burst.tables)};
    if (decision.fate() == policy::Fate::forward) {
        decision.out_from = burst.translations[i].source;
        decision.out_to = burst.translations[i].destination;
    }
    return decision;
}

void append_json(std::string& to, const Decision& decision) {
    const auto out = std::back_inserter(to);
    const auto fate = decision.fate();
    const auto text = [&](captures::base::Endpoint endpoint) { return endpoint_text(endpoint, decision.kind); };
    fmt::format_to(out, R"({{"packet":{},"time":"{}","side":"{}","fate":"{}","reason":"{}")", decision.packet,
                   captures::base::to_rfc3339(decision.time), to_string(decision.side), to_string(fate),
                   to_string(decision.reason));
    if (!decision.rule.empty()) fmt::format_to(out, R"(,"rule":{})", json_string(decision.rule));
    if (decision.addressed) {
        fmt::format_to(out, R"(,"from":"{}","to":"{}")", text(decision.tuple.source), text(decision.tuple.destination));
    }
    if (fate == policy::Fate::forward) {
        fmt::format_to(out, R"(,"out_from":"{}","out_to":"{}")", text(decision.out_from), text(decision.out_to));
    }
    if (!decision.detail.empty()) fmt::format_to(out, R"(,"detail":{})", json_string(decision.detail));
    to += '}';
}

void DecisionLog::judged(const pipeline::Judged& burst) {
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        if (burst.verdicts[i].held) continue;
        line_.clear();
        append_json(line_, decision_of(burst, i));
        append_line(*output_, line_);
    }
}

}  // namespace gateway::outputs
