#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policy/jit_policy.hpp"

namespace gateway::store {

/// A policy but for its name, exactly. Durations are in nanoseconds.
[[nodiscard]] std::string to_json(const policy::JitPolicy& policy);
/// Empty where it is not what `to_json` writes.
[[nodiscard]] std::optional<policy::JitPolicy> from_json(std::string_view text);

// The words of columns and JSON alike.

[[nodiscard]] std::string_view protocol_text(
    std::optional<captures::base::Protocol> protocol) noexcept;  ///< `TCP`, `UDP`, ``
[[nodiscard]] bool read_protocol(std::string_view text, std::optional<captures::base::Protocol>& protocol) noexcept;
[[nodiscard]] std::string_view on_expiry_text(policy::OnExpiry on_expiry) noexcept;  ///< `keep`, `cut`
[[nodiscard]] bool read_on_expiry(std::string_view text, policy::OnExpiry& on_expiry) noexcept;

}  // namespace gateway::store
