#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "captures/base/five_tuple.hpp"

namespace dnat {

/// The two sides of a translation have different types, so that nobody looks up the wrong one.
struct Arrived {  ///< as the client sent it: client -> public IP
    captures::base::FiveTuple tuple;
    auto operator<=>(const Arrived&) const = default;
};
struct Delivered {  ///< as the VM gets it: firewall instance -> VM
    captures::base::FiveTuple tuple;
    auto operator<=>(const Delivered&) const = default;
};

/// Where a rule stands, for logs and for people. Group and policy are empty for classic rules.
struct RuleName {
    std::string collection;
    std::string rule;
    std::string group;
    std::string policy;

    auto operator<=>(const RuleName&) const = default;
};

/// `collection/rule`, as decisions and summaries show it.
[[nodiscard]] inline std::string to_string(const RuleName& name) { return name.collection + '/' + name.rule; }

/// One DNAT rule of an Azure Firewall, already validated and expanded: IP groups are resolved into `sources`.
struct NatRule {
    RuleName name;
    std::vector<captures::base::Protocol>
        protocols;  ///< TCP, UDP or both; none, and no sources: it does not even listen
    std::vector<captures::base::AddressRange> sources;  ///< empty = an emptied IP group: the rule is skipped
    captures::base::Ipv4Address destination;            ///< a public IP, or the firewall's private IP
    std::vector<captures::base::PortRange> destination_ports;
    captures::base::Endpoint translated;
};

/// What the front of an Azure Firewall listens on: only these packets reach the firewall at all.
struct Listener {
    captures::base::Endpoint endpoint;
    captures::base::Protocol protocol = captures::base::Protocol::tcp;

    auto operator<=>(const Listener&) const = default;
};

}  // namespace dnat
