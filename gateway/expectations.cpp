#include "gateway/expectations.hpp"

#include <fmt/format.h>

#include "gateway/verdict_text.hpp"

namespace gateway {

namespace {

using captures::FiveTuple;
using policy::Fate;

/// The flow's tuple as the client sends it.
FiveTuple arrived_tuple(const Judged& burst, std::size_t i) {
    const auto& tuple = burst.packets[i].tuple;
    const auto& verdict = burst.verdicts[i];
    if (verdict.arrived == captures::Side::outside) return tuple;
    if (verdict.ttl == dnat::TtlStep::up) return tuple.reversed();
    if (verdict.fate() != Fate::forward) return {};
    const auto& translation = burst.translations[i];
    return {translation.destination, translation.source, tuple.protocol};
}

}  // namespace

Expectations::Expectations(const Scenario& scenario) : packets_{scenario.packets}, flows_{scenario.flows} {
    for (const auto& each : packets_) by_packet_[each.packet];
    for (const auto& each : flows_) by_flow_[each.flow];
}

void Expectations::judged(const Judged& burst) {
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        const auto& verdict = burst.verdicts[i];
        const auto number = burst.frames[i].number;
        last_packet_ = std::max(last_packet_, number);
        if (verdict.held) continue;
        if (const auto found = by_packet_.find(number); found != by_packet_.end()) {
            found->second = {true, verdict.reason, rule_text(verdict, *burst.tables),
                             verdict_text(verdict, burst.packets[i], *burst.tables)};
        }
        const auto kind = burst.packets[i].kind;
        if (by_flow_.empty() || (kind != captures::Kind::tcp && kind != captures::Kind::udp)) continue;
        const auto found = by_flow_.find(arrived_tuple(burst, i));
        if (found == by_flow_.end()) continue;
        auto& tally = found->second;
        ++(verdict.fate() == Fate::forward ? tally.forwarded : tally.dropped);
        auto& [packets, first] = tally.reasons[verdict.reason];
        if (packets++ == 0) {
            first = fmt::format("packet {}: {}", number, verdict_text(verdict, burst.packets[i], *burst.tables));
        }
    }
}

std::vector<std::string> Expectations::failures() const {
    std::vector<std::string> found;
    for (const auto& expected : packets_) {
        if (auto text = failure_of(expected, by_packet_.at(expected.packet)); !text.empty())
            found.push_back(std::move(text));
    }
    for (const auto& expected : flows_) {
        if (auto text = failure_of(expected, by_flow_.at(expected.flow)); !text.empty())
            found.push_back(std::move(text));
    }
    return found;
}

std::string Expectations::failure_of(const PacketExpectation& expected, const Happened& happened) const {
    const auto where = fmt::format("{}:{}:{}: packet {}", expected.place.file, expected.place.line,
                                   expected.place.column, expected.packet);
    if (!happened.came) {
        return fmt::format("{} was expected, but it never came: the input has {} packets", where, last_packet_);
    }
    std::string wanted;
    const auto want = [&](bool met, std::string_view what, std::string_view value) {
        if (!met) wanted += fmt::format("{}{} {}", wanted.empty() ? "" : " and ", what, value);
    };
    if (expected.fate) want(*expected.fate == fate_of(happened.reason), "fate", to_string(*expected.fate));
    if (expected.reason) want(*expected.reason == happened.reason, "reason", to_string(*expected.reason));
    if (expected.rule) want(*expected.rule == happened.rule, "rule", *expected.rule);
    if (wanted.empty()) return {};
    return fmt::format("{}: expected {}, got {}", where, wanted, happened.text);
}

std::string Expectations::failure_of(const FlowExpectation& expected, const FlowTally& tally) {
    std::string wanted;
    const auto want = [&](std::string_view what, const std::optional<std::uint64_t>& number, std::uint64_t got) {
        if (number && *number != got) {
            wanted += fmt::format("{}{} {} packets, got {}", wanted.empty() ? "" : "; ", *number, what, got);
        }
    };
    want("forwarded", expected.forwarded, tally.forwarded);
    want("dropped", expected.dropped, tally.dropped);
    if (expected.reason && !tally.reasons.contains(*expected.reason)) {
        wanted += fmt::format("{}a packet with reason {}, got none", wanted.empty() ? "" : "; ",
                              to_string(*expected.reason));
    }
    if (expected.reason && policy::fate_of(*expected.reason) == Fate::drop) {
        for (const auto& [reason, packets] : tally.reasons) {
            if (reason == *expected.reason || policy::fate_of(reason) != Fate::drop) continue;
            wanted += fmt::format("{}only drops with reason {}, got {} with {}", wanted.empty() ? "" : "; ",
                                  to_string(*expected.reason), packets.first, to_string(reason));
        }
    }
    if (wanted.empty()) return {};
    auto text = fmt::format("{}:{}:{}: flow {} > {} {}: expected {}", expected.place.file, expected.place.line,
                            expected.place.column, to_string(expected.flow.source),
                            to_string(expected.flow.destination), to_string(expected.flow.protocol), wanted);
    if (tally.reasons.empty()) text += "\n    no packet of this flow came";
    for (const auto& [reason, packets] : tally.reasons) {
        text += fmt::format("\n    {} {}, first {}", packets.first, to_string(reason), packets.second);
    }
    return text;
}

}  // namespace gateway
