#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "gateway/access/access.hpp"
#include "gateway/outputs/decision_log.hpp"
#include "gateway/outputs/verdict_text.hpp"
#include "gateway/pipeline/admission.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

using policy::Reason;

struct ExplainOptions {
    std::string config;
    std::string from;
    std::string to;
    std::string protocol = "tcp";
    std::string at;
    bool json = false;
};

int explain(const ExplainOptions& options) {
    const auto from = captures::base::Endpoint::parse(options.from);
    const auto to = captures::base::Endpoint::parse(options.to);
    const auto at = options.at.empty() ? captures::base::Time{std::chrono::system_clock::now()}
                                       : captures::base::parse_time(options.at);
    if (!from || !to || !at) {
        complain(!from ? fmt::format("--from {}: expected ADDRESS:PORT", options.from)
                 : !to ? fmt::format("--to {}: expected ADDRESS:PORT", options.to)
                       : fmt::format("--at {}: expected a time such as 2026-01-31T09:30:00Z", options.at));
        return exit_usage;
    }
    const auto loaded = load_or_complain(options.config);
    if (!loaded) return exit_usage;
    const auto tables = gateway::pipeline::Tables::build(loaded->config);
    if (!tables) {
        complain(tables.error());
        return exit_usage;
    }
    const gateway::access::Access access{loaded->config};
    captures::packet::Packet packet;
    packet.kind = options.protocol == "udp" ? captures::packet::Kind::udp : captures::packet::Kind::tcp;
    packet.tuple = {*from, *to,
                    options.protocol == "udp" ? captures::base::Protocol::udp : captures::base::Protocol::tcp};
    const auto admission = gateway::pipeline::admit(**tables, access.doors(), {packet.tuple}, true, *at);
    gateway::pipeline::Verdict verdict;
    verdict.reason = admission.reason;
    verdict.rule = admission.rule;
    verdict.network_rule = admission.network_rule;
    verdict.nsg = admission.nsg;
    verdict.security_rule = admission.security_rule;

    const auto rule = gateway::outputs::rule_text(verdict, **tables);
    const auto detail = gateway::outputs::detail_text(verdict, packet, **tables);
    const auto sent_from = to_string(captures::base::Endpoint{(*tables)->instance(), from->port});
    if (options.json) {
        fmt::print(R"({{"fate":"{}","reason":"{}")", to_string(verdict.fate()), to_string(verdict.reason));
        if (!rule.empty()) fmt::print(R"(,"rule":{})", gateway::outputs::json_string(rule));
        fmt::print(R"(,"from":"{}","to":"{}")", to_string(*from), to_string(*to));
        if (verdict.reason == Reason::dnat)
            fmt::print(R"(,"out_from":"{}","out_to":"{}")", sent_from, to_string(admission.target));
        if (!detail.empty()) fmt::print(R"(,"detail":{})", gateway::outputs::json_string(detail));
        fmt::print("}}\n");
        return exit_done;
    }
    fmt::print("{} > {} {}\n{}\n", to_string(*from), to_string(*to), to_string(packet.tuple.protocol),
               gateway::outputs::verdict_text(verdict, packet, **tables));
    if (verdict.reason == Reason::dnat) fmt::print("leaves as {} > {}\n", sent_from, to_string(admission.target));
    if (verdict.reason == Reason::jit_closed) fmt::print("a request for that port would open it\n");
    return exit_done;
}

}  // namespace

void add_explain_command(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand("explain", "Would this connection get in, and by which rule?");
    const auto options = std::make_shared<ExplainOptions>();
    command->add_option("--config", options->config, "Configuration (TOML)")->required();
    command->add_option("--from", options->from, "Client, ADDRESS:PORT")->required();
    command->add_option("--to", options->to, "Public IP and port, ADDRESS:PORT")->required();
    command->add_option("--protocol", options->protocol, "tcp (default) or udp")->check(CLI::IsMember({"tcp", "udp"}));
    command->add_option("--at", options->at, "When (RFC 3339; now by default)");
    command->add_flag("--json", options->json, "For a program");
    command->callback([options, &exit_code] { exit_code = explain(*options); });
}

}  // namespace tools
