#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::api::http {

inline constexpr std::size_t sha256_size = 32;
using Sha256 = std::array<std::uint8_t, sha256_size>;

[[nodiscard]] Sha256 sha256(std::string_view text);

/// Lower case.
[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] std::string to_hex(const Sha256& digest);
/// Either case; an even number of digits and nothing else.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view digits);

/// RFC 4648 §5, without padding.
[[nodiscard]] std::string to_base64url(std::string_view bytes);
/// The one spelling of each text only: no padding, no stray bits at the end (RFC 4648 §3.5).
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

/// `8-4-4-4-12` hex digits.
[[nodiscard]] bool is_guid(std::string_view text) noexcept;
/// The same for the same digest (RFC 9562, version 8).
[[nodiscard]] std::string guid_of(const Sha256& digest);

/// Everything but letters, digits and `-._~` as `%XX` (RFC 3986 §2.3).
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// Somebody else's text for a message: in quotes, of a readable length.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace gateway::api::http
