#include "gateway/outputs/verdict_text.hpp"

#include <fmt/format.h>

#include "captures/packet/print.hpp"

namespace gateway::outputs {

using captures::packet::Kind;
using captures::packet::Packet;
using policy::Reason;

std::string rule_text(const pipeline::Verdict& verdict, const pipeline::Tables& tables) {
    if (verdict.rule == pipeline::no_rule) return {};
    return to_string(tables.rule(verdict.rule).name);
}

std::string detail_text(const pipeline::Verdict& verdict, const Packet& packet, const pipeline::Tables& tables) {
    if (!verdict.detail.empty()) return std::string{verdict.detail};
    const auto source = to_string(packet.tuple.source.address);
    switch (verdict.reason) {
        case Reason::jit_closed:
            return fmt::format("no window is open for {} to {}", source,
                               to_string(tables.rule(verdict.rule).translated));
        case Reason::nsg_deny: return fmt::format("NSG {}, rule {}", verdict.nsg->name(), verdict.security_rule->name);
        case Reason::network_rule_deny:
            return fmt::format("network rule {}/{}", verdict.network_rule->collection, verdict.network_rule->name);
        case Reason::no_nat_rule:
            if (verdict.network_rule == nullptr) return fmt::format("no rule of this listener admits {}", source);
            return fmt::format("network rule {}/{} denies it", verdict.network_rule->collection,
                               verdict.network_rule->name);
        case Reason::invalid_state:
            return fmt::format("TCP {} without a flow", captures::packet::flag_letters(packet.tcp_flags));
        case Reason::hairpin: return "Azure Firewall does not hairpin";
        case Reason::unsupported:
            return packet.ip == nullptr ? "IPv6" : fmt::format("IP protocol {}", packet.ipv4().protocol());
        default: break;
    }
    return verdict.window != 0 ? fmt::format("window {}", verdict.window) : std::string{};
}

std::string endpoint_text(captures::base::Endpoint endpoint, Kind kind) {
    return kind == Kind::tcp || kind == Kind::udp ? to_string(endpoint) : to_string(endpoint.address);
}

std::string verdict_text(const pipeline::Verdict& verdict, const Packet& packet, const pipeline::Tables& tables) {
    auto text = fmt::format("{} {}", to_string(verdict.fate()), to_string(verdict.reason));
    if (const auto rule = rule_text(verdict, tables); !rule.empty()) text += ", rule " + rule;
    if (const auto detail = detail_text(verdict, packet, tables); !detail.empty()) text += ": " + detail;
    return text;
}

}  // namespace gateway::outputs
