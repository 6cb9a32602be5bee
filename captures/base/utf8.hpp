#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace captures::base {

// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates.

struct Character {
    char32_t code_point;
    std::size_t size;  ///< in bytes, 1 to 4
};

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// The longest beginning that is UTF-8. Use it on the first bytes of a text: it does not end within a character.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text) noexcept;

/// Nothing where the text is empty or does not begin with UTF-8.
[[nodiscard]] std::optional<Character> first_character(std::string_view text) noexcept;

/// A byte that is not UTF-8 counts as one character.
[[nodiscard]] std::size_t character_count(std::string_view text) noexcept;

/// Precondition: a code point of Unicode that is no surrogate.
void append_utf8(char32_t code_point, std::string& text);

}  // namespace captures::base
