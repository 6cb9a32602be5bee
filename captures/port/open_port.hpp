#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "captures/port/offload_guard.hpp"
#include "captures/port/port.hpp"

namespace captures::port {

/// How frames get in and out of an interface.
enum class Driver : std::uint8_t { pcap, ring, xdp };

/// What is set otherwise for the port's sake is put back at destruction.
struct OpenedPort {
    std::unique_ptr<Port> port;
    std::string driver;  ///< pcap, ring or xdp
    OffloadGuard offloads;
    std::string remarks;  ///< for a person: why it is not a faster one; empty if it is as asked for
};

/// Opens an interface with this driver; without one, with the fastest that it supports. Errors are for a person.
[[nodiscard]] tl::expected<OpenedPort, std::string> open_port(const std::string& interface,
                                                              std::optional<Driver> wanted = {});

}  // namespace captures::port
