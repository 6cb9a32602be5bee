#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "captures/base/time.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/gateway_status.hpp"
#include "tools/portcullis/remote.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

constexpr const char* base = "/portcullis/v1";

struct AccessOptions {
    RemoteFlags remote;
    std::string machine;
    std::vector<std::uint16_t> ports;
    std::vector<std::string> sources;
    std::string duration;
    std::string justification;
    std::string id;
    std::string rdp;
    bool wait = false;
    bool cut = false;
};

/// What a person, or the server, calls a time span: `1h` or `PT1H`.
tl::expected<std::string, int> iso_duration(const std::string& text) {
    if (const auto duration = captures::base::parse_duration(text)) return captures::base::to_iso8601(*duration);
    complain(fmt::format("\"{}\" is no duration; write for example 1h, 90m or PT1H30M", text));
    return tl::unexpected<int>{exit_usage};
}

/// `2026-01-31T14:05:33.1234567Z` as `2026-01-31 14:05:33 UTC`.
std::string when(const std::string& text) {
    const auto time = captures::base::parse_time(text);
    if (!time) return printable(text);
    auto told = captures::base::to_rfc3339(*time, 0);
    told.back() = ' ';
    told.replace(told.find('T'), 1, " ");
    return told + "UTC";
}

std::string sources_of(const boost::json::value& port) {
    std::string text;
    for (const auto& source : items(port, "allowedSourceAddressPrefixes")) {
        if (!source.is_string()) continue;
        text += (text.empty() ? " for " : ", ") + std::string{source.as_string().data(), source.as_string().size()};
    }
    return printable(text);
}

/// Two lines: what is open until when, and what to type.
void print_port(const std::string& machine, const boost::json::value& port, const std::string& number) {
    const auto status = field(port, "status");
    const auto command = field(port, "command");
    const bool ended = status == "Revoked";
    fmt::print("{} port {} {}{} until {}\n", printable(machine), number, ended ? "was open" : "is open",
               sources_of(port), when(field(port, "endTimeUtc")));
    if (ended) {
        fmt::print("{}\n", printable(fmt::format("{} ({})", status, field(port, "statusReason"))));
    } else {
        fmt::print("{}\n", command.empty()
                               ? "no address of the firewall leads there: ask its administrator for a NAT rule"
                               : printable(command));
    }
}

int print_request(const Remote& remote, const boost::json::value& request) {
    if (remote.json()) {
        print_json(request);
        return exit_done;
    }
    for (const auto& machine : items(request, "machines")) {
        for (const auto& port : items(machine, "ports"))
            print_port(field(machine, "machine"), port, field(port, "number"));
    }
    if (::isatty(STDOUT_FILENO) == 1) fmt::print(stderr, "request {}\n", printable(field(request, "id")));
    return exit_done;
}

/// Whether each port has come to be open, or has ended.
bool is_settled(const boost::json::value& request) {
    for (const auto& machine : items(request, "machines")) {
        for (const auto& port : items(machine, "ports")) {
            if (field(port, "status") == "Initiating") return false;
        }
    }
    return true;
}

tl::expected<boost::json::value, int> wait_for(const Remote& remote, boost::json::value request) {
    constexpr int most_tries = 60;
    const auto target = fmt::format("{}/requests/{}", base, escaped(field(request, "id")));
    for (int i = 0; i < most_tries && !is_settled(request); ++i) {
        if (i > 0) std::this_thread::sleep_for(std::chrono::seconds{1});
        auto now = remote.get(target);
        if (!now) return now;
        request = std::move(*now);
    }
    return request;
}

int request(const AccessOptions& options) {
    if (options.sources.size() > 1 && std::ranges::find(options.sources, "me") != options.sources.end()) {
        complain("--source me goes alone: beside others give your address, as the server sees it");
        return exit_usage;
    }
    boost::json::array ports;
    for (const auto number : options.ports) {
        boost::json::object port{{"number", number}};
        const auto duration = iso_duration(options.duration);
        if (!duration) return duration.error();
        port["duration"] = *duration;
        // Where no source is said it is the caller's address, as the server sees it.
        const bool from_here = options.sources.empty() || options.sources == std::vector<std::string>{"me"};
        if (!from_here)
            port["allowedSourceAddressPrefixes"] = boost::json::array(options.sources.begin(), options.sources.end());
        ports.push_back(std::move(port));
    }
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    auto answer = remote->send(
        "POST", fmt::format("{}/requests", base),
        boost::json::object{
            {"machine", options.machine}, {"ports", std::move(ports)}, {"justification", options.justification}});
    if (answer && options.wait) answer = wait_for(*remote, std::move(*answer));
    if (!answer) return answer.error();
    return print_request(*remote, *answer);
}

int print_connections(const Remote& remote, const boost::json::value& answer) {
    if (remote.json()) {
        print_json(answer);
        return exit_done;
    }
    for (const auto& one : items(answer, "value")) print_port(field(one, "machine"), one, field(one, "port"));
    if (items(answer, "value").empty()) fmt::print("nothing is open for you\n");
    return exit_done;
}

int save_rdp(const Remote& remote, const AccessOptions& options) {
    const auto port = options.ports.empty() ? "" : fmt::format("?port={}", options.ports.front());
    const auto file = remote.text("GET", fmt::format("{}/machines/{}/rdp{}", base, escaped(options.machine), port));
    if (!file) return file.error();
    std::FILE* const out = std::fopen(options.rdp.c_str(), "wbe");
    const bool written = out != nullptr && std::fwrite(file->data(), 1, file->size(), out) == file->size();
    const bool closed = out != nullptr && std::fclose(out) == 0;
    if (written && closed) return exit_done;
    complain("cannot write " + options.rdp);
    return exit_usage;
}

