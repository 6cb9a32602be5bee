#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "captures/base/address.hpp"
#include "captures/base/five_tuple.hpp"
#include "captures/base/time.hpp"

namespace gateway::config {

/// A value read from the text of a file; the error says what is wrong with the text and what to write instead.
template <class T>
using Parsed = tl::expected<T, std::string>;

/// Somebody else's text for a message: in quotes, cut to a readable length, without what a terminal would obey.
[[nodiscard]] std::string in_quotes(std::string_view text);

[[nodiscard]] Parsed<captures::base::Ipv4Address> parse_address(std::string_view text);
/// An address that one machine can have: no network, loopback, multicast or broadcast.
[[nodiscard]] Parsed<captures::base::Ipv4Address> parse_unicast_address(std::string_view text);
[[nodiscard]] Parsed<captures::base::AddressRange> parse_range(std::string_view text);
[[nodiscard]] Parsed<captures::base::Prefix> parse_prefix(std::string_view text);
[[nodiscard]] Parsed<captures::base::Endpoint> parse_endpoint(std::string_view text);

/// 1..65535.
[[nodiscard]] Parsed<std::uint16_t> parse_port_number(std::string_view text);
/// `n`, `a-b` or `*`; 0..65535.
[[nodiscard]] Parsed<captures::base::PortRange> parse_port_range(std::string_view text);

/// What a rule may name; `Any` and `*` are both. ICMP and others are refused.
[[nodiscard]] Parsed<std::vector<captures::base::Protocol>> parse_protocols(std::string_view text);

/// 0..3650 days, so that a time plus a duration is a time.
[[nodiscard]] Parsed<captures::base::Duration> parse_span(std::string_view text);
/// RFC 3339 with an offset, 1970..2200.
[[nodiscard]] Parsed<captures::base::Time> parse_moment(std::string_view text);

/// Azure's naming rule for firewall sub-resources (azure/firewall: rule-processing): letters, digits, `_ . -`, begins
/// with a letter or digit, ends with a letter, digit or `_`, at most 80.
[[nodiscard]] Parsed<std::string> parse_resource_name(std::string_view text);
/// Printable ASCII, no `/`, at most 80: names of rules, which portals and exports treat more liberally.
[[nodiscard]] Parsed<std::string> parse_rule_name(std::string_view text);
/// Printable ASCII, no space, at most 256: a user principal name, an application id.
[[nodiscard]] Parsed<std::string> parse_principal_name(std::string_view text);
/// A subscription's GUID.
[[nodiscard]] Parsed<std::string> parse_subscription(std::string_view text);
/// 1..90 of letters, digits, `- _ . ( )`.
[[nodiscard]] Parsed<std::string> parse_resource_group(std::string_view text);
/// As in resource ids: `westeurope`.
[[nodiscard]] Parsed<std::string> parse_location(std::string_view text);

}  // namespace gateway::config
