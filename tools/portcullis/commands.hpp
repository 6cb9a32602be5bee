#pragma once

#include <CLI/App.hpp>

namespace tools {

/// Exit codes. 1 and 3 mean one thing for replay, another for clients of the API (README, "Exit codes").
enum Exit : int {
    exit_done = 0,
    exit_expectation_failed = 1,
    exit_refused = 1,      ///< the server says no
    exit_usage = 2,        ///< wrong usage or configuration
    exit_unreachable = 3,  ///< no server, or one that is not to be trusted
    exit_incomplete = 3,   ///< the input could not be read, or the output not written, to its end
};

/// Each adds its subcommands to `app`; running one sets `exit_code`.
void add_access_commands(CLI::App& app, int& exit_code);
void add_audit_command(CLI::App& app, int& exit_code);
void add_check_command(CLI::App& app, int& exit_code);
void add_explain_command(CLI::App& app, int& exit_code);
void add_flows_command(CLI::App& app, int& exit_code);
void add_policy_command(CLI::App& app, int& exit_code);
void add_reload_command(CLI::App& app, int& exit_code);
void add_replay_command(CLI::App& app, int& exit_code);
void add_run_command(CLI::App& app, int& exit_code);
void add_token_command(CLI::App& app, int& exit_code);
void add_watch_command(CLI::App& app, int& exit_code);

}  // namespace tools
