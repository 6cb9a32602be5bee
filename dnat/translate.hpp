#pragma once

#include <cstdint>

#include "captures/base/five_tuple.hpp"
#include "dnat/flow.hpp"

namespace dnat {

/// What a packet's addresses and ports become.
///
/// Theory of operation. Azure Firewall rewrites all four fields of an inbound flow: destination to the VM, source to the
/// firewall instance, so that answers come back to it without any route. The decision is a value, taken here from the
/// flow alone; `rewrite` carries it out. The three directions:
///
///   toward_target   C:cp -> P:dp   becomes   I:ip -> T:tp     from outside
///   toward_client   T:tp -> I:ip   becomes   P:dp -> C:cp     from inside
///   untranslated          P:dp -> C:cp   becomes   T:tp -> I:ip     a reply seen outside, after its translation
///
/// An ICMP error travels against the packet it quotes, so one translation serves both: the outer addresses become
/// `source` and `destination`, the quoted packet's source becomes `destination` and its destination `source`. The
/// outer source is replaced whoever sent it, as Linux does: a router's own address inside means nothing outside.
struct Translation {
    captures::base::Endpoint source;
    captures::base::Endpoint destination;
    std::uint16_t address_delta = 0;    ///< ChecksumDelta of the addresses
    std::uint16_t transport_delta = 0;  ///< of addresses and ports
};

[[nodiscard]] constexpr Translation toward_target(const Flow& flow) noexcept {
    return {flow.instance, flow.target, flow.address_delta, flow.transport_delta};
}

[[nodiscard]] constexpr Translation toward_client(const Flow& flow) noexcept {
    return {flow.called, flow.client, static_cast<std::uint16_t>(~flow.address_delta),
            static_cast<std::uint16_t>(~flow.transport_delta)};
}

/// The same words change as toward the target, in the other places.
[[nodiscard]] constexpr Translation untranslated(const Flow& flow) noexcept {
    return {flow.target, flow.instance, flow.address_delta, flow.transport_delta};
}

}  // namespace dnat
