#include "captures/base/address.hpp"

#include <charconv>

namespace captures::base {

namespace {

template <class T>
std::optional<T> parse_number(std::string_view text, unsigned largest) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool leading_zero = text.size() > 1 && text.front() == '0';
    if (error != std::errc{} || end != text.data() + text.size() || value > largest || leading_zero) return {};
    return static_cast<T>(value);
}

}  // namespace

std::optional<std::uint16_t> parse_port(std::string_view text) { return parse_number<std::uint16_t>(text, 65535); }

std::optional<Ipv4Address> Ipv4Address::parse(std::string_view text) {
    std::uint32_t value = 0;
    for (int part = 0; part < 4; ++part) {
        const auto dot = part < 3 ? text.find('.') : text.size();
        if (dot == std::string_view::npos) return {};
        const auto octet = parse_number<std::uint8_t>(text.substr(0, dot), 255);
        if (!octet) return {};
        value = value << 8 | *octet;
        text.remove_prefix(part < 3 ? dot + 1 : dot);
    }
    return Ipv4Address{value};
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
    if (const auto dash = text.find('-'); dash != std::string_view::npos) {
        const auto first = Ipv4Address::parse(text.substr(0, dash));
        const auto last = Ipv4Address::parse(text.substr(dash + 1));
        if (!first || !last || *last < *first) return {};
        return AddressRange{*first, *last};
    }
    const auto prefix = Prefix::parse(text);
    if (!prefix) return {};
    return prefix->range();
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
    if (text == "*") return Prefix{{0}, 0};
    const auto slash = text.find('/');
    const auto address = Ipv4Address::parse(text.substr(0, slash));
    const auto length = slash == std::string_view::npos ? std::optional<std::uint8_t>{std::uint8_t{32}}
                                                        : parse_number<std::uint8_t>(text.substr(slash + 1), 32);
    if (!address || !length) return {};
    return Prefix{{address->value & mask(*length)}, *length};
}

std::optional<PortRange> PortRange::parse(std::string_view text) {
    if (text == "*") return PortRange{};
    const auto dash = text.find('-');
    const auto first = parse_port(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
    if (!first || !last || *last < *first) return {};
    return PortRange{*first, *last};
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    const auto address = Ipv4Address::parse(text.substr(0, colon));
    const auto port = parse_port(text.substr(colon + 1));
    if (!address || !port) return {};
    return Endpoint{*address, *port};
}

std::string to_string(Ipv4Address address) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) {
        text += std::to_string(address.value >> shift & 0xff);
        if (shift > 0) text += '.';
    }
    return text;
}

std::string to_string(const AddressRange& range) {
    if (range == AddressRange::any()) return "*";
    if (range.first == range.last) return to_string(range.first);
    return to_string(range.first) + '-' + to_string(range.last);
}

std::string to_string(const Prefix& prefix) {
    if (prefix.length == 0) return "*";
    if (prefix.length == 32) return to_string(prefix.address);
    return to_string(prefix.address) + '/' + std::to_string(prefix.length);
}

std::string to_string(const PortRange& range) {
    if (range == PortRange{}) return "*";
    if (range.first == range.last) return std::to_string(range.first);
    return std::to_string(range.first) + '-' + std::to_string(range.last);
}

std::string to_string(const Endpoint& endpoint) {
    return to_string(endpoint.address) + ':' + std::to_string(endpoint.port);
}

}  // namespace captures::base
