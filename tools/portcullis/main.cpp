#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <exception>

#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/terminal.hpp"

int main(int argc, char** argv) {
    CLI::App app{"Portcullis: Azure Firewall DNAT and just-in-time access, on captures", "portcullis"};
    app.set_version_flag("--version", "portcullis " PORTCULLIS_VERSION);
    app.require_subcommand(1);
    app.get_formatter()->column_width(34);
    int exit_code = tools::exit_done;
    tools::add_replay_command(app, exit_code);
    tools::add_check_command(app, exit_code);
    tools::add_explain_command(app, exit_code);
    try {
        app.parse(argc, argv);
        return exit_code;
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& error) {
        tools::complain(error.what());
        tools::complain("see 'portcullis --help' or 'portcullis SUBCOMMAND --help'");
        return tools::exit_usage;
    } catch (const std::exception& error) {
        tools::complain(fmt::format("{}; nothing more was done", error.what()));
        return tools::exit_incomplete;
    }
}
