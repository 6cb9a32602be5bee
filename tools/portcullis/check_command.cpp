#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "gateway/pipeline/tables.hpp"
#include "gateway/replay/scenario.hpp"
#include "gateway/replay/scenario_warnings.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

struct CheckOptions {
    std::string config;
    std::string scenario;
};

int check(const CheckOptions& options) {
    const auto loaded = load_or_complain(options.config);
    if (!loaded) return exit_usage;
    const auto tables = gateway::pipeline::Tables::build(loaded->config);
    if (!tables) {
        complain(fmt::format("{}: {}", options.config, tables.error()));
        return exit_usage;
    }
    auto warnings = loaded->warnings;
    if (!options.scenario.empty()) {
        const auto scenario = gateway::replay::load_scenario(options.scenario);
        if (!scenario) {
            print(scenario.error());
            return exit_usage;
        }
        const auto more = gateway::replay::check_scenario(*scenario, loaded->config);
        warnings.insert(warnings.end(), more.begin(), more.end());
    }
    print(warnings);
    const auto& config = loaded->config;
    fmt::print("{}: {} NAT {}, {} {}, {} JIT {}; {}\n", options.config, config.nat_rules.size(),
               config.nat_rules.size() == 1 ? "rule" : "rules", config.machines.size(),
               config.machines.size() == 1 ? "machine" : "machines", config.jit_policies.size(),
               config.jit_policies.size() == 1 ? "policy" : "policies",
               warnings.empty() ? "no complaints"
                                : fmt::format("{} warning{}", warnings.size(), warnings.size() == 1 ? "" : "s"));
    return exit_done;
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand("check", "Find all mistakes in a configuration, and likely mistakes");
    const auto options = std::make_shared<CheckOptions>();
    command->add_option("--config", options->config, "Configuration (TOML)")->required();
    command->add_option("--scenario", options->scenario, "Also check a replay's timeline against it");
    command->callback([options, &exit_code] { exit_code = check(*options); });
}

}  // namespace tools