int lookup(const AccessOptions& options) {
    if (!options.rdp.empty() && options.machine.empty()) {
        complain("--rdp needs a machine");
        return exit_usage;
    }
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    if (!options.rdp.empty()) return save_rdp(*remote, options);
    std::string query;
    if (!options.machine.empty()) query += "?machine=" + escaped(options.machine);
    if (!options.ports.empty()) query += fmt::format("{}port={}", query.empty() ? "?" : "&", options.ports.front());
    const auto answer = remote->get(fmt::format("{}/connections{}", base, query));
    return answer ? print_connections(*remote, *answer) : answer.error();
}

int extend(const AccessOptions& options) {
    const auto duration = iso_duration(options.duration);
    if (!duration) return duration.error();
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto answer = remote->send(
        "POST", fmt::format("{}/extend", base),
        boost::json::object{{"machine", options.machine}, {"port", options.ports.front()}, {"duration", *duration}});
    if (!answer) return answer.error();
    if (remote->json()) {
        print_json(*answer);
    } else {
        print_port(field(*answer, "machine"), *answer, field(*answer, "port"));
    }
    return exit_done;
}

int revoke(const AccessOptions& options) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto answer = remote->send(
        "POST", fmt::format("{}/revoke", base),
        boost::json::object{{"machine", options.machine}, {"port", options.ports.front()}, {"cut", options.cut}});
    if (!answer) return answer.error();
    if (remote->json()) {
        print_json(*answer);
        return exit_done;
    }
    for (const auto& ended : items(*answer, "value")) {
        fmt::print("{} port {} is closed again for {}\n", printable(field(ended, "machine")), field(ended, "port"),
                   printable(field(ended, "requestor")));
    }
    fmt::print("{}\n",
               options.cut ? "connections through it are cut" : "connections through it go on: --cut ends them");
    return exit_done;
}

int status(const AccessOptions& options) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    if (options.id.empty()) return print_gateway_status(*remote);
    const auto answer = remote->get(fmt::format("{}/requests/{}", base, escaped(options.id)));
    if (!answer) return answer.error();
    return print_request(*remote, *answer);
}

int machines(const AccessOptions& options) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto answer = remote->get(fmt::format("{}/machines", base));
    if (!answer) return answer.error();
    if (remote->json()) {
        print_json(*answer);
        return exit_done;
    }
    constexpr const char* row = "{:<20} {:<14} {:<9} {:<26} {}\n";
    fmt::print(fmt::runtime(row), "MACHINE", "STATE", "APPROVED", "LAST ACCESS", "LAST USER, OR WHY");
    for (const auto& one : items(*answer, "value")) {
        const auto reason = field(one, "reason");
        const auto last = field(one, "lastAccess");
        fmt::print(fmt::runtime(row), printable(field(one, "name")), printable(field(one, "state")),
                   field(one, "approvedRequests"), last.empty() ? "-" : when(last),
                   printable(reason.empty() ? field(one, "lastUser") : reason));
    }
    return exit_done;
}

using Command = int (*)(const AccessOptions&);

CLI::App* add(CLI::App& app, int& exit_code, const std::shared_ptr<AccessOptions>& options, Command run,
              const char* name, const char* what) {
    auto* const command = app.add_subcommand(name, what);
    command->callback([options, run, &exit_code] { exit_code = run(*options); });
    add_remote_flags(*command, options->remote);
    return command;
}

void add_port(CLI::App& command, const std::shared_ptr<AccessOptions>& options, bool several) {
    auto* const port = command.add_option("--port", options->ports, "Port of the machine")->check(CLI::Range(1, 65535));
    if (several) {
        port->allow_extra_args(false);  // what follows a port may be the machine
    } else {
        port->expected(1);
    }
}

}  // namespace

void add_access_commands(CLI::App& app, int& exit_code) {
    const auto fresh = [] { return std::make_shared<AccessOptions>(); };
    auto options = fresh();
    auto* command = add(app, exit_code, options, request, "request", "Ask for access; tells where to connect");
    command->add_option("MACHINE", options->machine, "Name or resource id")->required();
    add_port(*command, options, true);
    command->get_option("--port")->required();
    options->duration = "1h";
    command->add_option("--duration", options->duration, "For how long (1h)");
    command->add_option("--source", options->sources, "From where: addresses and CIDR blocks, or me alone (default)")
        ->allow_extra_args(false);
    command->add_option("--justification", options->justification, "Why");
    command->add_flag("--wait", options->wait, "Until the door is open");

    options = fresh();
    command = add(app, exit_code, options, lookup, "lookup", "Where your open windows lead");
    command->add_option("MACHINE", options->machine, "Only this one");
    add_port(*command, options, false);
    command->add_option("--rdp", options->rdp, "Save a file for Remote Desktop clients");

    options = fresh();
    command = add(app, exit_code, options, extend, "extend",
                  "Let your open window end so long from now, later or sooner than it would");
    command->add_option("MACHINE", options->machine, "Name or resource id")->required();
    add_port(*command, options, false);
    command->get_option("--port")->required();
    command->add_option("--duration", options->duration, "For how long from now on")->required();

    options = fresh();
    command = add(app, exit_code, options, revoke, "revoke", "Close a window early");
    command->add_option("MACHINE", options->machine, "Name or resource id")->required();
    add_port(*command, options, false);
    command->get_option("--port")->required();
    command->add_flag("--cut", options->cut, "Also end connections that came through it");

    options = fresh();
    command = add(app, exit_code, options, status, "status", "How the gateway goes, or what became of a request");
    command->add_option("REQUEST", options->id, "Id of a request");

    options = fresh();
    add(app, exit_code, options, machines, "machines", "The machines, how they are guarded, and who was there last");
}

}  // namespace tools
