#include "captures/port/interface.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "captures/base/bytes.hpp"
#include "captures/base/file_descriptor.hpp"

namespace captures::port {

namespace {

/// Requests about one interface.
class Requests {
public:
    explicit Requests(const std::string& name) : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        std::memcpy(request_.ifr_name, name.data(), std::min(name.size(), sizeof request_.ifr_name - 1));
    }

    /// The answer, or null with errno set.
    [[nodiscard]] const ifreq* ask(unsigned long what) {
        return ioctl(socket_.number(), what, &request_) == 0 ? &request_ : nullptr;
    }
    template <class Command>
    [[nodiscard]] bool ethtool(Command& command) {
        request_.ifr_data = reinterpret_cast<char*>(&command);
        return ioctl(socket_.number(), SIOCETHTOOL, &request_) == 0;
    }

private:
    base::FileDescriptor socket_;
    ifreq request_{};
};

std::vector<base::Ipv4Address> addresses_of(const std::string& name) {
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner{all, freeifaddrs};
    std::vector<base::Ipv4Address> found;
    for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
        if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET || name != each->ifa_name) continue;
        sockaddr_in address{};
        std::memcpy(&address, each->ifa_addr, sizeof address);
        found.push_back({ntohl(address.sin_addr.s_addr)});
    }
    return found;
}

}  // namespace

tl::expected<Interface, std::string> find_interface(const std::string& name) {
    Interface found;
    found.name = name;
    Requests requests{name};
    const ifreq* answer = nullptr;
    if (name.empty() || name.size() >= IFNAMSIZ || (answer = requests.ask(SIOCGIFINDEX)) == nullptr) {
        return tl::unexpected("there is no interface " + (name.empty() ? "without a name" : name) +
                              "; `ip link` lists those that there are");
    }
    found.index = answer->ifr_ifindex;
    if ((answer = requests.ask(SIOCGIFHWADDR)) == nullptr) {
        return tl::unexpected(interface_error(name, "cannot learn its address", errno));
    }
    if (answer->ifr_hwaddr.sa_family != ARPHRD_ETHER) {
        return tl::unexpected("interface " + name + " is not Ethernet; others cannot be used");
    }
    std::memcpy(found.mac.data(), answer->ifr_hwaddr.sa_data, found.mac.size());
    if ((answer = requests.ask(SIOCGIFMTU)) == nullptr) {
        return tl::unexpected(interface_error(name, "cannot learn its MTU", errno));
    }
    found.mtu = static_cast<std::uint32_t>(answer->ifr_mtu);
    if ((answer = requests.ask(SIOCGIFFLAGS)) == nullptr) {
        return tl::unexpected(interface_error(name, "cannot learn its state", errno));
    }
    const auto flags = static_cast<unsigned>(answer->ifr_flags);
    found.up = (flags & IFF_UP) != 0;
    found.running = (flags & IFF_RUNNING) != 0;

    ethtool_drvinfo driver{};
    driver.cmd = ETHTOOL_GDRVINFO;
    if (requests.ethtool(driver)) found.driver = driver.driver;
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    if (requests.ethtool(channels)) {
        found.receive_queues = std::max(1U, channels.rx_count + channels.combined_count);
    }
    found.addresses = addresses_of(name);
    return found;
}

tl::expected<Interface, std::string> find_usable_interface(const std::string& name) {
    auto found = find_interface(name);
    if (found && !found->up) {
        return tl::unexpected("interface " + name + " is down; `ip link set " + name + " up` brings it up");
    }
    return found;
}

std::string to_string(const MacAddress& mac) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const auto byte : mac) {
        if (!text.empty()) text += ':';
        text += digits[std::to_integer<std::size_t>(byte >> 4)];
        text += digits[std::to_integer<std::size_t>(byte & std::byte{0xf})];
    }
    return text;
}

std::string interface_error(const std::string& name, const std::string& what, int error_number) {
    std::string text = "interface " + name + ": " + what + ": " + std::generic_category().message(error_number);
    if (error_number == EPERM || error_number == EACCES) {
        text +=
            "; needs CAP_NET_RAW and CAP_NET_ADMIN: run as root, or give them by AmbientCapabilities= in the "
            "systemd unit or by setcap(8)";
    }
    return text;
}

}  // namespace captures::port
