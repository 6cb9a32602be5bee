#pragma once

#include <string>

#include "captures/packet.hpp"
#include "gateway/pipeline.hpp"

namespace gateway {

/// The rule that admitted or would have admitted a packet, `collection/rule`; empty where none did.
[[nodiscard]] std::string rule_text(const Verdict& verdict, const Tables& tables);

/// What a person wants to know beyond fate, reason and rule: which window, NSG or defect. Empty if nothing.
[[nodiscard]] std::string detail_text(const Verdict& verdict, const captures::Packet& packet, const Tables& tables);

/// `a:p`, or the address alone where there are no ports (fragments, ICMP).
[[nodiscard]] std::string endpoint_text(captures::Endpoint endpoint, captures::Kind kind);

/// `drop jit-closed, rule inbound/ssh-web01: no window is open for 198.51.100.7`, on a line.
[[nodiscard]] std::string verdict_text(const Verdict& verdict, const captures::Packet& packet, const Tables& tables);

}  // namespace gateway
