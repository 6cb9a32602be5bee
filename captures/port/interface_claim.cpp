#include "captures/port/interface_claim.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include <sys/socket.h>
#include <sys/un.h>

#include "captures/port/interface.hpp"

namespace captures::port {

tl::expected<InterfaceClaim, std::string> InterfaceClaim::of(const std::string& interface) {
    base::FileDescriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const auto name = "portcullis/" + interface;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto length = std::min(name.size(), sizeof address.sun_path - 1);
    std::copy_n(name.data(), length, address.sun_path + 1);  // after a 0: it is no file's
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
    if (socket && bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), size) == 0) {
        return InterfaceClaim{std::move(socket)};
    }
    if (errno != EADDRINUSE) return tl::unexpected{interface_error(interface, "cannot be claimed", errno)};
    return tl::unexpected{"interface " + interface + " is another gateway's; `ss -xp` tells which process has @" +
                          name};
}

}  // namespace captures::port
