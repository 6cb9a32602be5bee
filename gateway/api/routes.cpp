#include "gateway/api/routes.hpp"

#include <algorithm>

#include "gateway/api/http/text.hpp"
#include "policy/names.hpp"

namespace gateway::api {

namespace {

using Places = std::vector<std::pair<std::string_view, std::string>>;

/// What stands at the pattern's `{name}`s; nothing where the path is another.
std::optional<Places> places_of(std::string_view pattern, const std::vector<std::string>& path) {
    Places places;
    for (const auto& segment : path) {
        if (pattern.empty()) return {};
        pattern.remove_prefix(1);  // the slash
        const auto wanted = pattern.substr(0, pattern.find('/'));
        if (wanted.starts_with('{')) {
            places.emplace_back(wanted.substr(1, wanted.size() - 2), segment);
        } else if (!policy::same_name(wanted, segment)) {
            return {};
        }
        pattern.remove_prefix(wanted.size());
    }
    if (!pattern.empty()) return {};
    return places;
}

}  // namespace

std::string_view Call::place(std::string_view name) const noexcept {
    const auto found = std::ranges::find(places, name, &Places::value_type::first);
    return found == places.end() ? std::string_view{} : std::string_view{found->second};
}

std::string Call::resource() const {
    std::string id;
    for (const auto& segment : request.path) id += '/' + segment;
    return id;
}

std::string Call::fingerprint() const {
    return http::to_hex(http::sha256(policy::to_lower(resource()) + '\n' + request.body));
}

tl::unexpected<control_plane::Problem> Call::refuse(std::string_view action, std::string_view scope,
                                                    control_plane::Problem problem) {
    control.audit().note_refusal(caller, action, scope, problem, now);
    return tl::unexpected{std::move(problem)};
}

std::optional<Match> match(std::span<const Route> routes, std::string_view method,
                           const std::vector<std::string>& path) {
    Match result;
    for (const auto& route : routes) {
        auto places = places_of(route.pattern, path);
        if (!places) continue;
        const bool is_head = method == "HEAD" && route.method == "GET";
        if (route.method == method || is_head) return Match{&route, {}, std::move(*places)};
        result.allowed += (result.allowed.empty() ? "" : ", ") + std::string{route.method};
        if (route.method == "GET") result.allowed += ", HEAD";
    }
    if (result.allowed.empty()) return {};
    return result;
}

}  // namespace gateway::api
