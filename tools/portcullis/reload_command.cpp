#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <memory>
#include <string>

#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/remote.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

/// `lab.toml:12:5: warning: …`
void print_finding(const boost::json::value& finding, const char* severity) {
    complain(printable(fmt::format("{}:{}:{}: {}: {}", field(finding, "file"), field(finding, "line"),
                                   field(finding, "column"), severity, field(finding, "message"))));
}

int reload(const RemoteFlags& flags) {
    const auto remote = Remote::open(flags);
    if (!remote) return remote.error();
    const auto answer = remote->send("POST", "/portcullis/v1/reload", nullptr, [](const boost::json::value& error) {
        for (const auto& detail : items(error, "details")) print_finding(detail, "error");
    });
    if (!answer) return answer.error();
    if (remote->json()) {
        print_json(*answer);
        return exit_done;
    }
    for (const auto& warning : items(*answer, "warnings")) print_finding(warning, "warning");
    for (const auto& kept : items(*answer, "kept")) {
        if (kept.is_string()) complain(printable(kept.as_string()) + " stays as it is until the next start");
    }
    for (const auto& change : items(*answer, "changes")) {
        const auto name = field(change, "name");
        fmt::print("{}{}{} {}\n", printable(field(change, "kind")), name.empty() ? "" : " ", printable(name),
                   printable(field(change, "what")));
    }
    if (items(*answer, "changes").empty()) fmt::print("the configuration was read anew: nothing has changed\n");
    return exit_done;
}

}  // namespace

void add_reload_command(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand("reload", "Have the service read its configuration anew, as SIGHUP does");
    const auto flags = std::make_shared<RemoteFlags>();
    add_remote_flags(*command, *flags);
    command->callback([flags, &exit_code] { exit_code = reload(*flags); });
}

}  // namespace tools
