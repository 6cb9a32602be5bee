#include "tests/support/veth_lab.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include "captures/base/bytes.hpp"

namespace support {

namespace {

captures::base::FileDescriptor current_namespace() {
    return captures::base::FileDescriptor{open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
}

void demand(bool success, const char* what) {
    if (!success) throw std::system_error{errno, std::generic_category(), what};
}

constexpr std::uint64_t client_station = 0x020000000102;
constexpr std::uint64_t server_station = 0x020000000202;

void store_mac(std::byte* to, std::uint64_t station) {
    for (int shift = 40; shift >= 0; shift -= 8)
        captures::base::store_u8(to++, static_cast<std::uint8_t>(station >> shift));
}

}  // namespace

boost::test_tools::assertion_result may_make_namespaces(boost::unit_test::test_unit_id /*id*/) {
    try {
        const NetworkNamespace probe;
        if (probe.status_of(
                "ip link add probe0 type veth peer name probe1 2>/dev/null && command -v ethtool >/dev/null") == 0) {
            return true;
        }
    } catch (const std::system_error&) {
    }
    boost::test_tools::assertion_result skipped{false};
    skipped.message() << "needs root, network namespaces, veth, ip and ethtool";
    return skipped;
}

NetworkNamespace::NetworkNamespace() {
    const auto before = current_namespace();
    demand(unshare(CLONE_NEWNET) == 0, "unshare");
    descriptor_ = current_namespace();
    demand(setns(before.number(), CLONE_NEWNET) == 0, "setns");
    // Hosts that talk on their own accord are noise.
    static_cast<void>(status_of("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; ip link set lo up"));
}

NetworkNamespace::Entered::Entered(int target) : before_(current_namespace()) {
    demand(setns(target, CLONE_NEWNET) == 0, "setns");
}

NetworkNamespace::Entered::~Entered() { static_cast<void>(setns(before_.number(), CLONE_NEWNET)); }

int NetworkNamespace::status_of(const std::string& command) const {
    const auto entered = enter();
    return std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe): the shell is wanted
}

void NetworkNamespace::run(const std::string& command) const {
    if (status_of(command) != 0) throw std::runtime_error{"failed: " + command};
}

captures::base::FileDescriptor NetworkNamespace::socket(int domain, int type, int protocol) const {
    const auto entered = enter();
    captures::base::FileDescriptor made{::socket(domain, type | SOCK_CLOEXEC, protocol)};
    demand(made.number() >= 0, "socket");
    return made;
}

std::string NetworkNamespace::path() const {
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(descriptor_.number());
}

captures::base::FileDescriptor packet_socket(const NetworkNamespace& where, const std::string& interface) {
    auto made = where.socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    const auto entered = where.enter();
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    demand(bind(made.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
    return made;
}

VethLab::VethLab(Offloads offloads, int mtu) {
    const auto join = [&](const NetworkNamespace& host, const std::string& port, const std::string& net,
                          const std::string& other) {
        const auto station = "02:00:00:00:0" + net;
        gateway.run("ip link add " + port + " mtu " + std::to_string(mtu) + " address " + station +
                    ":01 type veth peer name eth0 mtu " + std::to_string(mtu) + " address " + station + ":02 netns " +
                    host.path());
        const std::string features = " tx off rx off tso off gso off gro off >/dev/null";
        if (offloads == Offloads::off) {
            gateway.run("ethtool -K " + port + features);
            host.run("ethtool -K eth0" + features);
        }
        gateway.run("ip link set " + port + " up");
        host.run("ip addr add 10." + net + ".0.2/24 dev eth0 && ip link set eth0 up");
        host.run("ip neigh add 10." + net + ".0.1 dev eth0 nud permanent lladdr " + station + ":01");
        host.run("ip route add 10." + other + ".0.0/24 via 10." + net + ".0.1");
    };
    join(client, "outside", "1", "2");
    join(server, "inside", "2", "1");
    // An interface that is just up still loses what is sent, without a word, until the kernel has noticed its carrier.
    const std::string wait = "; do sleep 0.02; done";
    for (const auto* port : {"outside", "inside"}) {
        gateway.run("until ip link show " + std::string{port} + " | grep -q 'state UP'" + wait);
    }
    for (const auto* host : {&client, &server}) host->run("until ip link show eth0 | grep -q 'state UP'" + wait);
}

std::size_t Forwarder::step() { return move(outside_, inside_, true) + move(inside_, outside_, false); }

std::size_t Forwarder::move(captures::port::Port& from, captures::port::Port& to, bool inwards) {
    burst_.count = from.receive(burst_.frames);
    for (const auto& frame : burst_.view()) {
        if (captures::base::load_be16(frame.data + 12) == 0x0806) continue;  // ARP is between neighbours
        saw_partial = saw_partial || frame.offload.partial_checksum;
        largest = std::max(largest, frame.captured);
        store_mac(frame.data, inwards ? server_station : client_station);
        store_mac(frame.data + 6, inwards ? 0x020000000201 : 0x020000000101);
        to.send(frame);
    }
    to.flush();
    return burst_.count;
}

void Forwarder::wait(std::chrono::milliseconds most) {
    std::array<pollfd, 2> ports{{{outside_.descriptor(), POLLIN, 0}, {inside_.descriptor(), POLLIN, 0}}};
    static_cast<void>(poll(ports.data(), ports.size(), static_cast<int>(most.count())));
}

}  // namespace support
