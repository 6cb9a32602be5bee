#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "captures/file/source.hpp"
#include "gateway/config/config.hpp"
#include "gateway/config_file/load.hpp"

namespace tools {

/// A line for a person on standard error.
void complain(std::string_view text);

/// Whether all that was printed on standard output has got there; complains if not.
[[nodiscard]] bool flush_output();

/// Findings, one a line, on standard error.
void print(const gateway::config::Findings& findings);

/// Loads a configuration, or says all that is wrong with it.
[[nodiscard]] std::optional<gateway::config_file::LoadedConfig> load_or_complain(const std::string& path);

/// A progress bar on standard error, if that is a terminal and it takes long enough to be worth one.
class ProgressBar {
public:
    explicit ProgressBar(bool wanted);
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    ~ProgressBar();  ///< wipes it

    void show(const captures::file::Source::Progress& progress, std::uint64_t packets);

private:
    bool wanted_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point started_;
    std::chrono::steady_clock::time_point next_;
};

/// From here on SIGINT and SIGTERM are noted, and interrupt system calls, instead of ending the process; a second one
/// ends it. SIGPIPE and SIGXFSZ are ignored: writing tells of them.
void note_interrupts();
[[nodiscard]] bool interrupted() noexcept;

}  // namespace tools
