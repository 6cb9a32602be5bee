#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/config_file/draft.hpp"

namespace gateway::config_file {

using captures::base::Ipv4Address;
using captures::base::Prefix;
using captures::packet::Side;

namespace {

struct AddressOnLink {
    Ipv4Address address;
    Prefix prefix;
};

config::Parsed<AddressOnLink> parse_address_on_link(std::string_view text) {
    const auto slash = text.find('/');
    const auto prefix = Prefix::parse(text);
    constexpr std::uint8_t longest = 31;  // RFC 3021
    if (slash == std::string_view::npos || !prefix || prefix->length == 0 || prefix->length > longest) {
        return tl::unexpected{fmt::format(
            "{} is no address with the length of its network; write for example 10.0.1.5/24", config::in_quotes(text))};
    }
    const auto address = config::parse_unicast_address(text.substr(0, slash));
    if (!address) return tl::unexpected{address.error()};
    const bool first_or_last = *address == prefix->address || *address == prefix->range().last;
    if (first_or_last && prefix->length < longest) {
        return tl::unexpected{
            fmt::format("{} is the network itself or its broadcast address, and no host's", config::in_quotes(text))};
    }
    return AddressOnLink{*address, *prefix};
}

config::Parsed<std::string> parse_interface(std::string_view text) {
    constexpr std::size_t longest = 15;  // IFNAMSIZ - 1
    const bool usable = !text.empty() && text.size() <= longest && text != "." && text != ".." &&
                        text.find_first_of("/: \t\n") == std::string_view::npos;
    if (usable) return std::string{text};
    return tl::unexpected{fmt::format("{} is no name of an interface; see `ip link`", config::in_quotes(text))};
}

config::Parsed<config::DriverChoice> parse_driver(std::string_view text) {
    constexpr std::array<std::string_view, 4> names{"auto", "pcap", "ring", "xdp"};
    const auto* const found = std::ranges::find(names, text);
    if (found == names.end()) {
        return tl::unexpected{fmt::format("{} is no driver; it is auto, pcap, ring or xdp", config::in_quotes(text))};
    }
    return static_cast<config::DriverChoice>(found - names.begin());
}

/// Addresses of the firewall itself, which it answers for on one side or the other.
bool is_firewalls(const config::FirewallConfig& firewall, Ipv4Address address) {
    return address == firewall.instance_ip || address == firewall.private_ip ||
           std::ranges::find(firewall.public_ips, address) != firewall.public_ips.end();
}

void read_side(TomlTable& live, std::string_view key, const config::Config& config, config::LiveSide& side) {
    auto table = live.table(key, "live port");
    if (!table) return;
    table->require({"interface", "address"});
    if (auto name = table->value("interface", parse_interface)) side.interface = std::move(name->value);
    const auto address = table->value("address", parse_address_on_link);
    if (address) {
        side.address = address->value.address;
        side.on_link = address->value.prefix;
        if (const auto* const machine = config.machine(side.address)) {
            table->error("address",
                         fmt::format("is the address of virtual_machine {}", config::in_quotes(machine->name)));
        }
    }
    if (const auto gateway = table->value("gateway", config::parse_unicast_address)) {
        side.gateway = gateway->value;
        if (address && !side.on_link.contains(*side.gateway)) {
            table->error("gateway",
                         fmt::format("{} is not on the link of {}", to_string(*side.gateway), to_string(side.on_link)));
        } else if ((address && *side.gateway == side.address) || is_firewalls(config.firewall, *side.gateway)) {
            table->error("gateway", "is an address of this gateway itself; name the next router");
        }
    }
    table->refuse_unknown_keys();
}

void read_route(TomlTable& table, const config::Config& config, config::LiveConfig& live) {
    table.require({"destination", "via"});
    const auto destination = table.value("destination", config::parse_prefix);
    const auto via = table.value("via", config::parse_unicast_address);
    table.refuse_unknown_keys();
    if (!destination || !via) return;
    if (is_firewalls(config.firewall, via->value) || via->value == live.outside.address ||
        via->value == live.inside.address) {
        return table.error("via", "is an address of this gateway itself; name the next router");
    }
    const auto known = std::ranges::find(live.routes, destination->value, &config::LiveRoute::destination);
    if (known != live.routes.end()) {
        return table.error("destination", fmt::format("{} has a route already, via {}", to_string(destination->value),
                                                      to_string(known->via)));
    }
    for (const auto side : {Side::outside, Side::inside}) {
        if (!live.at(side).on_link.contains(via->value)) continue;
        live.routes.push_back({destination->value, via->value, side});
        return;
    }
    table.error("via", fmt::format("{} is on the link of neither side: {} outside, {} inside", to_string(via->value),
                                   to_string(live.outside.on_link), to_string(live.inside.on_link)));
}

bool is_reached(const config::LiveConfig& live, Ipv4Address address) {
    return live.inside.gateway || live.inside.on_link.contains(address) ||
           std::ranges::any_of(live.routes, [address](const config::LiveRoute& route) {
               return route.side == Side::inside && route.destination.contains(address);
           });
}

void warn_of_machines_out_of_reach(TomlTable& table, const config::Config& config, const config::LiveConfig& live) {
    for (const auto& machine : config.machines) {
        if (is_reached(live, machine.private_ip)) continue;
        table.warn(table.position("inside"),
                   fmt::format("virtual_machine {} ({}) is not on the inside's link, and neither inside.gateway nor a "
                               "[[live.route]] leads to it",
                               config::in_quotes(machine.name), to_string(machine.private_ip)));
    }
}

}  // namespace

void read_live(TomlTable& root, Draft& draft) {
    auto table = root.table("live", "live");
    if (!table) return;
    table->require({"outside", "inside"});
    config::LiveConfig live;
    if (const auto driver = table->value("driver", parse_driver)) live.driver = driver->value;
    live.isolate = table->boolean("isolate").value_or(true);
    const bool both = table->has("outside") && table->has("inside");
    read_side(*table, "outside", draft.config, live.outside);
    read_side(*table, "inside", draft.config, live.inside);
    auto routes = table->tables("route", "route");
    if (both && !live.outside.interface.empty() && live.outside.interface == live.inside.interface) {
        table->error("inside", fmt::format("is the interface of outside, too: {}; two wires need two",
                                           config::in_quotes(live.inside.interface)));
    }
    const bool overlap = live.outside.on_link.contains(live.inside.on_link) ||
                         live.inside.on_link.contains(live.outside.on_link);
    if (both && overlap) {
        table->error("inside", fmt::format("shares addresses with outside: {} and {}", to_string(live.inside.on_link),
                                           to_string(live.outside.on_link)));
    }
    for (auto& route : routes) read_route(route, draft.config, live);
    if (both && !overlap) warn_of_machines_out_of_reach(*table, draft.config, live);
    table->refuse_unknown_keys();
    draft.config.live = std::move(live);
}

}  // namespace gateway::config_file
