#include "gateway/access/connection.hpp"

#include <algorithm>
#include <utility>

#include <fmt/compile.h>

#include "policy/address_set.hpp"

namespace gateway::access {

using captures::base::Endpoint;
using captures::base::Protocol;

namespace {

constexpr std::uint16_t ssh_port = 22;
constexpr std::uint16_t rdp_port = 3389;

using RuleIndex = dnat::RuleTable::RuleIndex;

std::uint64_t key(Endpoint endpoint) noexcept { return std::uint64_t{endpoint.address.value} << 16U | endpoint.port; }

bool is_for(const dnat::NatRule& rule, Protocol protocol) {
    return std::ranges::find(rule.protocols, protocol) != rule.protocols.end();
}

bool admits_all(const dnat::NatRule& rule, const std::vector<captures::base::Prefix>& sources) {
    const policy::AddressSet admitted{rule.sources};
    return std::ranges::all_of(sources,
                               [&](const captures::base::Prefix& one) { return admitted.contains(one.range()); });
}

}  // namespace

NatLookup::NatLookup(dnat::RuleTable rules, captures::base::Ipv4Address private_address) : rules_{std::move(rules)} {
    for (RuleIndex index = 0; index < rules_.rules().size(); ++index) {
        const auto& rule = rules_.rule(index);
        by_target_[key(rule.translated)].push_back(index);
        const auto& ports = rule.destination_ports;
        const bool is_one = ports.size() == 1 && ports.front().first == ports.front().last;
        (is_one ? by_listener_[key({rule.destination, ports.front().first})] : wide_).push_back(index);
    }
    const auto is_public = [&](RuleIndex index) { return rules_.rule(index).destination != private_address; };
    for (auto& [target, candidates] : by_target_) {
        // Not std::ranges::stable_partition: clang 14 cannot compile its answer.
        std::stable_partition(candidates.begin(), candidates.end(), is_public);
    }
}

std::optional<Connection> NatLookup::find(Endpoint target, const policy::AccessRecord& record) const {
    const auto candidates = by_target_.find(key(target));
    if (candidates == by_target_.end()) return {};
    for (const auto protocol : {Protocol::tcp, Protocol::udp}) {
        if (record.protocol.value_or(protocol) != protocol) continue;
        for (const auto index : candidates->second) {
            const auto& rule = rules_.rule(index);
            if (!is_for(rule, protocol) || !admits_all(rule, record.sources)) continue;
            for (const auto& ports : rule.destination_ports) {
                for (std::uint32_t port = ports.first; port <= ports.last; ++port) {
                    const Endpoint listener{rule.destination, static_cast<std::uint16_t>(port)};
                    if (!takes_all(index, listener, protocol, record.sources)) continue;
                    return Connection{listener, protocol, to_string(rule.name)};
                }
            }
        }
    }
    return {};
}

/// Whether the rule, which admits every address of the sources, gets them all: no rule before it takes some of them.
bool NatLookup::takes_all(RuleIndex index, Endpoint listener, Protocol protocol,
                          const std::vector<captures::base::Prefix>& sources) const {
    const auto is_in_the_way = [&](RuleIndex earlier) {
        return earlier < index && takes_some(earlier, listener, protocol, sources);
    };
    const auto same = by_listener_.find(key(listener));
    return std::ranges::none_of(wide_, is_in_the_way) &&
           (same == by_listener_.end() || std::ranges::none_of(same->second, is_in_the_way));
}

bool NatLookup::takes_some(RuleIndex index, Endpoint listener, Protocol protocol,
                           const std::vector<captures::base::Prefix>& sources) const {
    const auto& rule = rules_.rule(index);
    const auto listens = [&](const captures::base::PortRange& ports) { return ports.contains(listener.port); };
    if (rule.destination != listener.address || !is_for(rule, protocol) ||
        std::ranges::none_of(rule.destination_ports, listens)) {
        return false;
    }
    return std::ranges::any_of(sources, [&](const captures::base::Prefix& source) {
        const auto wanted = source.range();
        return std::ranges::any_of(rule.sources, [&](const captures::base::AddressRange& range) {
            return range.first <= wanted.last && wanted.first <= range.last;
        });
    });
}

std::string connect_command(const Connection& connection, std::uint16_t machine_port) {
    const auto address = to_string(connection.listener.address);
    if (connection.protocol == Protocol::tcp && machine_port == ssh_port) {
        return fmt::format(FMT_COMPILE("ssh -p {} USER@{}"), connection.listener.port, address);
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

}  // namespace gateway::access
