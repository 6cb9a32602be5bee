#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "captures/base/address.hpp"
#include "captures/port/port.hpp"

namespace captures::port {

/// What the kernel says of a network interface of this namespace.
struct Interface {
    std::string name;
    int index = 0;
    MacAddress mac{};
    std::uint32_t mtu = 0;  ///< bytes of the largest datagram, without the link layer
    bool up = false;
    bool running = false;                      ///< up, and so is what is at the other end of the wire
    std::uint32_t receive_queues = 1;          ///< as far as the driver says
    std::string driver;                        ///< of the kernel, as `veth`; empty if it does not say
    std::vector<base::Ipv4Address> addresses;  ///< that the kernel's own stack has on it

    /// The largest frame to be expected on the wire: link layer with two VLAN tags.
    [[nodiscard]] std::uint32_t largest_frame() const noexcept { return mtu + 14 + 8; }
};

/// Errors: there is none of this name, it is not Ethernet.
[[nodiscard]] tl::expected<Interface, std::string> find_interface(const std::string& name);

/// The same for one that is about to be used: it must be up as well. The error says what to do.
[[nodiscard]] tl::expected<Interface, std::string> find_usable_interface(const std::string& name);

/// As `ip link` writes it.
[[nodiscard]] std::string to_string(const MacAddress& mac);

/// What went wrong with an interface; for want of a permission, what is needed.
[[nodiscard]] std::string interface_error(const std::string& name, const std::string& what, int error_number);

}  // namespace captures::port
