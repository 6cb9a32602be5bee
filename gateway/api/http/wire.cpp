#include "gateway/api/http/wire.hpp"

#include <fmt/compile.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <iterator>
#include <utility>

#include "policy/names.hpp"

namespace gateway::api::http {

namespace {

constexpr int no_content = 204;
constexpr int not_modified = 304;

constexpr auto phrases = std::to_array<std::pair<int, std::string_view>>({
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
});

std::string_view phrase(int status) noexcept {
    const auto* const found = std::ranges::find(phrases, status, &std::pair<int, std::string_view>::first);
    return found == phrases.end() ? "" : found->second;
}

/// `Tue, 24 Nov 2026 00:10:47 GMT` (RFC 9110 §5.6.7).
std::string http_date(captures::base::Time time) {
    constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    return fmt::format(FMT_COMPILE("{}, {:02} {} {} {:02}:{:02}:{:02} GMT"),
                       days.at(std::chrono::weekday{day}.c_encoding()), static_cast<unsigned>(date.day()),
                       months.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

bool fits_a_line(std::string_view text) noexcept {
    return std::ranges::none_of(std::string_view{"\r\n\0", 3},
                                [&](char letter) { return text.find(letter) != std::string_view::npos; });
}

bool is_authority(std::string_view text) noexcept {
    constexpr std::size_t longest = 255 + 6;  // RFC 1035 §2.3.4, and a port
    constexpr std::string_view others = ".-_:[]";
    return !text.empty() && text.size() <= longest && std::ranges::all_of(text, [&](char letter) {
        const char lower = policy::to_lower(letter);
        return (lower >= 'a' && lower <= 'z') || (letter >= '0' && letter <= '9') ||
               others.find(letter) != std::string_view::npos;
    });
}

}  // namespace

std::string to_wire(const Response& response, const Delivery& delivery) {
    std::size_t most = 256 + response.body.size();
    for (const auto& [name, value] : response.headers) most += name.size() + value.size() + 4;
    std::string text;
    text.reserve(most);
    fmt::format_to(std::back_inserter(text), FMT_COMPILE("HTTP/1.1 {} {}\r\nDate: {}\r\n"), response.status,
                   phrase(response.status), http_date(delivery.date));
    bool has_type = false;
    for (const auto& [name, value] : response.headers) {
        if (!fits_a_line(value)) continue;
        has_type = has_type || policy::same_name(name, "content-type");
        text.append(name).append(": ").append(value).append("\r\n");
    }
    if (!has_type && !response.body.empty()) text += "Content-Type: application/json; charset=utf-8\r\n";
    const bool has_length = response.status != no_content && response.status != not_modified;
    if (has_length) text.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
    if (!delivery.keep_alive) text += "Connection: close\r\n";
    if (delivery.keep_alive && delivery.http_1_0) text += "Connection: keep-alive\r\n";
    text += "\r\n";
    if (has_length && !delivery.only_head) text += response.body;
    return text;
}

Response refusal(int status, std::string_view code, std::string_view message) {
    const boost::json::object error{{"code", code}, {"message", message}};
    return {status,
            {{"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}},
            boost::json::serialize(boost::json::object{{"error", error}})};
}

Target split_target(std::string_view target, std::string_view host) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (!policy::same_name(target.substr(0, scheme.size()), scheme)) continue;
        target.remove_prefix(scheme.size());
        const auto end = std::min(target.find_first_of("/?"), target.size());
        host = target.substr(0, end);
        target.remove_prefix(end);
        const std::string root = target.starts_with('/') ? "" : "/";
        return {root + std::string{target}, is_authority(host) ? std::string{host} : ""};
    }
    return {std::string{target}, is_authority(host) ? std::string{host} : ""};
}

}  // namespace gateway::api::http
