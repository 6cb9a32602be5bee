#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "captures/capture_reader.hpp"
#include "captures/capture_writer.hpp"
#include "captures/output_buffer.hpp"
#include "gateway/annotated_capture.hpp"
#include "gateway/azure_logs.hpp"
#include "gateway/config_warnings.hpp"
#include "gateway/decision_log.hpp"
#include "gateway/expectations.hpp"
#include "gateway/replay.hpp"
#include "gateway/report.hpp"
#include "gateway/translated_capture.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

struct ReplayOptions {
    std::string config;
    std::string scenario;
    std::string input;
    std::string outside;
    std::string inside;
    std::string vantage;
    std::string write;
    std::string annotate;
    std::string decisions;
    std::string azure_log;
    std::string summary_json;
    bool quiet = false;
};

/// The files that a replay writes, with the observers that write them. Made before anything is read, so that a mistake
/// costs nothing.
class Outputs {
public:
    /// Empty text: all are open.
    [[nodiscard]] std::string open(const ReplayOptions& options, gateway::Vantage vantage,
                                   const std::string& firewall_id) {
        for (const auto& path :
             {options.write, options.annotate, options.decisions, options.azure_log, options.summary_json}) {
            if (overwrites_input(path, options)) return path + " is also an input: choose another name";
        }
        auto error = capture(options.write, captures::format_for(options.write), [&](auto& writer) {
            observers_.push_back(std::make_unique<gateway::TranslatedCapture>(writer, vantage));
        });
        if (!error.empty()) return error;
        error = capture(options.annotate, captures::CaptureFormat::pcapng, [&](auto& writer) {
            observers_.push_back(std::make_unique<gateway::AnnotatedCapture>(writer));
        });
        if (!error.empty()) return error;
        error = text(options.decisions,
                     [&](auto& buffer) { observers_.push_back(std::make_unique<gateway::DecisionLog>(buffer)); });
        if (!error.empty()) return error;
        return text(options.azure_log, [&](auto& buffer) {
            observers_.push_back(std::make_unique<gateway::AzureLog>(buffer, firewall_id));
        });
    }

    void attach(gateway::Replay& replay) {
        for (const auto& observer : observers_) replay.add(*observer);
    }

    [[nodiscard]] bool ok() const {
        return std::ranges::all_of(writers_, [](const auto& each) { return each->ok(); }) &&
               std::ranges::all_of(buffers_, [](const auto& each) { return each->ok(); });
    }

    /// Closes all; what went wrong, a line each.
    [[nodiscard]] std::vector<std::string> close() {
        std::vector<std::string> errors;
        for (const auto& writer : writers_) errors.push_back(writer->close());
        for (const auto& buffer : buffers_) errors.push_back(buffer->close());
        std::erase(errors, "");
        return errors;
    }

private:
    static bool overwrites_input(const std::string& path, const ReplayOptions& options) {
        if (path.empty() || path == "-") return false;
        for (const auto& input : {options.input, options.outside, options.inside, options.config, options.scenario}) {
            std::error_code ignored;
            if (!input.empty() && input != "-" && std::filesystem::equivalent(path, input, ignored)) {
                return std::filesystem::is_regular_file(path, ignored);
            }
        }
        return false;
    }

    template <class Use>
    std::string capture(const std::string& path, captures::CaptureFormat format, Use use) {
        if (path.empty()) return {};
        auto writer = captures::CaptureWriter::create(path, format);
        if (!writer) return writer.error();
        use(**writer);
        writers_.push_back(std::move(*writer));
        return {};
    }

    template <class Use>
    std::string text(const std::string& path, Use use) {
        if (path.empty()) return {};
        auto buffer = captures::OutputBuffer::create(path);
        if (!buffer) return buffer.error();
        use(**buffer);
        buffers_.push_back(std::move(*buffer));
        return {};
    }

    std::vector<std::unique_ptr<captures::CaptureWriter>> writers_;
    std::vector<std::unique_ptr<captures::OutputBuffer>> buffers_;
    std::vector<std::unique_ptr<gateway::Observer>> observers_;
};

using Input = tl::expected<std::unique_ptr<captures::Source>, std::string>;

Input open_input(const ReplayOptions& options) {
    const bool paired = !options.outside.empty() || !options.inside.empty();
    if (paired == !options.input.empty())
        return tl::unexpected<std::string>{"give one capture, or --outside A --inside B"};
    if (!paired) return captures::open_capture(options.input);
    if (options.outside.empty() || options.inside.empty()) {
        return tl::unexpected<std::string>{"--outside and --inside belong together"};
    }
    auto outside = captures::open_capture(options.outside);
    if (!outside) return outside;
    auto inside = captures::open_capture(options.inside);
    if (!inside) return inside;
    return captures::merge_sides(std::move(*outside), std::move(*inside));
}

tl::expected<gateway::Vantage, std::string> vantage_of(const ReplayOptions& options) {
    const bool paired = !options.outside.empty();
    if (paired && options.vantage == "outside") {
        return tl::unexpected<std::string>{"--outside and --inside show both sides: leave out --vantage outside"};
    }
    return paired || options.vantage == "both" ? gateway::Vantage::both : gateway::Vantage::outside;
}

int usage_error(const std::string& text) {
    complain(text);
    return exit_usage;
}

/// Tells the person, or the program, how it went.
int report(const ReplayOptions& options, const gateway::ReplayResult& result, const std::vector<std::string>& failures,
           std::size_t expectations, std::vector<std::string> write_errors) {
    if (!options.summary_json.empty()) {
        auto buffer = captures::OutputBuffer::create(options.summary_json);
        if (buffer) {
            auto json = gateway::summary_json(result);
            json.pop_back();
            gateway::append_line(**buffer, json);
            write_errors.push_back((*buffer)->close());
        } else {
            write_errors.push_back(buffer.error());
        }
        std::erase(write_errors, "");
    }
    if (!options.quiet) {
        const bool stdout_is_taken = options.summary_json == "-" || options.write == "-" || options.annotate == "-" ||
                                     options.decisions == "-" || options.azure_log == "-";
        const auto input = options.input.empty() ? options.outside + " + " + options.inside : options.input;
        fmt::print(stdout_is_taken ? stderr : stdout, "{}", gateway::summary_table(result, input));
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

int replay(const ReplayOptions& options) {
    const auto vantage = vantage_of(options);
    if (!vantage) return usage_error(vantage.error());
    auto loaded = load_or_complain(options.config);
    if (!loaded) return exit_usage;
    gateway::Scenario scenario;
    if (!options.scenario.empty()) {
        auto read = gateway::load_scenario(options.scenario);
        if (!read) {
            print(read.error());
            return exit_usage;
        }
        scenario = std::move(*read);
        print(gateway::check_scenario(scenario, loaded->config));
    }
    const auto firewall_id = loaded->config.firewall.resource_id();
    gateway::Expectations expectations{scenario};
    auto run = gateway::Replay::create(std::move(loaded->config), std::move(scenario), *vantage);
    if (!run) return usage_error(run.error());
    auto source = open_input(options);
    if (!source) return usage_error(source.error());
    Outputs outputs;
    if (const auto error = outputs.open(options, *vantage, firewall_id); !error.empty()) return usage_error(error);
    outputs.attach(**run);
    if (expectations.count() != 0) (*run)->add(expectations);

    note_interrupts();
    const auto result = [&] {
        ProgressBar bar{!options.quiet};
        return (*run)->run(**source, [&] {
            bar.show((*source)->progress(), (*run)->packets());
            return outputs.ok() && !interrupted();
        });
    }();
    return report(options, result, expectations.failures(), expectations.count(), outputs.close());
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
