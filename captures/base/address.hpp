#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace captures::base {

/// An IPv4 address; `value` is in host order, so that ranges compare as numbers.
struct Ipv4Address {
    std::uint32_t value = 0;

    auto operator<=>(const Ipv4Address&) const = default;

    /// Dotted quad, decimal, no leading zeros (RFC 6943 §3.1.1: octal look-alikes are refused).
    [[nodiscard]] static std::optional<Ipv4Address> parse(std::string_view text);
};

/// Addresses `first` to `last`, both included.
struct AddressRange {
    Ipv4Address first;
    Ipv4Address last;

    auto operator<=>(const AddressRange&) const = default;

    [[nodiscard]] constexpr bool contains(Ipv4Address address) const noexcept {
        return first <= address && address <= last;
    }
    [[nodiscard]] constexpr bool contains(const AddressRange& other) const noexcept {
        return first <= other.first && other.last <= last;
    }

    /// What Azure accepts as a source: an address, a CIDR block, a range `a-b` with a <= b, or `*`.
    [[nodiscard]] static std::optional<AddressRange> parse(std::string_view text);
    [[nodiscard]] static constexpr AddressRange any() noexcept { return {{0}, {0xffffffff}}; }
};

/// A CIDR block. Invariant: host bits of `address` are zero, `length` is 0..32.
struct Prefix {
    Ipv4Address address;
    std::uint8_t length = 32;

    auto operator<=>(const Prefix&) const = default;

    [[nodiscard]] static constexpr std::uint32_t mask(std::uint8_t length) noexcept {
        return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
    }
    [[nodiscard]] constexpr bool contains(Ipv4Address other) const noexcept {
        return (other.value & mask(length)) == address.value;
    }
    [[nodiscard]] constexpr bool contains(const Prefix& other) const noexcept {
        return other.length >= length && contains(other.address);
    }
    [[nodiscard]] constexpr AddressRange range() const noexcept { return {address, {address.value | ~mask(length)}}; }

    /// `a.b.c.d`, `a.b.c.d/n` or `*` (0.0.0.0/0). Host bits are cleared, as Azure does.
    [[nodiscard]] static std::optional<Prefix> parse(std::string_view text);
};

/// Ports `first` to `last`, both included.
struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 65535;

    auto operator<=>(const PortRange&) const = default;

    [[nodiscard]] constexpr bool contains(std::uint16_t port) const noexcept { return first <= port && port <= last; }

    /// `n`, `a-b` with a <= b, or `*` (0-65535).
    [[nodiscard]] static std::optional<PortRange> parse(std::string_view text);
};

struct Endpoint {
    Ipv4Address address;
    std::uint16_t port = 0;

    auto operator<=>(const Endpoint&) const = default;

    /// `a.b.c.d:port`.
    [[nodiscard]] static std::optional<Endpoint> parse(std::string_view text);
};

/// A whole decimal number that fits 16 bits, nothing else around it.
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text);

[[nodiscard]] std::string to_string(Ipv4Address address);
[[nodiscard]] std::string to_string(const AddressRange& range);
[[nodiscard]] std::string to_string(const Prefix& prefix);
[[nodiscard]] std::string to_string(const PortRange& range);
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

}  // namespace captures::base
