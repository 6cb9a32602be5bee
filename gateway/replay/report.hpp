#pragma once

#include <string>
#include <string_view>

#include "gateway/replay/replay.hpp"

namespace gateway::replay {

/// `--summary-json`: one object, fields as DESIGN §5 has them; reasons that did not occur are left out.
[[nodiscard]] std::string summary_json(const ReplayResult& result);

/// The same and more for a person: verdicts by reason, rules hit, windows, refused requests, flows, what to look at.
[[nodiscard]] std::string summary_table(const ReplayResult& result, const std::string& input);

/// What a newcomer would ask about a reason: "no just-in-time window was open".
[[nodiscard]] std::string_view gloss(policy::Reason reason);

}  // namespace gateway::replay
