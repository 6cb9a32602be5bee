#include "tools/portcullis/gateway_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "gateway/replay/report.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

using boost::json::value;

namespace {

/// A member of an object, and of that one's, and so on; null where there is none.
const value& at(const value& object, std::initializer_list<std::string_view> path) {
    static const value none;
    const auto* found = &object;
    for (const auto name : path) {
        found = found->is_object() ? found->as_object().if_contains({name.data(), name.size()}) : nullptr;
        if (found == nullptr) return none;
    }
    return *found;
}

double number(const value& object, std::initializer_list<std::string_view> path) {
    const auto& found = at(object, path);
    return found.is_number() ? found.to_number<double>() : 0;
}

/// `12.3 M` of a unit that follows.
std::string scaled(double amount) {
    constexpr std::array units{"", "k", "M", "G", "T"};
    std::size_t unit = 0;
    while (amount >= 1000 && unit + 1 < units.size()) {
        amount /= 1000;
        ++unit;
    }
    const bool whole = unit == 0 && amount == static_cast<double>(static_cast<long>(amount));
    return whole ? fmt::format("{:.0f} ", amount) : fmt::format("{:.1f} {}", amount, units.at(unit));
}

std::string span(double seconds) {
    constexpr int minute = 60;
    constexpr int hour = 60 * minute;
    constexpr int day = 24 * hour;
    const auto whole = static_cast<long>(seconds);
    if (whole >= day) return fmt::format("{} d {} h", whole / day, whole % day / hour);
    if (whole >= hour) return fmt::format("{} h {} min", whole / hour, whole % hour / minute);
    if (whole >= minute) return fmt::format("{} min {} s", whole / minute, whole % minute);
    return fmt::format("{} s", whole);
}

std::string neighbours(const value& side) {
    const auto& all = items(side, "neighbours");
    const auto silent = std::ranges::count_if(all, [](const auto& one) { return field(one, "mac").empty(); });
    return fmt::format("{}{}", all.size(), silent == 0 ? "" : fmt::format(", {} without an answer", silent));
}

/// What was to leave and did not.
double unsent(const value& side) {
    double sum = 0;
    for (const auto* const cause : {"lost", "unreachable", "tooBig", "noRoom", "unfit", "abandoned"}) {
        sum += number(side, {"sent", cause});
    }
    return sum;
}

void print_interfaces(const value& live) {
    const auto row = [&](std::string_view name, auto of) {
        fmt::print("  {:<12}", name);
        for (const auto& side : items(live, "interfaces")) fmt::print("{:<34}", of(side));
        fmt::print("\n");
    };
    const auto traffic = [](const char* way) {
        return [way](const value& side) {
            return fmt::format("{}packets, {}B", scaled(number(side, {way, "packets"})),
                               scaled(number(side, {way, "bytes"})));
        };
    };
    const auto rate = [](const char* way) {
        return [way](const value& side) {
            constexpr int bits = 8;
            return fmt::format("{}packets/s, {}bit/s", scaled(number(side, {way, "packetsPerSecond"})),
                               scaled(bits * number(side, {way, "bytesPerSecond"})));
        };
    };
    row("", [](const value& side) { return printable(field(side, "side")); });
    row("interface", [](const value& side) {
        const auto driver = field(side, "driver");
        return printable(fmt::format("{} ({})", field(side, "interface"), driver.empty() ? "LOST" : driver));
    });
    row("MAC", [](const value& side) { return printable(field(side, "mac")); });
    row("MTU", [](const value& side) { return field(side, "mtu"); });
    row("received", traffic("received"));
    row("  now", rate("received"));
    row("  lost", [](const value& side) { return field(at(side, {"received"}), "lost"); });
    row("sent", traffic("sent"));
    row("  now", rate("sent"));
    row("  not sent", [](const value& side) { return fmt::format("{:.0f}", unsent(side)); });
    row("neighbours", neighbours);
}

void print_packets(const value& live) {
    const auto judged = std::max(number(live, {"packets", "judged"}), 1.0);
    for (const auto& [name, fate] : {std::pair{"forwarded", policy::Fate::forward},
                                     {"dropped", policy::Fate::drop},
                                     {"ignored", policy::Fate::ignore}}) {
        const auto count = number(live, {"packets", name});
        fmt::print("  {:<20}{:>14.0f}  {:5.1f} %\n", name, count, 100 * count / judged);
        for (std::size_t i = 0; i < policy::reason_count; ++i) {
            const auto reason = static_cast<policy::Reason>(i);
            const auto of_reason = number(live, {"packets", "reasons", to_string(reason)});
            if (fate_of(reason) != fate || of_reason == 0) continue;
            fmt::print("    {:<18}{:>14.0f}           {}\n", to_string(reason), of_reason,
                       gateway::replay::gloss(reason));
        }
    }
}

void print_logs(const value& live) {
    const auto& logs = at(live, {"logs"});
    for (const auto& file : items(logs, "files")) {
        fmt::print("  log          {}, {} records missing\n", printable(field(file, "path")), field(file, "lost"));
    }
    if (number(logs, {"notQueued"}) != 0 && !items(logs, "files").empty()) {
        fmt::print("  log          {} records more are missing in all: they came too fast\n", field(logs, "notQueued"));
    }
}

}  // namespace

int print_gateway_status(const Remote& remote) {
    const auto answer = remote.send("GET", "/portcullis/v1/status", nullptr, [](const value& error) {
        if (field(error, "code") != "AuthorizationFailed") return;
        complain(
            "how the gateway goes takes a right of its own; your windows: `portcullis lookup`, a request: `status ID`");
    });
    if (!answer) return answer.error();
    if (remote.json()) {
        print_json(*answer);
        return exit_done;
    }
    const auto& live = at(*answer, {"live"});
    const auto windows = field(*answer, "windowsOpen");
    fmt::print("{}: {}; {} {} open{}\n", printable(field(*answer, "firewall")),
               live.is_object() ? "packets move since " + span(number(live, {"uptimeSeconds"}))
                                : "no packets move, as there is no [live]",
               windows, windows == "1" ? "window" : "windows",
               field(*answer, "storeWorks") == "true" ? "" : "; THE STORE TAKES NO WRITES, no door opens");
    if (!live.is_object()) return exit_done;
    fmt::print("\n");
    print_interfaces(live);
    fmt::print("\n");
    print_packets(live);
    fmt::print("\n  flows        {} of {}, at most {} at once, {} admitted\n", field(at(live, {"flows"}), "active"),
               field(at(live, {"flows"}), "capacity"), field(at(live, {"flows"}), "peak"),
               field(at(live, {"flows"}), "created"));
    fmt::print("  ICMP         {} time exceeded, {} fragmentation needed, {} host unreachable, {} held back\n",
               field(at(live, {"icmp"}), "timeExceeded"), field(at(live, {"icmp"}), "fragmentationNeeded"),
               field(at(live, {"icmp"}), "hostUnreachable"), field(at(live, {"icmp"}), "suppressed"));
    print_logs(live);
    return exit_done;
}

}  // namespace tools
