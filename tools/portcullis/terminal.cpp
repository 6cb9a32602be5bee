#include "tools/portcullis/terminal.hpp"
#include "gateway/config_file/load.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

namespace tools {

namespace {

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): a signal handler sees nothing else
std::atomic<bool> interrupt_seen{false};

/// Also has a read interrupted that began between somebody's look at `interrupt_seen` and now.
extern "C" void on_interrupt(int /*signal*/) {
    interrupt_seen = true;
    alarm(1);
}

extern "C" void on_alarm(int /*signal*/) {}

/// Unlike std::signal's, it interrupts system calls.
void handle(int signal, void (*handler)(int), unsigned flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = static_cast<int>(flags);
    static_cast<void>(sigaction(signal, &action, nullptr));
}

}  // namespace

void complain(std::string_view text) { fmt::print(stderr, "portcullis: {}\n", text); }

bool flush_output() {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
    complain("cannot write standard output: " + std::generic_category().message(errno));
    return false;
}

void print(const gateway::config::Findings& findings) {
    for (const auto& finding : findings) fmt::print(stderr, "{}\n", to_string(finding));
}

std::optional<gateway::config_file::LoadedConfig> load_or_complain(const std::string& path) {
    auto loaded = gateway::config_file::load_config(path);
    if (loaded) return std::move(*loaded);
    print(loaded.error());
    return {};
}

ProgressBar::ProgressBar(bool wanted)
    : wanted_{wanted && ::isatty(STDERR_FILENO) == 1},
      started_{std::chrono::steady_clock::now()},
      next_{started_ + std::chrono::milliseconds{500}} {}

ProgressBar::~ProgressBar() {
    if (shown_) fmt::print(stderr, "\r\033[K");
}

void ProgressBar::show(const captures::file::Source::Progress& progress, std::uint64_t packets) {
    if (!wanted_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds{100};
    shown_ = true;
    const auto seconds = std::chrono::duration<double>(now - started_).count();
    const auto rate = static_cast<double>(packets) / seconds / 1e6;
    if (progress.total == 0) {
        fmt::print(stderr, "\r\033[K{} packets, {:.1f} M/s", packets, rate);
        return;
    }
    constexpr std::uint64_t width = 40;
    const auto part = std::min<double>(1.0, static_cast<double>(progress.done) / static_cast<double>(progress.total));
    const auto filled = static_cast<std::size_t>(part * width);
    const auto left = part > 0 ? seconds / part - seconds : 0;
    fmt::print(stderr, "\r\033[K[{}{}] {:3.0f} %  {} packets, {:.1f} M/s, {:.0f} s left", std::string(filled, '='),
               std::string(width - filled, ' '), part * 100, packets, rate, left);
}

void note_interrupts() {
    handle(SIGALRM, on_alarm, 0);
    handle(SIGINT, on_interrupt, SA_RESETHAND);
    handle(SIGTERM, on_interrupt, SA_RESETHAND);
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
}

bool interrupted() noexcept { return interrupt_seen; }

}  // namespace tools
