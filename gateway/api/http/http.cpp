#include "gateway/api/http/http.hpp"

#include <algorithm>

#include <boost/url/parse.hpp>

#include "captures/base/utf8.hpp"
#include "policy/names.hpp"

namespace gateway::api::http {

namespace {

// Of Azure's paths and ours, so that they seldom grow.
constexpr std::size_t usual_segments = 10;
constexpr std::size_t usual_parameters = 3;

/// What a decoded part of a URL may hold: text, nothing that would end a line or hide in a log.
bool is_clean(std::string_view text) noexcept {
    const auto is_control = [](char letter) { return static_cast<unsigned char>(letter) < ' ' || letter == '\x7f'; };
    return std::ranges::none_of(text, is_control) && captures::base::is_utf8(text);
}

/// A segment with a slash inside could be read as two when paths are put together again.
bool is_clean_segment(std::string_view text) noexcept {
    return is_clean(text) && text.find('/') == std::string_view::npos && text != "." && text != "..";
}

}  // namespace

std::string_view Request::header(std::string_view lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

std::optional<std::string_view> Request::parameter(std::string_view lower_case_name) const {
    const auto found = query.find(lower_case_name);
    if (found == query.end()) return {};
    return found->second;
}

std::optional<std::pair<std::vector<std::string>, Fields>> parse_target(std::string_view target) {
    const boost::urls::string_view text{target.data(), target.size()};
    const auto url = target.starts_with('/') ? boost::urls::parse_origin_form(text)
                                             : boost::urls::parse_absolute_uri(text);
    if (!url) return {};

    std::pair<std::vector<std::string>, Fields> result;
    auto& [path, query] = result;
    path.reserve(usual_segments);
    query.reserve(usual_parameters);
    for (const auto segment : url->encoded_segments()) {
        auto decoded = segment.decode();
        if (!is_clean_segment(decoded)) return {};
        // `//` is `/`: clients join a base that ends in a slash with a path that begins with one.
        if (!decoded.empty()) path.push_back(std::move(decoded));
    }
    for (const auto parameter : url->encoded_params()) {
        // A plus is a plus: times have offsets, names have tags, and nothing here has a space.
        auto name = policy::to_lower(parameter.key.decode());
        auto value = parameter.value.decode();
        if (!is_clean(name) || !is_clean(value)) return {};
        query.try_emplace(std::move(name), std::move(value));
    }
    return result;
}

}  // namespace gateway::api::http
