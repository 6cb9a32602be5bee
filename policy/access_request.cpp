#include "policy/access_request.hpp"

#include <algorithm>
#include <utility>

#include "captures/base/utf8.hpp"

namespace policy {

using captures::base::Duration;
using captures::base::Prefix;
using captures::base::Time;
using captures::base::to_iso8601;
using captures::base::to_rfc3339;

namespace {

Refusal refused(std::string_view code, std::string message) { return {std::string{code}, std::move(message)}; }

Refusal invalid(std::string message) { return refused(refusal_code::invalid_input, std::move(message)); }

Refusal not_a_subset(std::string message) { return refused(refusal_code::not_a_subset, std::move(message)); }

/// Somebody else's text, fit for a message: bounded, and nothing that a terminal would obey.
std::string quoted(std::string_view text) {
    constexpr std::size_t enough = 64;
    std::string result{"'"};
    for (const char letter : text.substr(0, enough)) result += letter >= ' ' && letter <= '~' ? letter : '?';
    return result + (text.size() > enough ? "...'" : "'");
}

template <class Items, class Text>
std::string listed(const Items& items, Text text) {
    constexpr std::size_t enough = 8;
    std::string result;
    for (std::size_t i = 0; i < items.size() && i < enough; ++i) result += (i > 0 ? ", " : "") + text(items[i]);
    return items.size() > enough ? result + " and " + std::to_string(items.size() - enough) + " more" : result;
}

std::string for_port(std::uint16_t number) { return " for port " + std::to_string(number); }

bool is_blank(std::string_view text) noexcept { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

bool looks_like_ipv6(std::string_view text) noexcept { return std::ranges::count(text, ':') > 1; }

/// The sources asked for without repetition, or the caller's address where none is.
tl::expected<std::vector<Prefix>, Refusal> sources_of(const RequestedPort& port,
                                                      const std::optional<captures::base::Ipv4Address>& caller) {
    if (port.sources.empty()) {
        if (caller) return std::vector{Prefix{*caller, 32}};
        return tl::unexpected{invalid("No source is given" + for_port(port.number) +
                                      ", and the caller's address is not known: name an address, a CIDR block or *.")};
    }
    std::vector<Prefix> sources;
    for (const auto& text : port.sources) {
        if (looks_like_ipv6(text)) {
            return tl::unexpected{invalid(
                "The provided access request contains a source IP address in IPv6 format, which is unsupported by "
                "Just-In-Time Network Access.")};
        }
        const auto source = Prefix::parse(text);
        if (!source) {
            return tl::unexpected{invalid("Source " + quoted(text) + for_port(port.number) +
                                          " is not an IPv4 address, a CIDR block or *.")};
        }
        if (std::ranges::find(sources, *source) == sources.end()) sources.push_back(*source);
    }
    return sources;
}

std::optional<Refusal> bad_source(const std::vector<Prefix>& sources, const JitPort& rule) {
    const auto text = [](const Prefix& prefix) { return prefix.length == 0 ? "0.0.0.0/0" : to_string(prefix); };
    const auto* source = rule.first_outside(sources);
    if (source == nullptr) return {};
    return not_a_subset("source " + text(*source) + " of port " + std::to_string(rule.number) + " is outside " +
                        listed(rule.allowed_sources, text));
}

std::optional<Refusal> bad_duration(Duration asked, const JitPort& rule) {
    const auto what = to_iso8601(asked) + for_port(rule.number);
    if (asked < shortest_window) return invalid(what + " is shorter than " + to_iso8601(shortest_window));
    if (asked > rule.max_duration) {
        return not_a_subset(what + " is longer than the policy's " + to_iso8601(rule.max_duration));
    }
    if (asked > longest_window) return not_a_subset(what + " is longer than " + to_iso8601(longest_window));
    return {};
}

std::optional<Refusal> bad_end(Time end, const JitPort& rule, Time now) {
    const auto what = "end time " + to_rfc3339(end, 0) + for_port(rule.number);
    const auto clock = " (it is now " + to_rfc3339(now, 0) + ")";
    if (end <= now) return invalid(what + " is not in the future" + clock);
    if (end < later(now, shortest_window)) {
        return invalid(what + " is less than " + to_iso8601(shortest_window) + " ahead" + clock);
    }
    if (end > later(now, rule.max_duration)) {
        return not_a_subset(what + " is more than the policy's " + to_iso8601(rule.max_duration) + " ahead" + clock);
    }
    if (end > later(now, longest_window)) {
        return not_a_subset(what + " is more than " + to_iso8601(longest_window) + " ahead" + clock);
    }
    return {};
}

}  // namespace

std::optional<Refusal> malformed(const AccessRequest& request) {
    if (request.ports.empty()) return invalid("The access request names no port: name at least one.");
    if (request.ports.size() > most_ports) {
        return invalid("The access request names " + std::to_string(request.ports.size()) + " ports; at most " +
                       std::to_string(most_ports) + " are accepted.");
    }
    if (request.justification.size() > 4 * longest_justification ||
        captures::base::character_count(request.justification) > longest_justification) {
        return invalid("The justification is longer than " + std::to_string(longest_justification) + " characters.");
    }
    std::size_t sources = 0;
    for (auto port = request.ports.begin(); port != request.ports.end(); ++port) {
        const auto same_port = [&](const RequestedPort& other) { return other.number == port->number; };
        if (std::any_of(request.ports.begin(), port, same_port)) {
            return invalid("The access request names port " + std::to_string(port->number) + " more than once.");
        }
        if (port->duration.has_value() == port->end_time.has_value()) {
            return invalid("Only one of fields 'EndTimeUtc' and 'Duration' can be set.");
        }
        sources += port->sources.size();
        if (sources > most_sources) {
            return invalid("The access request names more than " + std::to_string(most_sources) + " sources.");
        }
        if (const auto parsed = sources_of(*port, request.caller_address); !parsed) return parsed.error();
    }
    return {};
}

tl::expected<std::vector<ApprovedPort>, Refusal> validate(const AccessRequest& request, const JitPolicy& policy,
                                                          Time now) {
    if (auto refusal = malformed(request)) return tl::unexpected{*refusal};
    const auto* machine = policy.machine(request.machine);
    if (machine == nullptr) {
        return tl::unexpected{
            not_a_subset("machine " + quoted(request.machine) + " is not in policy " + quoted(policy.name))};
    }
    if (policy.justification_required && is_blank(request.justification)) {
        return tl::unexpected{invalid("Policy " + quoted(policy.name) + " requires a justification.")};
    }
    std::vector<ApprovedPort> approved;
    for (const auto& port : request.ports) {
        const auto sources = sources_of(port, request.caller_address).value();
        const auto before = approved.size();
        for (const auto& rule : machine->ports) {
            if (rule.number != port.number) continue;
            if (auto refusal = bad_source(sources, rule)) return tl::unexpected{*refusal};
            auto refusal = port.duration ? bad_duration(*port.duration, rule) : bad_end(*port.end_time, rule, now);
            if (refusal) return tl::unexpected{*refusal};
            approved.push_back(
                ApprovedPort{rule, sources, port.duration ? later(now, *port.duration) : *port.end_time});
        }
        if (approved.size() == before) {
            const auto number = [](const JitPort& rule) { return std::to_string(rule.number); };
            return tl::unexpected{not_a_subset("port " + std::to_string(port.number) +
                                               " is not in the policy of machine " + machine->name + " (" +
                                               listed(machine->ports, number) + ")")};
        }
    }
    return approved;
}

Time later(Time time, Duration duration) noexcept {
    if (duration > Duration::zero() && time > Time::max() - duration) return Time::max();
    if (duration < Duration::zero() && time < Time::min() - duration) return Time::min();
    return time + duration;
}

}  // namespace policy
