#include "gateway/outputs/azure_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "gateway/outputs/decision_log.hpp"

namespace gateway::outputs {

namespace {

using captures::packet::Kind;
using captures::packet::Packet;
using policy::Reason;
namespace flag = captures::packet::tcp_flag;

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

/// The columns that all three tables begin with: the packet as it came to the firewall. A reply seen outside came to it as
/// what it is untranslated to.
std::string tuple_columns(const pipeline::Judged& burst, std::size_t i) {
    auto tuple = burst.packets[i].tuple;
    if (burst.verdicts[i].ttl == dnat::TtlStep::up && burst.verdicts[i].fate() == policy::Fate::forward) {
        tuple.source = burst.translations[i].source;
        tuple.destination = burst.translations[i].destination;
    }
    return fmt::format(R"("Protocol":"{}","SourceIp":"{}","SourcePort":{},"DestinationIp":"{}","DestinationPort":{})",
                       to_string(tuple.protocol), to_string(tuple.source.address), tuple.source.port,
                       to_string(tuple.destination.address), tuple.destination.port);
}

std::string rule_columns(std::string_view policy, std::string_view group, std::string_view collection,
                         std::string_view rule) {
    return fmt::format(R"("Policy":{},"RuleCollectionGroup":{},"RuleCollection":{},"Rule":{})", json_string(policy),
                       json_string(group), json_string(collection), json_string(rule));
}

/// The flag that AZFWFlowTrace shows for a segment of a tracked flow; empty for most.
std::string_view traced_flag(const Packet& packet) noexcept {
    if (packet.has(flag::rst)) return "RST";
    if (packet.has(flag::syn | flag::ack)) return "SYN-ACK";
    if (packet.has(flag::fin)) return packet.has(flag::ack) ? "FIN-ACK" : "FIN";
    return {};
}

}  // namespace

AzureLog::AzureLog(captures::file::OutputBuffer& output, const std::string& firewall_id)
    : output_{&output}, resource_id_{upper(firewall_id)} {}

AzureLog::Entry AzureLog::entry_of(const Packet& packet, const pipeline::Verdict& verdict) noexcept {
    const bool is_tcp = packet.kind == Kind::tcp;
    if (verdict.held || packet.kind == Kind::fragment) return Entry::none;  // without ports: its first tells
    switch (verdict.reason) {
        case Reason::dnat:
        case Reason::nsg_deny: return Entry::nat_rule;
        case Reason::no_nat_rule:
        case Reason::network_rule_deny: return Entry::network_rule;
        case Reason::invalid_state: return Entry::invalid;
        case Reason::no_flow:  // a reply that was seen outside only never came to this firewall
            return is_tcp && verdict.ttl == dnat::TtlStep::down ? Entry::invalid : Entry::none;
        case Reason::established:
        case Reason::reply: return is_tcp && !traced_flag(packet).empty() ? Entry::flag : Entry::none;
        default: return Entry::none;
    }
}

void AzureLog::judged(const pipeline::Judged& burst) {
    for (std::size_t i = 0; i < burst.packets.size(); ++i) {
        switch (entry_of(burst.packets[i], burst.verdicts[i])) {
            case Entry::none: break;
            case Entry::nat_rule: nat_rule(burst, i); break;
            case Entry::network_rule: network_rule(burst, i); break;
            case Entry::invalid: flow_trace(burst, i, "INVALID"); break;
            case Entry::flag: flow_trace(burst, i, traced_flag(burst.packets[i])); break;
        }
    }
}

void AzureLog::nat_rule(const pipeline::Judged& burst, std::size_t i) {
    const auto& rule = burst.tables->rule(burst.verdicts[i].rule);
    record("AZFWNatRule", burst.frames[i],
           fmt::format(R"({},"TranslatedIp":"{}","TranslatedPort":{},{})", tuple_columns(burst, i),
                       to_string(rule.translated.address), rule.translated.port,
                       rule_columns(rule.name.policy, rule.name.group, rule.name.collection, rule.name.rule)));
}

void AzureLog::network_rule(const pipeline::Judged& burst, std::size_t i) {
    const auto* const rule = burst.verdicts[i].network_rule;
    const auto columns = rule == nullptr
                             ? rule_columns("", "", "", "")
                             : rule_columns(rule->firewall_policy, rule->group, rule->collection, rule->name);
    record("AZFWNetworkRule", burst.frames[i],
           fmt::format(R"({},"Action":"Deny",{},"ActionReason":"{}")", tuple_columns(burst, i), columns,
                       rule == nullptr ? "Default Action" : ""));
}

void AzureLog::flow_trace(const pipeline::Judged& burst, std::size_t i, std::string_view flag) {
    record("AZFWFlowTrace", burst.frames[i],
           fmt::format(R"({},"Flag":"{}","Action":"Log","ActionReason":"Additional TCP Log")", tuple_columns(burst, i),
                       flag));
}

void AzureLog::record(std::string_view category, const captures::packet::Frame& frame, const std::string& properties) {
    append_line(
        *output_,
        fmt::format(R"({{"records":[{{"category":"{}","time":"{}","resourceId":{},"properties":{{{}}}}}]}})", category,
                    captures::base::to_rfc3339(frame.time, 7), json_string(resource_id_), properties));
}

}  // namespace gateway::outputs
