#pragma once

#include <string>

#include <tl/expected.hpp>

#include "gateway/config/config.hpp"

namespace gateway::config_file {

/// What the commands that ask a server need not be told each time. Empty where it is not said.
struct ClientConfig {
    std::string endpoint;
    std::string token_file;  ///< relative paths are made relative to the file's folder
    std::string ca;
};

/// Reads `client.toml`: the keys `endpoint`, `token_file` and `ca`.
[[nodiscard]] tl::expected<ClientConfig, config::Findings> load_client_config(const std::string& path);

}  // namespace gateway::config_file
