#include "gateway/api/parameters.hpp"

#include <algorithm>
#include <charconv>

namespace gateway::api {

control_plane::Answer<std::uint64_t> number_parameter(const Call& call, const std::string& name,
                                                      std::uint64_t otherwise, std::uint64_t most) {
    const auto text = call.request.parameter(name);
    if (!text) return otherwise;
    std::uint64_t number = 0;
    const auto* const end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, number);
    if (error == std::errc{} && at == end && number <= most) return number;
    return tl::unexpected{arm::bad_request(name + ' ' + http::shown(*text) + " is not a whole number of at most " +
                                           std::to_string(most))};
}

control_plane::Answer<std::optional<std::uint16_t>> port_parameter(const Call& call) {
    const auto text = call.request.parameter("port");
    if (!text) return std::optional<std::uint16_t>{};
    const auto port = captures::base::parse_port(*text);
    if (port && *port > 0) return port;
    return tl::unexpected{arm::bad_request("port " + http::shown(*text) + " is not a port, 1 to 65535")};
}

std::optional<control_plane::Problem> other_parameters(const Call& call,
                                                       std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : call.request.query) {
        if (name == "api-version" || std::ranges::find(known, name) != known.end()) continue;
        return arm::bad_request("There is no parameter " + http::shown(name) + " here");
    }
    return {};
}

}  // namespace gateway::api
