#include "gateway/toml_nesting.hpp"

#include <algorithm>

namespace gateway {

namespace {

constexpr int most_dots = 16;      // in one dotted key
constexpr int most_brackets = 32;  // open at a time

bool begins_at(std::string_view text, std::size_t at, std::string_view what) {
    return text.substr(at, what.size()) == what;
}

/// The index after the string that begins at `at`, or the text's size if it does not end.
std::size_t after_string(std::string_view toml, std::size_t at) {
    const char quote = toml[at];
    const char fence[3] = {quote, quote, quote};
    const std::string_view triple{fence, 3};
    const bool multi_line = begins_at(toml, at, triple);
    at += multi_line ? 3 : 1;
    while (at < toml.size()) {
        if (quote == '"' && toml[at] == '\\') {
            at += 2;
        } else if (multi_line && begins_at(toml, at, triple)) {
            at += 3;
            // Up to two quotes may stand before the closing three: they belong to the string.
            for (int more = 0; more < 2 && at < toml.size() && toml[at] == quote; ++more) ++at;
            return at;
        } else if (!multi_line && (toml[at] == quote || toml[at] == '\n')) {
            return at + 1;
        } else {
            ++at;
        }
    }
    return toml.size();
}

Position position_of(std::string_view toml, std::size_t at) {
    const auto before = toml.substr(0, at);
    const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return {static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            static_cast<std::uint32_t>(at - line_start + 1)};
}

}  // namespace

std::optional<Position> nested_too_deep(std::string_view toml) {
    int dots = 0;
    int brackets = 0;
    for (std::size_t at = 0; at < toml.size();) {
        const char letter = toml[at];
        if (letter == '"' || letter == '\'') {
            at = after_string(toml, at);
            continue;
        }
        if (letter == '#') {
            at = std::min(toml.find('\n', at), toml.size());
            continue;
        }
        if (letter == '.') {
            ++dots;
        } else if (std::string_view{",=[]{}\n"}.find(letter) != std::string_view::npos) {
            dots = 0;
        }
        if (letter == '[' || letter == '{') ++brackets;
        if ((letter == ']' || letter == '}') && brackets > 0) --brackets;
        if (dots > most_dots || brackets > most_brackets) return position_of(toml, at);
        ++at;
    }
    return {};
}

}  // namespace gateway
