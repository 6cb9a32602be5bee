#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

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

/// For containers of names that compare so. A look-up makes no copy of what it looks for.
struct NameLess {
    using is_transparent = void;
    [[nodiscard]] constexpr bool operator()(std::string_view a, std::string_view b) const noexcept {
        return is_before(a, b);
    }
};
struct NameEqual {
    using is_transparent = void;
    [[nodiscard]] constexpr bool operator()(std::string_view a, std::string_view b) const noexcept {
        return same_name(a, b);
    }
};
struct NameHash {
    using is_transparent = void;
    [[nodiscard]] constexpr std::size_t operator()(std::string_view name) const noexcept {  // FNV-1a
        std::uint64_t hash = 0xcbf29ce484222325;
        for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(to_lower(letter))) * 0x100000001b3;
        return hash;
    }
};
template <class Value>
using NameMap = boost::unordered_flat_map<std::string, Value, NameHash, NameEqual>;

}  // namespace policy
