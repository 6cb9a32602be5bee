#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>

#include "captures/base/time.hpp"

namespace gateway::api {

/// Boost.JSON has a view of its own.
[[nodiscard]] inline boost::json::string_view json_text(std::string_view text) noexcept {
    return {text.data(), text.size()};
}

/// Appends a string as JSON has it. Where something in it is to be escaped, Boost.JSON does so.
inline void append_json(std::string& json, std::string_view text) {
    const auto is_plain = [](char letter) {
        return static_cast<unsigned char>(letter) >= ' ' && letter != '"' && letter != '\\';
    };
    if (std::ranges::all_of(text, is_plain)) {
        json.append(1, '"').append(text).append(1, '"');
    } else {
        json += boost::json::serialize(json_text(text));
    }
}

inline void append_json(std::string& json, std::uint16_t number) { json += std::to_string(number); }

/// As Azure's answers have it: seven digits.
[[nodiscard]] inline std::string arm_time(captures::base::Time time) { return captures::base::to_rfc3339(time, 7); }

}  // namespace gateway::api
