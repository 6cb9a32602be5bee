#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/findings.hpp"

namespace gateway::config_file {

// toml++ 3.3 has two defects that a hostile file can reach; these keep it from them.

struct Unfit {
    config::Position at;
    std::string_view why;
};

/// The first thing in a TOML text that toml++ must not see, or would not explain, if there is one: tables nested by long
/// dotted keys, which it builds and destroys by recursion without bound (`a.a.a.a…` of some megabytes overflows the
/// stack), and characters beyond ASCII outside of strings and comments, mostly typographic quotes.
[[nodiscard]] std::optional<Unfit> unfit_for_toml(std::string_view text);

/// The text with characters of U+00A0 to U+FFFF moved to a plane for private use, one for one, so that columns stay as
/// they are: where toml++ looks for white space, some of them lead it to undefined behaviour.
[[nodiscard]] std::string moved_to_private_use(std::string_view text);
/// What `moved_to_private_use` made this of.
[[nodiscard]] std::string moved_back(std::string_view text);

}  // namespace gateway::config_file
