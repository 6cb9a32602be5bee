#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "gateway/config/config.hpp"
#include "gateway/config/findings.hpp"

namespace gateway::config_file {

struct LoadedConfig {
    config::Config config;
    config::Findings warnings;  ///< legal, and likely mistakes
};

/// Reads and validates a TOML configuration. On failure, every mistake in it, not just the first.
[[nodiscard]] tl::expected<LoadedConfig, config::Findings> load_config(const std::string& path);

/// The same from text; `name` is the file's, for findings.
[[nodiscard]] tl::expected<LoadedConfig, config::Findings> parse_config(std::string_view text, const std::string& name);

}  // namespace gateway::config_file
