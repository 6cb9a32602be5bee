#include "gateway/connection.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "policy/address_set.hpp"

namespace gateway {

using captures::Endpoint;
using captures::Protocol;

namespace {

constexpr std::uint16_t ssh_port = 22;
constexpr std::uint16_t rdp_port = 3389;

/// Whether the rule takes every address of the sources, and no rule before it some of them.
bool takes_all(const dnat::RuleTable& rules, dnat::RuleTable::RuleIndex index, Endpoint listener, Protocol protocol,
               const std::vector<captures::Prefix>& sources) {
    const policy::AddressSet admitted{rules.rule(index).sources};
    const auto admits = [&](const captures::Prefix& source) { return admitted.contains(source.range()); };
    if (!std::ranges::all_of(sources, admits)) return false;
    for (dnat::RuleTable::RuleIndex earlier = 0; earlier < index; ++earlier) {
        const auto& rule = rules.rule(earlier);
        const bool same_listener = rule.destination == listener.address &&
                                   std::ranges::find(rule.protocols, protocol) != rule.protocols.end() &&
                                   std::ranges::any_of(rule.destination_ports,
                                                       [&](auto ports) { return ports.contains(listener.port); });
        if (!same_listener) continue;
        for (const auto& source : sources) {
            const auto wanted = source.range();
            const auto overlaps = [&](const captures::AddressRange& range) {
                return range.first <= wanted.last && wanted.first <= range.last;
            };
            if (std::ranges::any_of(rule.sources, overlaps)) return false;
        }
    }
    return true;
}

}  // namespace

std::optional<Connection> connection_by_rule(const dnat::RuleTable& rules, Endpoint target,
                                             const policy::AccessRecord& record) {
    for (const auto protocol : {Protocol::tcp, Protocol::udp}) {
        if (record.protocol.value_or(protocol) != protocol) continue;
        for (dnat::RuleTable::RuleIndex index = 0; index < rules.rules().size(); ++index) {
            const auto& rule = rules.rule(index);
            if (rule.translated != target || std::ranges::find(rule.protocols, protocol) == rule.protocols.end()) {
                continue;
            }
            for (const auto& ports : rule.destination_ports) {
                for (std::uint32_t port = ports.first; port <= ports.last; ++port) {
                    const Endpoint listener{rule.destination, static_cast<std::uint16_t>(port)};
                    if (!takes_all(rules, index, listener, protocol, record.sources)) continue;
                    return Connection{listener, protocol, to_string(rule.name)};
                }
            }
        }
    }
    return {};
}

std::string connect_command(const Connection& connection, std::uint16_t machine_port) {
    const auto address = to_string(connection.listener.address);
    if (connection.protocol == Protocol::tcp && machine_port == ssh_port) {
        return fmt::format("ssh -p {} USER@{}", connection.listener.port, address);
    }
    if (machine_port == rdp_port) return fmt::format("mstsc /v:{}", to_string(connection.listener));
    return to_string(connection.listener);
}

std::string rdp_file(const Connection& connection, std::string_view machine) {
    return fmt::format(
        "full address:s:{}\r\nprompt for credentials:i:1\r\nadministrative session:i:0\r\nalternate full "
        "address:s:{}\r\n"
        "title:s:{}\r\n",
        to_string(connection.listener), to_string(connection.listener), machine);
}

}  // namespace gateway
