#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace policy {

/// ASCII only: the names of Azure have no other letters.
[[nodiscard]] constexpr char to_lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

[[nodiscard]] inline std::string to_lower(std::string_view text) {
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(), [](char letter) { return to_lower(letter); });
    return lower;
}

/// Azure compares resource ids and names, principals, roles, tags and actions without regard to case.
[[nodiscard]] constexpr bool same_name(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char left, char right) { return to_lower(left) == to_lower(right); });
}

/// In the order of names that compare so.
[[nodiscard]] constexpr bool is_before(std::string_view a, std::string_view b) noexcept {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](char left, char right) { return to_lower(left) < to_lower(right); });
}

}  // namespace policy
