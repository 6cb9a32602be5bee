#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "captures/five_tuple.hpp"
#include "dnat/rule_table.hpp"
#include "policy/access_record.hpp"

namespace gateway {

/// Where to connect to reach a machine's port through the firewall.
struct Connection {
    captures::Endpoint listener;  ///< public address and mapped port
    captures::Protocol protocol = captures::Protocol::tcp;
    std::string rule;  ///< `collection/rule` that maps it
};

/// The rule that takes *all* of a record's sources to its port: TCP first where the record is for both. None where no single
/// rule does, or an earlier one takes some of them elsewhere.
[[nodiscard]] std::optional<Connection> connection_by_rule(const dnat::RuleTable& rules, captures::Endpoint target,
                                                           const policy::AccessRecord& record);

/// What to type: `ssh -p 50022 USER@203.0.113.10`, `mstsc /v:203.0.113.10:50389`; `203.0.113.10:55985` for others.
[[nodiscard]] std::string connect_command(const Connection& connection, std::uint16_t machine_port);

/// A .rdp file that Remote Desktop clients open.
[[nodiscard]] std::string rdp_file(const Connection& connection, std::string_view machine);

}  // namespace gateway
