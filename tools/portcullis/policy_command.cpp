#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "policy/names.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/remote.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

constexpr const char* version = "?api-version=2020-01-01";
constexpr const char* machine_version = "?api-version=2023-03-01";
constexpr const char* subscriptions = "/subscriptions?api-version=2022-12-01";

struct PolicyOptions {
    RemoteFlags remote;
    std::string name = "default";
    std::string machine;
    std::string file;
    std::string ports = "default";
};

tl::expected<std::string, int> subscription(const Remote& remote) {
    const auto answer = remote.get(subscriptions);
    if (!answer) return tl::unexpected{answer.error()};
    const auto& found = items(*answer, "value");
    if (!found.empty()) return field(found.front(), "id");
    complain("you may see no subscription of this server: ask its administrator for a role");
    return tl::unexpected<int>{exit_refused};
}

tl::expected<boost::json::array, int> policies(const Remote& remote) {
    const auto in = subscription(remote);
    if (!in) return tl::unexpected{in.error()};
    return remote.list(fmt::format("{}/providers/Microsoft.Security/jitNetworkAccessPolicies{}", *in, version));
}

/// The policy of that name; null where there is none that the caller may see.
tl::expected<boost::json::value, int> find_policy(const Remote& remote, const std::string& name) {
    const auto all = policies(remote);
    if (!all) return tl::unexpected{all.error()};
    for (const auto& one : *all) {
        if (policy::same_name(field(one, "name"), name)) return one;
    }
    return boost::json::value{};
}

int no_such_policy(const std::string& name) {
    complain(
        fmt::format("there is no policy {} that you may see; `portcullis policy list` shows those that you may", name));
    return exit_refused;
}

std::string_view last_segment(std::string_view id) { return id.substr(id.rfind('/') + 1); }

std::string allowed_sources(const boost::json::value& port) {
    std::string text = field(port, "allowedSourceAddressPrefix");
    for (const auto& one : items(port, "allowedSourceAddressPrefixes")) {
        if (one.is_string()) text += (text.empty() ? "" : ", ") + std::string{one.as_string().c_str()};
    }
    return text;
}

void print_policy(const boost::json::value& one) {
    constexpr const char* row = "{:<20} {:<8} {:<10} {:<10} {}\n";
    const auto* const properties = one.as_object().if_contains("properties");
    fmt::print(fmt::runtime(row), "MACHINE", "PORT", "PROTOCOL", "AT MOST", "FROM");
    if (properties == nullptr) return;
    for (const auto& machine : items(*properties, "virtualMachines")) {
        const auto id = field(machine, "id");
        for (const auto& port : items(machine, "ports")) {
            fmt::print(fmt::runtime(row), printable(last_segment(id)), field(port, "number"),
                       printable(field(port, "protocol")), printable(field(port, "maxRequestAccessDuration")),
                       printable(allowed_sources(port)));
        }
    }
}

int told(const Remote& remote, const boost::json::value& answer) {
    if (remote.json() || !answer.is_object()) {
        print_json(answer);
    } else {
        print_policy(answer);
    }
    return exit_done;
}

int list(const PolicyOptions& options) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto all = policies(*remote);
    if (!all) return all.error();
    if (remote->json()) {
        print_json(boost::json::object{{"value", *all}});
        return exit_done;
    }
    for (const auto& one : *all) {
        const auto* const properties = one.as_object().if_contains("properties");
        const auto machines = properties == nullptr ? 0 : items(*properties, "virtualMachines").size();
        fmt::print("{:<24} {} machine{}\n", printable(field(one, "name")), machines, machines == 1 ? "" : "s");
    }
    return exit_done;
}

int show(const PolicyOptions& options) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto found = find_policy(*remote, options.name);
    if (!found) return found.error();
    return found->is_null() ? no_such_policy(options.name) : told(*remote, *found);
}

tl::expected<boost::json::value, int> read_json(const std::string& path) {
    std::ostringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
    } else if (std::ifstream file{path}; file) {
        text << file.rdbuf();
    } else {
        complain("cannot read " + path);
        return tl::unexpected<int>{exit_usage};
    }
    boost::json::error_code error;
    auto value = boost::json::parse(text.str(), error);
    if (!error && value.is_object()) return value;
    complain(path + " is no JSON object of a policy, as `portcullis policy show --json` prints it");
    return tl::unexpected<int>{exit_usage};
}

