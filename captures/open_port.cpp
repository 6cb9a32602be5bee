#include "captures/open_port.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "captures/live_port.hpp"
#include "captures/packet_ring.hpp"
#include "captures/xdp_port.hpp"

namespace captures {

namespace {

struct Way {
    Driver driver = Driver::pcap;
    std::string_view name;
    tl::expected<std::unique_ptr<Port>, std::string> (*open)(const std::string& interface) = nullptr;
    std::span<const std::string_view> turns_off;  ///< offloads that it cannot do with
};

/// In the order in which they are tried.
constexpr std::array ways{
    Way{Driver::ring, "ring", open_packet_ring, {}},
    Way{Driver::pcap, "pcap", open_live_port, OffloadGuard::merging},
};

tl::expected<OpenedPort, std::string> open_by(const Way& way, const std::string& interface) {
    auto port = way.open(interface);
    if (!port) return tl::unexpected(port.error());
    auto offloads = OffloadGuard::turn_off(interface, way.turns_off);
    if (!offloads) return tl::unexpected(offloads.error());
    return OpenedPort{std::move(*port), std::string{way.name}, std::move(*offloads), {}};
}

}  // namespace

tl::expected<OpenedPort, std::string> open_port(const std::string& interface, std::optional<Driver> wanted) {
    if (wanted) {
        const auto* const way = std::ranges::find(ways, *wanted, &Way::driver);
        if (way != ways.end()) return open_by(*way, interface);
        return tl::unexpected("interface " + interface +
                              ": the driver xdp is not in this build; write ring, pcap or auto");
    }
    std::string remarks;
    for (const auto& way : std::span{ways}.first(ways.size() - 1)) {
        auto opened = open_by(way, interface);
        if (opened) {
            opened->remarks = std::move(remarks);
            return opened;
        }
        remarks += (remarks.empty() ? "not " : "; not ") + std::string{way.name} + ": " + opened.error();
    }
    auto opened = open_by(ways.back(), interface);
    if (opened) opened->remarks = std::move(remarks);
    return opened;
}

}  // namespace captures
