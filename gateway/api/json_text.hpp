#pragma once

#include <string_view>

#include <boost/json/string_view.hpp>

#include "captures/time.hpp"

namespace gateway::api {

/// Boost.JSON has a view of its own.
[[nodiscard]] inline boost::json::string_view json_text(std::string_view text) noexcept {
    return {text.data(), text.size()};
}

/// As Azure's answers have it: seven digits.
[[nodiscard]] inline std::string arm_time(captures::Time time) { return captures::to_rfc3339(time, 7); }

}  // namespace gateway::api