/// Where a policy is kept: its own `id`, or put together from the ids of its machines.
tl::expected<std::string, int> id_of(const Remote& remote, const boost::json::value& wanted, const std::string& name) {
    if (auto id = field(wanted, "id"); !id.empty()) return id;
    const auto* const properties = wanted.as_object().if_contains("properties");
    const auto& machines = properties == nullptr ? items(wanted, "virtualMachines")
                                                 : items(*properties, "virtualMachines");
    const auto machine = machines.empty() ? std::string{} : field(machines.front(), "id");
    const auto group = machine.substr(0, std::min(machine.find("/providers/"), machine.size()));
    if (group.empty()) {
        complain("the policy names no machine by its id, from which its place would follow");
        return tl::unexpected<int>{exit_usage};
    }
    auto location = field(wanted, "location");
    if (location.empty()) {
        const auto found = remote.get(machine + machine_version);
        if (!found) return tl::unexpected{found.error()};
        location = field(*found, "location");
    }
    return fmt::format("{}/providers/Microsoft.Security/locations/{}/jitNetworkAccessPolicies/{}", group,
                       escaped(location), escaped(name));
}

int set(const PolicyOptions& options) {
    auto wanted = read_json(options.file);
    if (!wanted) return wanted.error();
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto id = id_of(*remote, *wanted, options.name);
    if (!id) return id.error();
    const auto answer = remote->send("PUT", *id + version, *wanted);
    return answer ? told(*remote, *answer) : answer.error();
}

int change(const PolicyOptions& options, const char* verb, const boost::json::value& body) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto answer = remote->send(
        "POST", fmt::format("/portcullis/v1/machines/{}/{}", escaped(options.machine), verb), body);
    return answer ? told(*remote, *answer) : answer.error();
}

int enable(const PolicyOptions& options) {
    return change(options, "enable", boost::json::object{{"ports", options.ports}});
}

int remove(const PolicyOptions& options) { return change(options, "disable", boost::json::object{}); }

int erase(const PolicyOptions& options) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto found = find_policy(*remote, options.name);
    if (!found) return found.error();
    if (found->is_null()) return no_such_policy(options.name);
    const auto answer = remote->text("DELETE", field(*found, "id") + version);
    if (!answer) return answer.error();
    if (remote->json()) {
        print_json(boost::json::object{{"name", options.name}, {"deleted", true}});
    } else {
        fmt::print("policy {} is deleted\n", options.name);
    }
    return exit_done;
}

}  // namespace

void add_policy_command(CLI::App& app, int& exit_code) {
    auto* const group = app.add_subcommand("policy", "Which ports are closed until somebody asks");
    group->require_subcommand(1);
    const auto add = [&](const char* name, const char* what, int (*run)(const PolicyOptions&)) {
        const auto options = std::make_shared<PolicyOptions>();
        auto* const command = group->add_subcommand(name, what);
        add_remote_flags(*command, options->remote);
        command->callback([options, run, &exit_code] { exit_code = run(*options); });
        return std::pair{command, options};
    };
    add("list", "All policies that you may see", list);
    const auto shown = add("show", "A policy's machines and ports; with --json as Azure has it", show);
    shown.first->add_option("POLICY", shown.second->name, "Its name (default)");
    const auto put = add("set", "Put a policy there, as Azure's JSON", set);
    put.first->add_option("FILE", put.second->file, "JSON (- is standard input)")->required();
    put.first->add_option("--name", put.second->name, "Of a policy whose JSON has no id (default)");
    const auto enabled = add("enable", "Guard a machine's ports", enable);
    enabled.first->add_option("MACHINE", enabled.second->machine, "Its name")->required();
    enabled.first->add_option("--ports", enabled.second->ports, "default: 22 or 3389; recommended: 5985 and 5986, too")
        ->check(CLI::IsMember({"default", "recommended"}));
    const auto removed = add("remove", "Guard a machine no longer: its ports are as the rules have them", remove);
    removed.first->add_option("MACHINE", removed.second->machine, "Its name")->required();
    const auto deleted = add("delete", "Delete a whole policy", erase);
    deleted.first->add_option("POLICY", deleted.second->name, "Its name")->required();
}

}  // namespace tools
