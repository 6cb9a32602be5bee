#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "captures/base/five_tuple.hpp"
#include "dnat/rule_table.hpp"
#include "policy/access_record.hpp"

namespace gateway::access {

/// Where to connect to reach a machine's port through the firewall.
struct Connection {
    captures::base::Endpoint listener;  ///< public address and mapped port
    captures::base::Protocol protocol = captures::base::Protocol::tcp;
    std::string rule;  ///< `collection/rule` that maps it
};

/// Finds the way to a machine's port among NAT rules, without a walk through all of them.
class NatLookup {  // NOLINT(bugprone-exception-escape): moving what Boost calls noexcept does not throw
public:
    NatLookup() = default;
    /// Rules on the firewall's private address are ways in only where none on a public one is: few can reach it.
    explicit NatLookup(dnat::RuleTable rules, captures::base::Ipv4Address private_address = {});

    [[nodiscard]] const dnat::RuleTable& rules() const noexcept { return rules_; }

    /// By the first rule that takes *all* of a record's sources to its port: TCP first where the record is for both. None
    /// where no single rule does, or an earlier one takes some of them elsewhere.
    [[nodiscard]] std::optional<Connection> find(captures::base::Endpoint target,
                                                 const policy::AccessRecord& record) const;

private:
    using Indices = boost::container::small_vector<dnat::RuleTable::RuleIndex, 1>;

    [[nodiscard]] bool takes_all(dnat::RuleTable::RuleIndex index, captures::base::Endpoint listener,
                                 captures::base::Protocol protocol,
                                 const std::vector<captures::base::Prefix>& sources) const;
    [[nodiscard]] bool takes_some(dnat::RuleTable::RuleIndex index, captures::base::Endpoint listener,
                                  captures::base::Protocol protocol,
                                  const std::vector<captures::base::Prefix>& sources) const;

    dnat::RuleTable rules_;
    boost::unordered_flat_map<std::uint64_t, Indices> by_target_;
    boost::unordered_flat_map<std::uint64_t, Indices> by_listener_;  ///< those that listen on one port
    Indices wide_;                                                   ///< those that listen on several
};

/// What to type: `ssh -p 50022 USER@203.0.113.10`, `mstsc /v:203.0.113.10:50389`; `203.0.113.10:55985` for others.
[[nodiscard]] std::string connect_command(const Connection& connection, std::uint16_t machine_port);

/// A .rdp file that Remote Desktop clients open.
[[nodiscard]] std::string rdp_file(const Connection& connection, std::string_view machine);

}  // namespace gateway::access
