#pragma once

#include <string>

#include "gateway/live/live_gateway.hpp"

namespace gateway::api {

/// The live gateway's numbers for Prometheus, to stand behind those of `Metrics`. Sides, reasons and causes are their only
/// labels: like those they name no machine, address, port or person.
[[nodiscard]] std::string live_metrics(const live::LiveStatus& status);

}  // namespace gateway::api
