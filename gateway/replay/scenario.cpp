#include "gateway/replay/scenario.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "gateway/config_file/load.hpp"
#include "gateway/replay/scenario_tables.hpp"

namespace gateway::replay {

namespace {

constexpr std::size_t largest_scenario = std::size_t{16} << 20;

tl::expected<Scenario, config::Findings> parse(std::string_view text, const std::string& directory,
                                               config::Problems& problems) {
    const auto document = config_file::parse_toml(text, problems);
    if (!document) return tl::unexpected{problems.take()};
    config_file::TomlTable root{*document, "scenario", problems};
    Scenario scenario;
    for (auto& table : root.tables("event", "event")) read_event(table, directory, problems, scenario);
    for (auto& table : root.tables("expect", "expectation")) read_expectation(table, problems, scenario);
    root.refuse_unknown_keys();
    if (problems.has_errors()) return tl::unexpected{problems.take()};
    return scenario;
}

}  // namespace

tl::expected<Scenario, config::Findings> load_scenario(const std::string& path) {
    config::Problems problems{path};
    const auto text = config::read_text(path, largest_scenario, problems);
    if (!text) return tl::unexpected{problems.take()};
    const auto directory = std::filesystem::path{path}.parent_path().string();
    auto scenario = parse(*text, directory.empty() ? "." : directory, problems);
    if (!scenario) return scenario;
    if (auto findings = load_reloads(*scenario); !findings.empty()) return tl::unexpected{std::move(findings)};
    return scenario;
}

config::Findings load_reloads(Scenario& scenario) {
    config::Findings findings;
    std::map<std::string, std::shared_ptr<const config::Config>> loaded;
    for (auto& event : scenario.events) {
        auto* const reload = std::get_if<ReloadEvent>(&event.what);
        if (reload == nullptr) continue;
        const auto [place, is_new] = loaded.try_emplace(reload->config);
        if (is_new) {
            auto config = config_file::load_config(reload->config);
            if (config) {
                place->second = std::make_shared<const config::Config>(std::move(config->config));
            } else {
                findings.push_back({config::Finding::Severity::error, event.place,
                                    fmt::format("{} cannot be used; correct what follows", reload->config)});
                std::ranges::move(config.error(), std::back_inserter(findings));
            }
        }
        reload->loaded = place->second;
    }
    return findings;
}

tl::expected<Scenario, config::Findings> parse_scenario(std::string_view text, const std::string& name,
                                                        const std::string& directory) {
    config::Problems problems{name};
    return parse(text, directory, problems);
}

}  // namespace gateway::replay
