#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/remote.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

/// Often enough to look live, seldom enough to cost the server nothing.
constexpr auto look_interval = std::chrono::milliseconds{200};

struct WatchOptions {
    RemoteFlags remote;
    std::string fate;
    std::string reason;
    std::string side;
    std::string protocol;
    std::string address;
    std::uint16_t port = 0;
    std::uint64_t count = 0;  ///< 0: until interrupted
};

/// As a line of tcpdump, with what was decided behind it.
std::string line_of(const boost::json::value& decision) {
    const auto time = field(decision, "time");  // 2026-01-31T14:05:33.123456789Z
    constexpr std::size_t clock_at = 11;
    constexpr std::size_t clock_size = 15;  // to the microsecond
    auto line = fmt::format("{} {:<7} ", time.size() > clock_at ? time.substr(clock_at, clock_size) : time,
                            field(decision, "side"));
    const auto add = [&](const char* before, const std::string& text, const char* after = "") {
        if (!text.empty()) line += before + text + after;
    };
    add("", field(decision, "protocol"), " ");
    add("", field(decision, "from"));
    add(" > ", field(decision, "to"));
    add(" [", field(decision, "flags"), "]");
    add(line.ends_with(' ') ? "length " : ", length ", field(decision, "length"));
    add(": ", field(decision, "fate"));
    add(" ", field(decision, "reason"));
    add(" by ", field(decision, "rule"));
    add(" => ", field(decision, "out_from"));
    add(" > ", field(decision, "out_to"));
    add(" (", field(decision, "detail"), ")");
    return printable(line);
}

/// The fields of `--decisions`, and no other.
boost::json::object as_decided(boost::json::object decision) {
    for (const auto* const more : {"protocol", "flags", "length"}) decision.stable_erase(more);
    return decision;
}

std::string filter_of(const WatchOptions& options) {
    std::string query;
    const auto add = [&](const char* name, const std::string& text) {
        if (!text.empty()) query += fmt::format("&{}={}", name, escaped(text));
    };
    add("fate", options.fate);
    add("reason", options.reason);
    add("side", options.side);
    add("protocol", options.protocol);
    add("address", options.address);
    if (options.port != 0) add("port", std::to_string(options.port));
    return query;
}

std::uint64_t number(const boost::json::value& answer, std::string_view name) {
    const auto* const found = answer.is_object() ? answer.as_object().if_contains({name.data(), name.size()}) : nullptr;
    return found != nullptr && found->is_number() ? found->to_number<std::uint64_t>() : 0;
}

class Watch {
public:
    Watch(const WatchOptions& options, const Remote& remote)
        : remote_{&remote}, filter_{filter_of(options)}, most_{options.count} {}

    int run() {
        while (!interrupted() && !is_done()) {
            const auto answer = remote_->get(fmt::format("/portcullis/v1/decisions?from={}{}", next_, filter_));
            if (!answer) return answer.error();
            if (next_ == 0 && !remote_->json()) fmt::print(stderr, "watching; Ctrl-C ends it\n");
            next_ = number(*answer, "next");
            if (!show(*answer)) return exit_incomplete;
            if (!interrupted() && !is_done()) std::this_thread::sleep_for(look_interval);
        }
        if (!remote_->json()) fmt::print(stderr, "{} decisions shown{}\n", shown_, missed_text(missed_));
        return exit_done;
    }

private:
    /// False: nobody reads what is printed.
    bool show(const boost::json::value& answer) {
        const auto missed = number(answer, "missed");
        if (missed != 0) complain(fmt::format("here{}", missed_text(missed)));
        missed_ += missed;
        for (const auto& decision : items(answer, "decisions")) {
            if (is_done() || !decision.is_object()) break;
            ++shown_;
            fmt::print("{}\n",
                       remote_->json() ? boost::json::serialize(as_decided(decision.as_object())) : line_of(decision));
        }
        return std::fflush(stdout) == 0;
    }

    static std::string missed_text(std::uint64_t missed) {
        return missed == 0 ? "" : fmt::format(", {} or more missed: packets come faster than they can be told", missed);
    }
    [[nodiscard]] bool is_done() const { return most_ != 0 && shown_ >= most_; }

    const Remote* remote_;
    std::string filter_;
    std::uint64_t most_;
    std::uint64_t next_ = 0;
    std::uint64_t shown_ = 0;
    std::uint64_t missed_ = 0;
};

int watch(const WatchOptions& options) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    note_interrupts();
    return Watch{options, *remote}.run();
}

}  // namespace

void add_watch_command(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand("watch", "Decisions of the live gateway as they happen");
    const auto options = std::make_shared<WatchOptions>();
    add_remote_flags(*command, options->remote);
    command->add_option("--fate", options->fate, "Only forward, drop, or ignore")
        ->check(CLI::IsMember({"forward", "drop", "ignore"}));
    command->add_option("--reason", options->reason, "Only for this reason, such as jit-closed");
    command->add_option("--side", options->side, "Only what came from outside, or inside")
        ->check(CLI::IsMember({"outside", "inside"}));
    command->add_option("--protocol", options->protocol, "Only tcp, or udp")->check(CLI::IsMember({"tcp", "udp"}));
    command->add_option("--address", options->address, "Only with this address or CIDR block, before or after");
    command->add_option("--port", options->port, "Only with this port, before or after")->check(CLI::Range(1, 65535));
    command->add_option("--count", options->count, "End after so many");
    command->callback([options, &exit_code] { exit_code = watch(*options); });
}

}  // namespace tools
