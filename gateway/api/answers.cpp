#include "gateway/api/answers.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "captures/base/utf8.hpp"
#include "gateway/api/arm_problems.hpp"
#include "gateway/api/http/text.hpp"
#include "gateway/api/json_text.hpp"
#include "policy/names.hpp"

namespace gateway::api {

namespace {

constexpr const char* skip_token = "$skiptoken";

/// `20260131T093000Z`
std::string compact_time(captures::base::Time time) {
    auto text = captures::base::to_rfc3339(time, 0);
    std::erase_if(text, [](char letter) { return letter == '-' || letter == ':'; });
    return text;
}

std::string upper(std::string_view text) {
    std::string result{text};
    std::ranges::transform(result, result.begin(), [](char letter) {
        return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    });
    return result;
}

}  // namespace

http::Response json_answer(int status, const boost::json::value& body) {
    return json_answer(status, boost::json::serialize(body));
}

http::Response json_answer(int status, std::string text) {
    constexpr std::size_t most = 16;
    http::Response response{status, {}, std::move(text)};
    response.headers.reserve(most);
    response.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
    return response;
}

http::Response problem_answer(const control_plane::Problem& problem) {
    const boost::json::object error{{"code", problem.code}, {"message", problem.message}};
    return json_answer(problem.status, boost::json::object{{"error", error}});
}

void add_arm_headers(http::Response& response, const http::Request& request, const control_plane::Caller& caller,
                     std::string_view location, captures::base::Time now) {
    auto& headers = response.headers;
    headers.emplace_back("Cache-Control", "no-cache");
    headers.emplace_back("Pragma", "no-cache");
    headers.emplace_back("Expires", "-1");
    headers.emplace_back("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    headers.emplace_back("X-Content-Type-Options", "nosniff");
    headers.emplace_back("x-ms-request-id", "");
    headers.emplace_back("x-ms-correlation-request-id", caller.correlation_id);
    headers.emplace_back("x-ms-routing-request-id",
                         upper(location) + ':' + compact_time(now) + ':' + caller.correlation_id);
    const bool is_wanted = policy::same_name(request.header("x-ms-return-client-request-id"), "true");
    if (is_wanted && !caller.client_request_id.empty()) {
        headers.emplace_back("x-ms-client-request-id", caller.client_request_id);
    }
}

boost::json::object page_json(const http::Request& request, boost::json::array value,
                              const std::optional<std::string>& last) {
    boost::json::object page{{"value", std::move(value)}};
    if (!last) return page;
    std::string link = request.base_url;
    for (const auto& segment : request.path) link += '/' + http::percent_encoded(segment);
    char separator = '?';
    for (const auto& [name, given] : request.query) {
        if (name == skip_token) continue;
        link += std::exchange(separator, '&') + http::percent_encoded(name) + '=' + http::percent_encoded(given);
    }
    page["nextLink"] = link + separator + "$skiptoken=" + http::to_base64url(*last);
    return page;
}

control_plane::Answer<std::string> page_start(const http::Request& request) {
    const auto token = request.parameter(skip_token);
    if (!token) return std::string{};
    const auto start = http::from_base64url(*token);
    if (start && !start->empty() && captures::base::is_utf8(*start)) return *start;
    return tl::unexpected{
        arm::bad_request("The $skiptoken " + http::shown(*token) + " is none that was given out here")};
}

}  // namespace gateway::api
