#include "gateway/replay/expectations.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/outputs/verdict_text.hpp"

namespace gateway::replay {

namespace {

using captures::base::FiveTuple;
using captures::packet::Kind;
using policy::Fate;

/// What was noted under the same key before is another's no more, be it that `value` is of no flow that is expected.
template <class Map>
void note(Map& map, const typename Map::key_type& key, const typename Map::mapped_type& value) {
    if (value) {
        map.insert_or_assign(key, value);
    } else {
        map.erase(key);
    }
}

}  // namespace

Expectations::Expectations(const Scenario& scenario) : packets_{scenario.packets}, flows_{scenario.flows} {
    for (const auto& each : packets_) by_packet_[each.packet];
    for (const auto& each : flows_) by_flow_[each.flow];
}

void Expectations::judged(const pipeline::Judged& burst) {
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        const auto& verdict = burst.verdicts[i];
        const auto number = burst.frames[i].number;
        last_packet_ = std::max(last_packet_, number);
        if (verdict.held) continue;
        if (const auto found = by_packet_.find(number); found != by_packet_.end()) {
            found->second = {true, verdict.reason, outputs::rule_text(verdict, *burst.tables),
                             outputs::verdict_text(verdict, burst.packets[i], *burst.tables)};
        }
        if (!by_flow_.empty() && verdict.fate() != Fate::ignore) count(burst, i);
    }
}

void Expectations::count(const pipeline::Judged& burst, std::size_t i) {
    auto* const flow = flow_of(burst, i);
    if (flow == nullptr) return;
    const auto& verdict = burst.verdicts[i];
    ++(verdict.fate() == Fate::forward ? flow->forwarded : flow->dropped);
    auto& [packets, first] = flow->reasons[verdict.reason];
    if (packets++ == 0) {
        first = fmt::format("packet {}: {}", burst.frames[i].number,
                            outputs::verdict_text(verdict, burst.packets[i], *burst.tables));
    }
}

/// The flow that a packet is of, if it is one of those expected; notes what tells its later packets.
Expectations::FlowTally* Expectations::flow_of(const pipeline::Judged& burst, std::size_t i) {
    const auto& packet = burst.packets[i];
    const auto& verdict = burst.verdicts[i];
    if (packet.kind == Kind::icmp_error) return flow_of(captures::packet::quoted_tuple(packet).reversed(), verdict);
    if (packet.kind == Kind::fragment) {
        const auto found = datagrams_.find(key_of(packet, verdict));
        const bool known = found != datagrams_.end() && burst.frames[i].time < found->second.until;
        return known ? found->second.flow : nullptr;
    }
    if (!packet.is_segment()) return nullptr;
    auto* const flow = flow_of(packet.tuple, verdict);
    if (verdict.reason == policy::Reason::dnat) {
        const auto& translation = burst.translations[i];
        note(by_answer_, FiveTuple{translation.destination, translation.source, packet.tuple.protocol}, flow);
    }
    if (packet.more_fragments) {
        const auto until = std::min(burst.frames[i].time, pipeline::latest_time) + burst.tables->timeouts().fragment;
        note(datagrams_, key_of(packet, verdict), Datagram{flow, until});
    }
    return flow;
}

/// `tuple`: as the wire has it where the packet arrived.
Expectations::FlowTally* Expectations::flow_of(const FiveTuple& tuple, const pipeline::Verdict& verdict) {
    const bool answers = verdict.arrived == captures::packet::Side::inside && verdict.ttl == dnat::TtlStep::down;
    if (answers) {
        const auto found = by_answer_.find(tuple);
        return found == by_answer_.end() ? nullptr : found->second;
    }
    const bool untranslated = verdict.ttl == dnat::TtlStep::up;
    const auto found = by_flow_.find(untranslated ? tuple.reversed() : tuple);
    return found == by_flow_.end() ? nullptr : &found->second;
}

Expectations::DatagramKey Expectations::key_of(const captures::packet::Packet& packet,
                                               const pipeline::Verdict& verdict) {
    auto addresses = packet.tuple;
    addresses.source.port = addresses.destination.port = 0;
    return {addresses, packet.ipv4().identification(), verdict.arrived};
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

}  // namespace gateway::replay
