#pragma once

#include <cstdint>
#include <memory>

#include "captures/base/time.hpp"
#include "dnat/nat_rule.hpp"
#include "gateway/pipeline/tables.hpp"
#include "policy/doors.hpp"
#include "policy/verdict.hpp"

namespace gateway::pipeline {

inline constexpr std::uint32_t no_rule = 0xffffffff;

/// What the rules say about a flow's first packet, and which of them said it. Pointers live as long as the tables.
struct Admission {
    policy::Reason reason = policy::Reason::no_listener;  ///< dnat: admitted
    std::uint32_t rule = no_rule;                         ///< NAT rule, where one matched
    policy::WindowId window = 0;                          ///< that let it in; 0: the port is not under JIT
    captures::base::Endpoint target;                      ///< valid iff a NAT rule matched
    const policy::NetworkRule* network_rule = nullptr;    ///< the deny rule that decided, or would have named it
    const policy::Nsg* nsg = nullptr;                     ///< that denied
    const policy::SecurityRule* security_rule = nullptr;
};

/// What packets are judged by: the rules, and what just-in-time access lets in.
struct RuleSet {
    std::shared_ptr<const Tables> tables;
    const policy::Doors* doors = nullptr;
    captures::base::Duration ahead{};  ///< of the windows' clock before that of frames
};

/// What the NAT rules say: the configuration's, then those of mapped ports.
[[nodiscard]] inline dnat::RuleTable::Match match_nat(const Tables& tables, const policy::Doors& doors,
                                                      const dnat::Arrived& arrived) noexcept {
    auto match = tables.nat().match(arrived);
    if (match.listening) return match;
    match = doors.mapped_rules().match(arrived);
    if (match.rule) *match.rule += tables.first_mapped();
    return match;
}

/// Asks, in Azure's order: listener, TCP opening, NAT rules, (legacy) network rules, JIT window, NSGs. Pure: nothing is
/// committed, so `explain` and a reload ask the same way as a packet does.
///
/// `opens` is whether the packet may begin a flow at all: any UDP packet, or a TCP SYN without ACK. The source port is taken to
/// be kept.
[[nodiscard]] Admission admit(const Tables& tables, const policy::Doors& doors, const dnat::Arrived& arrived,
                              bool opens, captures::base::Time now) noexcept;

/// The same in two steps, for who knows more. All but the NSGs, where the NAT rules have been asked already: `match` is what
/// they say of `arrived`.
[[nodiscard]] Admission admit_before_nsgs(const Tables& tables, const policy::Doors& doors,
                                          const dnat::Arrived& arrived, const dnat::RuleTable::Match& match, bool opens,
                                          captures::base::Time now) noexcept;
/// Then the NSGs, of what is `admitted` so far and would be sent from `instance`.
void ask_nsgs(Admission& admitted, const Tables& tables, captures::base::Endpoint instance,
              captures::base::Protocol protocol) noexcept;

/// Whether rules alone would still admit an established flow to `target`, windows aside: what a change of rules asks.
/// The firewall's own rules always count, but for those of mapped ports, which end with their windows; an NSG only where it
/// flushes connections. `window` is the one that admitted the
/// flow, or 0; `rule` becomes the new index of its rule.
[[nodiscard]] bool still_admitted(const Tables& tables, const policy::Doors& doors, const dnat::Arrived& arrived,
                                  const dnat::Delivered& delivered, policy::WindowId window,
                                  std::uint32_t& rule) noexcept;

}  // namespace gateway::pipeline
