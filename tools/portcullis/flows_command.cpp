#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "captures/base/address.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/remote.hpp"

namespace tools {

namespace {

struct FlowsOptions {
    RemoteFlags remote;
    std::string client;
    std::string target;
    std::string protocol;
    std::uint16_t port = 0;
    std::uint64_t window = 0;
    std::uint32_t limit = 1000;
    std::string from;
    std::string to;
};

std::string seconds(const boost::json::value& flow, std::string_view name) {
    const auto* const found = flow.as_object().if_contains({name.data(), name.size()});
    return found != nullptr && found->is_number() ? fmt::format("{:.0f} s", std::floor(found->to_number<double>()))
                                                  : "";
}

/// By client, as numbers.
bool comes_before(const boost::json::value& a, const boost::json::value& b) {
    const auto key = [](const boost::json::value& flow) {
        return std::pair{captures::base::Endpoint::parse(field(flow, "client")),
                         captures::base::Endpoint::parse(field(flow, "called"))};
    };
    return key(a) < key(b);
}

void print_table(const boost::json::value& answer) {
    std::vector<boost::json::value> flows;
    for (const auto& one : items(answer, "value")) {
        if (one.is_object()) flows.push_back(one);
    }
    if (flows.empty()) {
        fmt::print("no flows\n");
        return;
    }
    std::ranges::sort(flows, comes_before);
    constexpr const char* row = "{:<5} {:<21} {:<21} {:<21} {:<14} {:>7} {:>7}  {:<6} {}\n";
    fmt::print(fmt::runtime(row), "PROTO", "CLIENT", "CALLED", "TARGET", "STATE", "IDLE", "ENDS IN", "WINDOW", "RULE");
    for (const auto& flow : flows) {
        const auto window = field(flow, "window");
        fmt::print(fmt::runtime(row), printable(field(flow, "protocol")), printable(field(flow, "client")),
                   printable(field(flow, "called")), printable(field(flow, "target")), printable(field(flow, "state")),
                   seconds(flow, "idleSeconds"), seconds(flow, "endsInSeconds"), window.empty() ? "-" : window,
                   printable(field(flow, "rule")));
    }
}

int list(const FlowsOptions& options) {
    std::string query = fmt::format("?limit={}", options.limit);
    const auto add = [&](const char* name, const std::string& text) {
        if (!text.empty()) query += fmt::format("&{}={}", name, escaped(text));
    };
    add("client", options.client);
    add("target", options.target);
    add("protocol", options.protocol);
    if (options.port != 0) query += fmt::format("&port={}", options.port);
    if (options.window != 0) query += fmt::format("&window={}", options.window);
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto answer = remote->get("/portcullis/v1/flows" + query);
    if (!answer) return answer.error();
    if (remote->json()) {
        print_json(*answer);
        return exit_done;
    }
    print_table(*answer);
    if (field(*answer, "more") == "true") {
        fmt::print("and more: say which ones (--client, --target, --port), or --limit up to 10000\n");
    }
    return exit_done;
}

int end(const FlowsOptions& options) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto answer = remote->send(
        "POST", "/portcullis/v1/flows/end",
        boost::json::object{{"protocol", options.protocol}, {"client", options.from}, {"called", options.to}});
    if (!answer) return answer.error();
    if (remote->json()) {
        print_json(*answer);
    } else {
        fmt::print("the {} flow of {} to {} has ended\n", options.protocol, options.from, options.to);
    }
    return exit_done;
}

}  // namespace

void add_flows_command(CLI::App& app, int& exit_code) {
    auto* const group = app.add_subcommand("flows", "What passes through the live gateway: list it, or end one");
    group->require_subcommand(1);
    const auto protocols = CLI::IsMember({"tcp", "udp"});

    auto options = std::make_shared<FlowsOptions>();
    auto* const listed = group->add_subcommand("list", "Flows, by client");
    add_remote_flags(*listed, options->remote);
    listed->add_option("--client", options->client, "Only from this address or CIDR block");
    listed->add_option("--target", options->target, "Only to the machine of this address");
    listed->add_option("--port", options->port, "Only of this port, the firewall's or the machine's")
        ->check(CLI::Range(1, 65535));
    listed->add_option("--protocol", options->protocol, "Only tcp, or udp")->check(protocols);
    listed->add_option("--window", options->window, "Only those that this window admitted");
    listed->add_option("--limit", options->limit, "At most so many (1000)")->check(CLI::Range(1, 10000));
    listed->callback([options, &exit_code] { exit_code = list(*options); });

    options = std::make_shared<FlowsOptions>();
    options->protocol = "tcp";
    auto* const ended = group->add_subcommand("end", "End one: TCP by a RST to both ends; a client may come again");
    add_remote_flags(*ended, options->remote);
    ended->add_option("--from", options->from, "Client, ADDRESS:PORT")->required();
    ended->add_option("--to", options->to, "What it called, ADDRESS:PORT of the firewall")->required();
    ended->add_option("--protocol", options->protocol, "tcp (default), or udp")->check(protocols);
    ended->callback([options, &exit_code] { exit_code = end(*options); });
}

}  // namespace tools
