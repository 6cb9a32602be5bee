#include "gateway/config_file/load.hpp"

#include <algorithm>
#include <array>

#include "gateway/config/warnings.hpp"
#include "gateway/config_file/draft.hpp"

namespace gateway::config_file {

namespace {

/// A rule takes some 200 bytes: room for 150,000. toml++ needs about 15 times a file's size in memory, 50 at worst.
constexpr std::size_t largest_configuration = std::size_t{32} << 20;

bool is_error(const config::Finding& finding) noexcept { return finding.severity == config::Finding::Severity::error; }

tl::expected<LoadedConfig, config::Findings> finish(Draft& draft) {
    const bool failed = draft.problems.has_errors();
    auto findings = draft.problems.take();
    if (failed) return tl::unexpected{std::move(findings)};
    auto warnings = config_warnings(draft.config);
    std::move(warnings.begin(), warnings.end(), std::back_inserter(findings));
    if (std::ranges::any_of(findings, is_error)) return tl::unexpected{std::move(findings)};
    return LoadedConfig{std::move(draft.config), std::move(findings)};
}

tl::expected<LoadedConfig, config::Findings> parse(std::string_view text, Draft& draft) {
    const auto document = parse_toml(text, draft.problems);
    if (!document) return tl::unexpected{draft.problems.take()};
    TomlTable root{*document, "configuration", draft.problems};
    // Each section comes after those whose names it uses.
    constexpr std::array sections{
        read_firewall,
        read_timeouts,
        read_limits,
        read_service_tags,
        read_nsgs,
        read_virtual_machines,
        read_rule_collection_groups,
        read_ip_groups,
        read_nat_rules,
        read_network_rules,
        read_jit_policies,
        read_principals,
        read_roles,
        read_role_assignments,
        read_import,
        read_service_settings,
        read_live,
    };
    for (auto* const read : sections) read(root, draft);
    root.refuse_unknown_keys();
    return finish(draft);
}

}  // namespace

tl::expected<LoadedConfig, config::Findings> load_config(const std::string& path) {
    Draft draft{path};
    const auto text = read_text(path, largest_configuration, draft.problems);
    if (!text) return tl::unexpected{draft.problems.take()};
    return parse(*text, draft);
}

tl::expected<LoadedConfig, config::Findings> parse_config(std::string_view text, const std::string& name) {
    Draft draft{name};
    return parse(text, draft);
}

/// The one place where ARM JSON would come in; until then nobody shall believe that it did.
void read_import(TomlTable& root, Draft& /*draft*/) {
    auto table = root.table("import", "import");
    if (!table) return;
    if (table->has("arm")) {
        table->error("arm", "ARM import is not available in this build; write the rules as TOML and remove this key");
    }
    table->refuse_unknown_keys();
}

}  // namespace gateway::config_file
