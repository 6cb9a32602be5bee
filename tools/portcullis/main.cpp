#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "gateway/config/findings.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/terminal.hpp"

namespace {

/// For a command line that names no subcommand, or one that is not.
std::string missing_subcommand(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* const each : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(each->get_name());
    }
    const auto unknown = app.remaining();
    const auto what = unknown.empty() ? std::string{"give a subcommand"}
                                      : fmt::format("there is no subcommand \"{}\"{}", unknown.front(),
                                                    gateway::config::did_you_mean(unknown.front(), names));
    return fmt::format("{}; there are {}", what, fmt::join(names, ", "));
}

int run(int argc, char** argv) {
    CLI::App app{"Portcullis: Azure Firewall DNAT and just-in-time access", "portcullis"};
    app.set_version_flag("--version", "portcullis " PORTCULLIS_VERSION);
    app.require_subcommand(1);
    app.get_formatter()->column_width(34);
    int exit_code = tools::exit_done;
    tools::add_replay_command(app, exit_code);
    tools::add_check_command(app, exit_code);
    tools::add_explain_command(app, exit_code);
    tools::add_run_command(app, exit_code);
    tools::add_access_commands(app, exit_code);
    tools::add_flows_command(app, exit_code);
    tools::add_watch_command(app, exit_code);
    tools::add_reload_command(app, exit_code);
    tools::add_policy_command(app, exit_code);
    tools::add_audit_command(app, exit_code);
    tools::add_token_command(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        exit_code = app.exit(help);
    } catch (const CLI::ParseError& error) {
        tools::complain(app.get_subcommands().empty() ? missing_subcommand(app) : error.what());
        tools::complain("see 'portcullis --help' or 'portcullis SUBCOMMAND --help'");
        return tools::exit_usage;
    }
    if (tools::flush_output() || exit_code != tools::exit_done) return exit_code;
    return tools::exit_incomplete;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        static_cast<void>(std::fprintf(stderr, "portcullis: %s; nothing more was done\n", error.what()));
        return tools::exit_incomplete;
    }
}
