#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace policy {

/// What becomes of a packet. packets = forwarded + dropped + ignored, always.
enum class Fate : std::uint8_t { forward, drop, ignore };

/// Why. One enum for logs, counters, decisions, expectations and tests; the texts are the interface.
enum class Reason : std::uint8_t {
    // forwarded
    dnat,         ///< first packet of a flow: a NAT rule and all checks admitted it
    established,  ///< later packet from the client
    reply,        ///< packet from the VM
    related,      ///< ICMP error about a tracked flow
    // dropped, in the order in which the checks stand
    malformed,
    unsupported,  ///< IPv6, or a protocol that DNAT does not know
    fragment,     ///< tiny, overlapping, or its first fragment never came
    ttl_expired,
    too_big,            ///< live: must not be fragmented, and does not fit the wire that it would leave on
    hairpin,            ///< from inside to a public IP: Azure Firewall does not do it
    no_listener,        ///< no NAT rule names (destination, port, protocol); Azure's front drops it, unlogged
    invalid_state,      ///< TCP without a flow and not a SYN, or a segment its flow's state does not allow
    no_nat_rule,        ///< a listener, but no rule admits the source
    network_rule_deny,  ///< legacy switch: a network rule denies what DNAT would allow
    jit_closed,         ///< the port is under just-in-time access and no window is open for this source
    nsg_deny,
    no_flow,     ///< from inside, an answer to nothing
    window_cut,  ///< its window was cut
    ports_exhausted,
    table_full,
    // ignored
    not_ip,     ///< ARP, LLDP, unknown link types
    departure,  ///< on both wires: sent by the firewall itself, seen as it leaves
};

inline constexpr std::size_t reason_count = static_cast<std::size_t>(Reason::departure) + 1;

inline constexpr std::array<std::string_view, reason_count> reason_texts{
    "dnat",        "established", "reply",   "related",     "malformed",       "unsupported", "fragment",
    "ttl-expired", "too-big",     "hairpin", "no-listener", "invalid-state",   "no-nat-rule", "network-rule-deny",
    "jit-closed",  "nsg-deny",    "no-flow", "window-cut",  "ports-exhausted", "table-full",  "not-ip",
    "departure",
};

[[nodiscard]] constexpr std::string_view to_string(Reason reason) noexcept {
    return reason_texts[static_cast<std::size_t>(reason)];
}

[[nodiscard]] constexpr Fate fate_of(Reason reason) noexcept {
    if (reason <= Reason::related) return Fate::forward;
    return reason >= Reason::not_ip ? Fate::ignore : Fate::drop;
}

[[nodiscard]] constexpr std::string_view to_string(Fate fate) noexcept {
    switch (fate) {
        case Fate::forward: return "forward";
        case Fate::drop: return "drop";
        case Fate::ignore: return "ignore";
    }
    return "";
}

}  // namespace policy
