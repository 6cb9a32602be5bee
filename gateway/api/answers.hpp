#pragma once

#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "gateway/api/routes.hpp"

namespace gateway::api {

[[nodiscard]] http::Response json_answer(int status, const boost::json::value& body);
[[nodiscard]] http::Response json_answer(int status, std::string text);

/// `{"error":{"code","message"}}`
[[nodiscard]] http::Response problem_answer(const control_plane::Problem& problem);

/// What every answer carries beside its body (facts: Azure-JIT §1.3).
void add_arm_headers(http::Response& response, const http::Request& request, const control_plane::Caller& caller,
                     std::string_view location, captures::base::Time now);

/// Items of a list that one answer carries.
inline constexpr std::size_t page_size = 100;

/// `{"value":[…]}`, with an absolute `nextLink` that goes on after `last` where that is given. Everything else of the
/// link is as the client sent it.
[[nodiscard]] boost::json::object page_json(const http::Request& request, boost::json::array value,
                                            const std::optional<std::string>& last);

/// Where the page begins: after this; empty for the first. 400 for a token that is none of ours.
[[nodiscard]] control_plane::Answer<std::string> page_start(const http::Request& request);

}  // namespace gateway::api
