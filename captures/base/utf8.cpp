#include "captures/base/utf8.hpp"

#include <cassert>

#include <utf8.h>

namespace captures::base {

bool is_utf8(std::string_view text) noexcept { return utf8::is_valid(text); }

std::string_view utf8_prefix(std::string_view text) noexcept { return text.substr(0, utf8::find_invalid(text)); }

std::optional<Character> first_character(std::string_view text) noexcept {
    constexpr std::size_t longest = 4;
    const auto valid = utf8_prefix(text.substr(0, longest));
    if (valid.empty()) return {};
    const auto* end = valid.data();
    const auto code_point = utf8::unchecked::next(end);
    return Character{code_point, static_cast<std::size_t>(end - valid.data())};
}

std::size_t character_count(std::string_view text) noexcept {
    std::size_t count = 0;
    while (true) {
        const auto valid = utf8_prefix(text);
        count += static_cast<std::size_t>(utf8::unchecked::distance(valid.begin(), valid.end()));
        if (valid.size() == text.size()) return count;
        ++count;
        text.remove_prefix(valid.size() + 1);
    }
}

void append_utf8(char32_t code_point, std::string& text) {
    assert(code_point < 0xd800 || (code_point > 0xdfff && code_point <= 0x10ffff));
    utf8::append(code_point, text);
}

}  // namespace captures::base
