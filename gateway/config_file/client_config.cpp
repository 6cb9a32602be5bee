#include "gateway/config_file/client_config.hpp"

#include <filesystem>

#include "gateway/config_file/toml_table.hpp"

namespace gateway::config_file {

namespace {

constexpr std::size_t largest_client_file = std::size_t{64} * 1024;

std::string beside(const std::string& file, std::optional<Located<std::string>> path) {
    if (!path || path->value.empty()) return {};
    return (std::filesystem::path{file}.parent_path() / path->value).string();
}

}  // namespace

tl::expected<ClientConfig, config::Findings> load_client_config(const std::string& path) {
    config::Problems problems{path};
    const auto text = config::read_text(path, largest_client_file, problems);
    const auto document = text ? parse_toml(*text, problems) : std::nullopt;
    if (!document) return tl::unexpected{problems.take()};
    TomlTable root{*document, "client configuration", problems};
    ClientConfig config;
    if (const auto endpoint = root.text("endpoint")) config.endpoint = endpoint->value;
    config.token_file = beside(path, root.text("token_file"));
    config.ca = beside(path, root.text("ca"));
    root.refuse_unknown_keys();
    if (problems.has_errors()) return tl::unexpected{problems.take()};
    return config;
}

}  // namespace gateway::config_file
