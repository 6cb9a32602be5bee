#pragma once

#include <string>

#include "captures/packet/packet.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace gateway::outputs {

/// The rule that admitted or would have admitted a packet, `collection/rule`; empty where none did.
[[nodiscard]] std::string rule_text(const pipeline::Verdict& verdict, const pipeline::Tables& tables);

/// What a person wants to know beyond fate, reason and rule: which window, NSG or defect. Empty if nothing.
[[nodiscard]] std::string detail_text(const pipeline::Verdict& verdict, const captures::packet::Packet& packet,
                                      const pipeline::Tables& tables);

/// `a:p`, or the address alone where there are no ports (fragments, ICMP).
[[nodiscard]] std::string endpoint_text(captures::base::Endpoint endpoint, captures::packet::Kind kind);

/// `drop jit-closed, rule inbound/ssh-web01: no window is open for 198.51.100.7`, on a line.
[[nodiscard]] std::string verdict_text(const pipeline::Verdict& verdict, const captures::packet::Packet& packet,
                                       const pipeline::Tables& tables);

}  // namespace gateway::outputs
