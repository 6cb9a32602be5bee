#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/api/arm_problems.hpp"
#include "gateway/api/http/text.hpp"
#include "gateway/api/routes.hpp"

/// Parameters of a query. What is none of them, or not as it should be, is 400 that names it.
namespace gateway::api {

/// 400 that names a parameter which the route does not have: a filter with a slip of the pen would show too much.
[[nodiscard]] std::optional<control_plane::Problem> other_parameters(const Call& call,
                                                                     std::initializer_list<std::string_view> known);

/// A whole number of at most `most`; `otherwise` where the parameter is not there.
[[nodiscard]] control_plane::Answer<std::uint64_t> number_parameter(const Call& call, const std::string& name,
                                                                    std::uint64_t otherwise, std::uint64_t most);

/// `port=22`; 400 for what is no port.
[[nodiscard]] control_plane::Answer<std::optional<std::uint16_t>> port_parameter(const Call& call);

/// What `parse` makes of a parameter that is there; `wanted` is how the message ends: "is neither tcp nor udp".
template <class Parse>
[[nodiscard]] auto parsed_parameter(const Call& call, const std::string& name, Parse parse, std::string_view wanted)
    -> control_plane::Answer<decltype(parse(std::string_view{}))> {
    const auto text = call.request.parameter(name);
    if (!text) return decltype(parse(std::string_view{})){};
    if (auto parsed = parse(*text)) return parsed;
    return tl::unexpected{arm::bad_request(name + ' ' + http::shown(*text) + ' ' + std::string{wanted})};
}

}  // namespace gateway::api
