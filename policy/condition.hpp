#pragma once

#include <span>
#include <vector>

#include "captures/base/five_tuple.hpp"

namespace policy {

/// What a rule asks of a packet: the protocol, and that each list has the packet's value. It refers to the lists of its
/// rule, which must outlive it.
struct Condition {
    bool tcp = false;
    bool udp = false;
    bool never_through_window = false;                      ///< does not match what a just-in-time window let in
    std::span<const captures::base::AddressRange> sources;  ///< an empty list, here and below, matches nothing
    std::span<const captures::base::PortRange> source_ports;
    std::span<const captures::base::AddressRange> destinations;
    std::span<const captures::base::PortRange> destination_ports;

    [[nodiscard]] bool matches(const captures::base::FiveTuple& tuple, bool through_window) const noexcept;
};

/// One for each rule.
template <class Rule>
[[nodiscard]] std::vector<Condition> conditions_of(const std::vector<Rule>& rules) {
    std::vector<Condition> conditions;
    conditions.reserve(rules.size());
    for (const auto& rule : rules) conditions.push_back(rule.condition());
    return conditions;
}

}  // namespace policy
