#pragma once

#include <optional>
#include <string_view>

#include "gateway/problems.hpp"

namespace gateway {

/// Where a TOML text nests deeper than any of ours has reason to, if it does.
///
/// toml++ builds and destroys what a dotted key nests by recursion, without bound (`a.a.a.a…` in a file of some
/// megabytes overflows the stack), so that must be found before it sees the text. Strings and comments are passed over.
[[nodiscard]] std::optional<Position> nested_too_deep(std::string_view toml);

}  // namespace gateway
