#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "gateway/service/service.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

/// The priority that journald takes a line's number in angle brackets for, sd-daemon(3).
class Priority final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
        constexpr std::array of_level{'7', '7', '6', '4', '3', '2', '6'};  // trace to critical, and off
        line.push_back(of_level.at(static_cast<std::size_t>(message.level)));
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Priority>(); }
};

/// systemd.exec(5): the variable names the stream that goes to the journal, which may have been redirected since.
bool goes_to_journal(int descriptor) {
    const char* const stream = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe): one thread
    struct stat here {};
    return stream != nullptr && ::fstat(descriptor, &here) == 0 &&
           stream == fmt::format("{}:{}", here.st_dev, here.st_ino);
}

/// Lines on standard error: with time and colour for a person, with a priority for journald, which knows the time.
void set_up_log() {
    auto log = spdlog::stderr_color_mt("portcullis");
    const bool person = ::isatty(STDERR_FILENO) == 1;
    const auto* const pattern = goes_to_journal(STDERR_FILENO) ? "<%p>%v" : person ? "%H:%M:%S %^%l%$ %v" : "%l: %v";
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Priority>('p').set_pattern(pattern);
    log->set_formatter(std::move(formatter));
    log->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(log));
}

/// A connection is a file; systems start processes with fewer than they grant.
void ask_for_files() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

void warn_of(const gateway::config::Config& config) {
    if (config.principals.empty() && !config.api.jwt) {
        spdlog::warn("there is no principal: nobody can ask; make a token with `portcullis token new`");
    }
    if (!config.principals.empty() && config.role_assignments.empty()) {
        spdlog::warn("no role is assigned: every request is refused; add a [[role_assignment]]");
    }
    if (config.api.lab_sign_in) {
        spdlog::warn(
            "lab sign-in is ON: everybody on this machine can be {}, without any proof; remove [api.lab_sign_in] "
            "outside of a lab",
            config.api.lab_sign_in->principal);
    }
}

void tell(const gateway::service::Service::Facts& facts) {
    spdlog::info("listening on https://{}", to_string(facts.listen));
    if (!facts.certificate_made_because.empty()) {
        spdlog::info("made a new certificate: {}", facts.certificate_made_because);
    }
    spdlog::info("certificate {}", facts.certificate.chain_file);
    spdlog::info("SHA-256 fingerprint {}", facts.fingerprint);
    spdlog::info("store {}", facts.store);
    spdlog::info("policies {}, machines {}, principals {}, open windows {}", facts.policies, facts.machines,
                 facts.principals, facts.open_windows);
    if (facts.sign_in) spdlog::warn("lab sign-in on http://{}/oauth2/token", to_string(*facts.sign_in));
}

struct RunOptions {
    std::string config;
    gateway::live::LogFiles logs;
};

int run(const RunOptions& options) {
    const auto& path = options.config;
    auto loaded = load_or_complain(path);
    if (!loaded) return exit_usage;
    const auto& logs = options.logs;
    if (!loaded->config.live && logs.any()) {
        complain("--azure-log, --decisions and --record tell of packets, and without [live] none move");
        return exit_usage;
    }
    set_up_log();
    for (const auto& warning : loaded->warnings) spdlog::warn("{}", to_string(warning));
    warn_of(loaded->config);
    ask_for_files();
    const auto log = [](gateway::service::Service::Level level, const std::string& text) {
        spdlog::log(level == gateway::service::Service::Level::warning ? spdlog::level::warn : spdlog::level::info,
                    "{}", text);
    };
    const auto now = std::chrono::time_point_cast<captures::base::Duration>(std::chrono::system_clock::now());
    const auto service = gateway::service::Service::start(std::move(loaded->config), path, logs, log, now);
    if (!service) {
        spdlog::error("{}", service.error());
        return exit_usage;
    }
    tell((*service)->facts());
    const bool ended_well = (*service)->run();
    spdlog::info("stopped");
    return ended_well ? exit_done : exit_incomplete;
}

}  // namespace

void add_run_command(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand(
        "run", "Serve just-in-time access; with [live], move packets between two interfaces");
    const auto options = std::make_shared<RunOptions>();
    command->add_option("--config", options->config, "Configuration (TOML)")->required();
    command->add_option("--azure-log", options->logs.azure_log, "Write Azure Firewall's structured logs, rotated");
    command->add_option("--decisions", options->logs.decisions, "Write a JSON line a packet, rotated");
    command->add_option("--record", options->logs.record, "Record what came and what left (pcapng), rotated");
    command
        ->add_option("--rotate-size", options->logs.rotation.size,
                     "Put these aside from this size on, such as 20MB (100MB); 0 for never")
        ->transform(CLI::AsSizeValue{true});
    command->add_option("--rotate-keep", options->logs.rotation.keep, "So many of each that were put aside (10)")
        ->check(CLI::Range(0, 1000));
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace tools
