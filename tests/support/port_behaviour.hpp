#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "captures/port/port.hpp"
#include "tests/support/veth_lab.hpp"

/// What every driver has to do, on real interfaces.
namespace support {

using OpenPort = std::function<tl::expected<std::unique_ptr<captures::port::Port>, std::string>(const std::string&)>;

/// Fails the test with the driver's words if it cannot be opened.
[[nodiscard]] std::unique_ptr<captures::port::Port> opened(const OpenPort& open, const NetworkNamespace& where,
                                                           const std::string& interface);

/// What arrived at the server's interface.
struct Arrivals {
    int frames = 0;
    int partial = 0;  ///< checksums that the sender left to be completed
    int wrong = 0;    ///< checksums that are neither right nor partial
    std::size_t largest = 0;
};

struct Crossing {
    bool complete = false;  ///< all bytes arrived, as they were sent
    Arrivals arrivals;
    bool saw_partial = false;  ///< at a port
    std::size_t largest = 0;   ///< at a port
    captures::port::Port::Numbers outside;
    captures::port::Port::Numbers inside;
};

/// Sends so many bytes over a TCP connection from the client to the server, and back at the same time.
[[nodiscard]] Crossing cross_by_stream(const VethLab& lab, const OpenPort& open, std::size_t bytes);

/// Sends `count` numbered datagrams of `size` bytes, of which `at_once` go to the kernel as one (UDP_SEGMENT).
[[nodiscard]] Crossing cross_by_datagrams(const VethLab& lab, const OpenPort& open, int count, std::size_t size,
                                          int at_once);

/// One that every port has, for BOOST_DATA_TEST_CASE.
struct PortBehaviour {
    const char* name;
    void (*holds)(const OpenPort& open);

    friend std::ostream& operator<<(std::ostream& out, const PortBehaviour& behaviour) { return out << behaviour.name; }
};
[[nodiscard]] const std::vector<PortBehaviour>& port_behaviours();

}  // namespace support
