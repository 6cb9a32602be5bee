#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "captures/file/capture_reader.hpp"
#include "gateway/replay/expectations.hpp"
#include "gateway/replay/replay.hpp"
#include "gateway/replay/report.hpp"
#include "gateway/replay/scenario_warnings.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/replay_outputs.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

using Input = tl::expected<std::unique_ptr<captures::file::Source>, std::string>;

Input open_input(const ReplayOptions& options, gateway::pipeline::Vantage vantage) {
    const bool paired = !options.outside.empty() || !options.inside.empty();
    if (paired == !options.input.empty())
        return tl::unexpected<std::string>{"give one capture, or --outside A --inside B"};
    if (!paired) {
        auto source = captures::file::open_capture(options.input);
        if (!source || vantage == gateway::pipeline::Vantage::outside || (*source)->tells_sides()) return source;
        return tl::unexpected<std::string>{
            "--vantage both needs a capture that says which frame is of which side, and a classic pcap cannot: leave "
            "it out if all is of the outside wire; give a pcapng of two interfaces, or --outside A --inside B"};
    }
    if (options.outside.empty() || options.inside.empty()) {
        return tl::unexpected<std::string>{"--outside and --inside belong together"};
    }
    auto outside = captures::file::open_capture(options.outside);
    if (!outside) return outside;
    auto inside = captures::file::open_capture(options.inside);
    if (!inside) return inside;
    return captures::file::merge_sides(std::move(*outside), std::move(*inside));
}

tl::expected<gateway::pipeline::Vantage, std::string> vantage_of(const ReplayOptions& options) {
    const bool paired = !options.outside.empty();
    if (paired && options.vantage == "outside") {
        return tl::unexpected<std::string>{"--outside and --inside show both sides: leave out --vantage outside"};
    }
    return paired || options.vantage == "both" ? gateway::pipeline::Vantage::both : gateway::pipeline::Vantage::outside;
}

int usage_error(const std::string& text) {
    complain(text);
    return exit_usage;
}

/// Tells the person, or the program, how it went.
int report(const ReplayOptions& options, const gateway::replay::ReplayResult& result,
           const std::vector<std::string>& failures, std::size_t expectations,
           const std::vector<std::string>& write_errors) {
    if (!options.quiet) {
        const bool stdout_is_taken = options.summary_json == "-" || options.write == "-" || options.annotate == "-" ||
                                     options.decisions == "-" || options.azure_log == "-";
        const auto input = options.input.empty() ? options.outside + " + " + options.inside : options.input;
        fmt::print(stdout_is_taken ? stderr : stdout, "{}", gateway::replay::summary_table(result, input));
        if (expectations != 0) {
            fmt::print(stdout_is_taken ? stderr : stdout, "\n  expectations: {} of {} met\n",
                       expectations - failures.size(), expectations);
        }
    }
    for (const auto& failure : failures) fmt::print(stderr, "{}\n", failure);
    if (result.read_error) complain(to_string(*result.read_error));
    for (const auto& error : write_errors) complain(error);
    if (result.stopped && write_errors.empty())
        complain(fmt::format("interrupted after packet {}", result.counters.packets));
    if (result.read_error || result.stopped || !write_errors.empty()) return exit_incomplete;
    return failures.empty() ? exit_done : exit_expectation_failed;
}

/// All files that the replay reads.
std::vector<std::string> inputs_of(const ReplayOptions& options, const gateway::replay::Scenario& scenario) {
    std::vector<std::string> inputs{options.input, options.outside, options.inside, options.config, options.scenario};
    for (const auto& event : scenario.events) {
        if (const auto* const reload = std::get_if<gateway::replay::ReloadEvent>(&event.what))
            inputs.push_back(reload->config);
    }
    std::erase(inputs, "");
    return inputs;
}

int replay(const ReplayOptions& options) {
    const auto vantage = vantage_of(options);
    if (!vantage) return usage_error(vantage.error());
    auto loaded = load_or_complain(options.config);
    if (!loaded) return exit_usage;
    gateway::replay::Scenario scenario;
    if (!options.scenario.empty()) {
        auto read = gateway::replay::load_scenario(options.scenario);
        if (!read) {
            print(read.error());
            return exit_usage;
        }
        scenario = std::move(*read);
        print(gateway::replay::check_scenario(scenario, loaded->config));
    }
    const auto inputs = inputs_of(options, scenario);
    const auto firewall_id = loaded->config.firewall.resource_id();
    gateway::replay::Expectations expectations{scenario};
    auto run = gateway::replay::Replay::create(std::move(loaded->config), std::move(scenario), *vantage);
    if (!run) return usage_error(run.error());
    auto source = open_input(options, *vantage);
    if (!source) return usage_error(source.error());
    Outputs outputs;
    if (const auto error = outputs.open(options, *vantage, firewall_id, inputs); !error.empty()) {
        return usage_error(error);
    }
    outputs.attach(**run);
    if (expectations.count() != 0) (*run)->add(expectations);

    note_interrupts();
    auto result = [&] {
        ProgressBar bar{!options.quiet};
        return (*run)->run(**source, [&] {
            bar.show((*source)->progress(), (*run)->packets());
            return outputs.ok() && !interrupted();
        });
    }();
    if (interrupted() && result.read_error) {  // what failed is a read that waited for more
        result.stopped = true;
        result.read_error.reset();
    }
    if (const auto link_type = (*source)->link_type()) outputs.expect(*link_type);
    return report(options, result, expectations.failures(), expectations.count(), outputs.close(result));
}

}  // namespace

void add_replay_command(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand("replay",
                                             "Run a capture through the firewall: verdicts, translated packets, logs");
    const auto options = std::make_shared<ReplayOptions>();
    command->add_option("IN", options->input, "Capture (pcap or pcapng; - is standard input)");
    command->add_option("--config", options->config, "Configuration (TOML)")->required();
    command->add_option("--scenario", options->scenario, "Timeline of access requests, and expectations (TOML)");
    command->add_option("--outside", options->outside, "Capture of the outside wire");
    command->add_option("--inside", options->inside, "Capture of the inside wire");
    command
        ->add_option("--vantage", options->vantage,
                     "Where IN was captured: outside (default), or both (pcapng interfaces)")
        ->check(CLI::IsMember({"outside", "both"}));
    command->add_option("--write", options->write, "Write what left (.pcap or .pcapng)");
    command->add_option("--annotate", options->annotate, "Write all packets with their verdicts as comments (pcapng)");
    command->add_option("--decisions", options->decisions, "Write a JSON line a packet");
    command->add_option("--azure-log", options->azure_log, "Write Azure Firewall's structured logs");
    command->add_option("--summary-json", options->summary_json, "Write the counts as JSON (- is standard output)");
    command->add_flag("--quiet", options->quiet, "No summary table, no progress bar");
    command->callback([options, &exit_code] { exit_code = replay(*options); });
}

}  // namespace tools
