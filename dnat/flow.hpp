#pragma once

#include <cstdint>

#include "captures/base/five_tuple.hpp"
#include "captures/base/time.hpp"
#include "captures/packet/frame.hpp"
#include "dnat/nat_rule.hpp"
#include "dnat/tcp_state.hpp"
#include "dnat/timeouts.hpp"

namespace dnat {

using FlowIndex = std::uint32_t;
inline constexpr FlowIndex no_flow = 0xffffffff;

/// A tracked flow: what it takes to translate both directions without looking at a rule again.
///
/// Two cache lines. The first has all that a UDP packet needs, the second is TCP's and that of rarer things. Addresses are kept
/// as endpoints in both realms, checksum changes as one delta each: the way back uses its complement.
struct alignas(64) Flow {
    captures::base::Endpoint client;    ///< outside, who called
    captures::base::Endpoint called;    ///< outside, the public (or private) IP of the firewall and the listener's port
    captures::base::Endpoint target;    ///< inside, the VM
    captures::base::Endpoint instance;  ///< inside, the firewall instance and the source port it uses for this flow
    captures::base::Time last_seen;     ///< of the packet that counts for the deadline
    std::uint32_t rule = 0;             ///< index of the rule that admitted it
    std::uint32_t generation = 0;       ///< of rules and windows when it was last judged
    std::uint64_t window = 0;           ///< JIT window that admitted it; 0 for none
    std::uint16_t address_delta = 0;    ///< ChecksumDelta of client -> instance, called -> target: addresses
    std::uint16_t transport_delta = 0;  ///< addresses and ports
    captures::base::Protocol protocol = captures::base::Protocol::tcp;
    FlowState state = FlowState::udp;
    bool east_west = false;  ///< arrived on the private IP
    alignas(64) TcpTrack tcp;
    captures::packet::LinkType link_type = captures::packet::LinkType::ethernet;  ///< of its first packet
    bool reset_due = false;             ///< it was cut, and its ends are not told yet
    std::uint32_t next_free = no_flow;  ///< while unused
    FlowIndex older = no_flow;          ///< neighbours among the flows of its window
    FlowIndex newer = no_flow;

    [[nodiscard]] Arrived arrived() const noexcept { return {{client, called, protocol}}; }
    [[nodiscard]] Delivered delivered() const noexcept { return {{instance, target, protocol}}; }

    /// When it ends unless another packet comes: the one named deadline of its state.
    [[nodiscard]] captures::base::Time deadline(const Timeouts& timeouts) const noexcept {
        return last_seen + lifetime(timeouts);
    }
    [[nodiscard]] captures::base::Duration lifetime(const Timeouts& timeouts) const noexcept {
        if (protocol == captures::base::Protocol::udp && state != FlowState::cut) return timeouts.udp_idle;
        if (!is_open(state)) return timeouts.tcp_transitory;
        return east_west ? timeouts.tcp_idle_east_west : timeouts.tcp_idle;
    }
};

static_assert(sizeof(Flow) == 128);

}  // namespace dnat
