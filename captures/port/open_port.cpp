#include "captures/port/open_port.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "captures/port/live_port.hpp"
#include "captures/port/packet_ring.hpp"
#include "captures/port/xdp_port.hpp"

namespace captures::port {

namespace {

struct Way {
    Driver driver = Driver::pcap;
    std::string_view name;
    tl::expected<std::unique_ptr<Port>, std::string> (*open)(const std::string& interface) = nullptr;
    std::span<const std::string_view> turns_off;  ///< offloads that it cannot do with
};

constexpr std::array ways{
    Way{Driver::ring, "ring", open_packet_ring, {}},
    Way{Driver::pcap, "pcap", open_live_port, OffloadGuard::merging},
    Way{Driver::xdp, "xdp", open_xdp_port, OffloadGuard::merging},
};
/// Those that are tried when none is asked for, in this order. xdp is not: it is the fastest with small packets, but a
/// stream's segments, which ring carries uncut, pass through it one by one.
constexpr auto tried = std::span{ways}.first<2>();

tl::expected<OpenedPort, std::string> open_by(const Way& way, const std::string& interface) {
    // First, because some interfaces take no XDP program while they merge frames.
    auto offloads = OffloadGuard::turn_off(interface, way.turns_off);
    if (!offloads) return tl::unexpected(offloads.error());
    auto port = way.open(interface);
    if (!port) return tl::unexpected(port.error());
    return OpenedPort{std::move(*port), std::string{way.name}, std::move(*offloads), {}};
}

}  // namespace

tl::expected<OpenedPort, std::string> open_port(const std::string& interface, std::optional<Driver> wanted) {
    if (wanted) {
        return open_by(*std::ranges::find(ways, *wanted, &Way::driver), interface);
    }
    std::string remarks;
    for (const auto& way : tried.first(tried.size() - 1)) {
        auto opened = open_by(way, interface);
        if (opened) {
            opened->remarks = std::move(remarks);
            return opened;
        }
        remarks += (remarks.empty() ? "not " : "; not ") + std::string{way.name} + ": " + opened.error();
    }
    auto opened = open_by(tried.back(), interface);
    if (opened) opened->remarks = std::move(remarks);
    return opened;
}

}  // namespace captures::port
