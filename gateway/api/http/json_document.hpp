#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <tl/expected.hpp>

namespace gateway::api::http {

/// An object of JSON, nested at most 16 deep. The error is for a person.
[[nodiscard]] tl::expected<boost::json::object, std::string> parse_object(std::string_view text);

/// Whether some object in a JSON text, which must be valid, has two members of the same name.
[[nodiscard]] bool has_duplicate_names(std::string_view text);

/// JSON strings by their views, without a copy of the library's own type in every signature.
[[nodiscard]] std::optional<std::string_view> text_of(const boost::json::value& value) noexcept;

}  // namespace gateway::api::http
