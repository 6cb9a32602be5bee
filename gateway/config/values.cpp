#include "gateway/config/values.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "policy/names.hpp"

namespace gateway::config {

using captures::base::AddressRange;
using captures::base::Ipv4Address;
using captures::base::Protocol;

namespace {

constexpr captures::base::Duration longest_span = std::chrono::hours{24 * 3650};

constexpr bool is_letter_or_digit(char letter) noexcept {
    return (letter >= '0' && letter <= '9') || (policy::to_lower(letter) >= 'a' && policy::to_lower(letter) <= 'z');
}

constexpr bool is_hex_digit(char letter) noexcept {
    return (letter >= '0' && letter <= '9') || (policy::to_lower(letter) >= 'a' && policy::to_lower(letter) <= 'f');
}

/// ASCII only: what goes into logs and terminals must not contain what they obey.
constexpr bool is_printable(char letter) noexcept { return letter >= ' ' && letter <= '~'; }

tl::unexpected<std::string> not_a(std::string_view text, std::string_view what_instead) {
    if (std::ranges::count(text, ':') > 1) {
        return tl::unexpected{
            fmt::format("{} is IPv6, which Azure Firewall cannot translate; give an IPv4 address", in_quotes(text))};
    }
    return tl::unexpected{fmt::format("{} is not {}", in_quotes(text), what_instead)};
}

template <class Allowed>
Parsed<std::string> parse_name(std::string_view text, std::size_t longest, std::string_view rule, Allowed allowed) {
    if (!text.empty() && text.size() <= longest && std::ranges::all_of(text, allowed)) return std::string{text};
    return tl::unexpected{fmt::format("{} is no good name; use {}", in_quotes(text), rule)};
}

}  // namespace

std::string in_quotes(std::string_view text) {
    constexpr std::size_t enough = 60;
    std::string result{'"'};
    for (const char letter : text.substr(0, enough)) result += is_printable(letter) ? letter : '?';
    return result + (text.size() > enough ? "...\"" : "\"");
}

Parsed<Ipv4Address> parse_address(std::string_view text) {
    if (const auto address = Ipv4Address::parse(text)) return *address;
    return not_a(text, "an IPv4 address; write four decimal numbers such as 10.0.0.1");
}

Parsed<Ipv4Address> parse_unicast_address(std::string_view text) {
    auto address = parse_address(text);
    if (!address) return address;
    const auto first = address->value >> 24;
    if (first != 0 && first != 127 && first < 224) return address;
    return tl::unexpected{fmt::format("{} is no address of a machine; give a unicast address", in_quotes(text))};
}

Parsed<AddressRange> parse_range(std::string_view text) {
    if (const auto range = AddressRange::parse(text)) return *range;
    return not_a(text, "a source; write an IPv4 address, a CIDR block (10.0.0.0/24), a range (10.0.0.1-10.0.0.9) or *");
}

Parsed<captures::base::Prefix> parse_prefix(std::string_view text) {
    if (const auto prefix = captures::base::Prefix::parse(text)) return *prefix;
    return not_a(text, "a prefix; write an IPv4 address, a CIDR block such as 10.0.0.0/24, or *");
}

Parsed<captures::base::Endpoint> parse_endpoint(std::string_view text) {
    const auto endpoint = captures::base::Endpoint::parse(text);
    if (endpoint && endpoint->port != 0) return *endpoint;
    return not_a(text, "an address and port; write for example 198.51.100.7:40000");
}

Parsed<std::uint16_t> parse_port_number(std::string_view text) {
    const auto port = captures::base::parse_port(text);
    if (port && *port != 0) return *port;
    return tl::unexpected{fmt::format("{} is not a port; give one number from 1 to 65535", in_quotes(text))};
}

Parsed<captures::base::PortRange> parse_port_range(std::string_view text) {
    if (const auto range = captures::base::PortRange::parse(text)) return *range;
    return tl::unexpected{
        fmt::format("{} is not a port; give a number from 0 to 65535, a range such as 80-90, or *", in_quotes(text))};
}

Parsed<std::vector<Protocol>> parse_protocols(std::string_view text) {
    if (policy::same_name(text, "TCP")) return std::vector{Protocol::tcp};
    if (policy::same_name(text, "UDP")) return std::vector{Protocol::udp};
    if (policy::same_name(text, "Any") || text == "*") return std::vector{Protocol::tcp, Protocol::udp};
    if (policy::same_name(text, "ICMP")) {
        return tl::unexpected{std::string{"ICMP has no ports, and a DNAT rule cannot have it; write TCP, UDP or Any"}};
    }
    return tl::unexpected{fmt::format("{} is not a protocol; write TCP, UDP or Any", in_quotes(text))};
}

Parsed<captures::base::Duration> parse_span(std::string_view text) {
    const auto duration = captures::base::parse_duration(text);
    if (!duration) {
        return tl::unexpected{
            fmt::format("{} is not a duration; write for example 90s, 40m, 3h, 1d or PT1H30M", in_quotes(text))};
    }
    if (*duration <= longest_span) return *duration;
    return tl::unexpected{fmt::format("{} is more than ten years; give a shorter duration", in_quotes(text))};
}

Parsed<captures::base::Time> parse_moment(std::string_view text) {
    const auto time = captures::base::parse_time(text);
    if (!time) {
        return tl::unexpected{fmt::format(
            "{} is not a time; write RFC 3339 with an offset, such as 2026-01-31T09:30:00Z", in_quotes(text))};
    }
    constexpr captures::base::Time earliest{std::chrono::sys_days{std::chrono::year{1970} / 1 / 1}};
    constexpr captures::base::Time latest{std::chrono::sys_days{std::chrono::year{2200} / 1 / 1}};
    if (earliest <= *time && *time < latest) return *time;
    return tl::unexpected{fmt::format("{} is out of range; give a time from 1970 to 2199", in_quotes(text))};
}

Parsed<std::string> parse_resource_name(std::string_view text) {
    constexpr std::string_view rule =
        "at most 80 letters, digits, _ . or -, beginning with a letter or digit, ending with a letter, digit or _";
    auto name = parse_name(text, 80, rule, [](char letter) {
        return is_letter_or_digit(letter) || letter == '_' || letter == '.' || letter == '-';
    });
    if (!name || (is_letter_or_digit(text.front()) && (is_letter_or_digit(text.back()) || text.back() == '_'))) {
        return name;
    }
    return tl::unexpected{fmt::format("{} is no good name; use {}", in_quotes(text), rule)};
}

Parsed<std::string> parse_rule_name(std::string_view text) {
    return parse_name(text, 80, "at most 80 printable ASCII characters, no /",
                      [](char letter) { return is_printable(letter) && letter != '/'; });
}

Parsed<std::string> parse_principal_name(std::string_view text) {
    return parse_name(text, 256, "at most 256 printable ASCII characters without spaces, such as ana@lab.example",
                      [](char letter) { return is_printable(letter) && letter != ' '; });
}

Parsed<std::string> parse_subscription(std::string_view text) {
    constexpr std::string_view shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    const auto fits = [](char letter, char expected) { return expected == '-' ? letter == '-' : is_hex_digit(letter); };
    if (std::equal(text.begin(), text.end(), shape.begin(), shape.end(), fits)) return std::string{text};
    return tl::unexpected{
        fmt::format("{} is not a subscription id; give a GUID of the form {}", in_quotes(text), shape)};
}

Parsed<std::string> parse_resource_group(std::string_view text) {
    return parse_name(text, 90, "at most 90 letters, digits, - _ . ( or )", [](char letter) {
        return is_letter_or_digit(letter) || std::string_view{"-_.()"}.find(letter) != std::string_view::npos;
    });
}

Parsed<std::string> parse_location(std::string_view text) {
    return parse_name(text, 64, "letters and digits as in westeurope", is_letter_or_digit);
}

}  // namespace gateway::config
