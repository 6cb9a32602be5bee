#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"

namespace gateway::config {

/// A difference between two configurations.
struct ConfigChange {
    enum class What : std::uint8_t { added, removed, changed, reordered };
    What what = What::changed;
    std::string_view kind;  ///< "NAT rule"; a literal
    std::string name;       ///< of one of its kind; empty where the kind has but one, and of an order

    bool operator==(const ConfigChange&) const = default;
};

[[nodiscard]] std::string_view to_string(ConfigChange::What what) noexcept;
/// `NAT rule inbound/ssh-web01: added`, on a line.
[[nodiscard]] std::string to_string(const ConfigChange& change);

/// What a reload from one to the other changes, by kind. Where something stands in its file is no difference.
[[nodiscard]] std::vector<ConfigChange> changes_between(const Config& before, const Config& after);

}  // namespace gateway::config
