#include "tests/support/port_behaviour.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/udp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "captures/packet/packet.hpp"
#include "captures/port/interface.hpp"
#include "captures/port/offload.hpp"
#include "captures/port/vnet_header.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/packet_checks.hpp"
#include "tests/support/port_arrivals.hpp"

namespace support {

namespace {

using captures::base::FileDescriptor;
using captures::packet::Frame;
using captures::port::Port;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::uint16_t service = 5001;

template <class Address>
const sockaddr* as_socket_address(const Address& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

sockaddr_in endpoint(std::uint32_t address, std::uint16_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_addr.s_addr = htonl(address);
    made.sin_port = htons(port);
    return made;
}

/// Looks at what arrives on an interface as the kernel of that host gets it.
class Listener {
public:
    Listener(const NetworkNamespace& where, const std::string& interface) : socket_(packet_socket(where, interface)) {
        set(SOL_PACKET, PACKET_VNET_HDR, 1);
        set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
        set(SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20);
    }

    void listen(Arrivals& arrivals) {
        for (;;) {
            const auto got = recv(socket_.number(), memory_.data(), memory_.size(), 0);
            if (got < static_cast<ssize_t>(sizeof(captures::port::VnetHeader) + 14)) return;
            look_at({memory_.data(), static_cast<std::size_t>(got)}, arrivals);
        }
    }

private:
    void set(int level, int option, int value) const {
        BOOST_REQUIRE(setsockopt(socket_.number(), level, option, &value, sizeof value) == 0);
    }

    static void look_at(std::span<std::byte> bytes, Arrivals& arrivals) {
        captures::port::VnetHeader header;
        std::memcpy(&header, bytes.data(), sizeof header);
        Frame frame;
        frame.data = bytes.data() + sizeof header;
        frame.captured = frame.length = static_cast<std::uint32_t>(bytes.size() - sizeof header);
        const auto packet = captures::packet::decode(frame);
        if (!packet.is_segment() || packet.is_fragmented()) return;
        ++arrivals.frames;
        arrivals.largest = std::max<std::size_t>(arrivals.largest, frame.captured);
        const bool partial = (header.flags & captures::port::VnetHeader::needs_checksum) != 0;
        arrivals.partial += partial ? 1 : 0;
        const bool right = partial ? captures::port::looks_partial(frame) : checksums_hold({frame, packet}).empty();
        arrivals.wrong += right ? 0 : 1;
    }

    FileDescriptor socket_;
    std::vector<std::byte> memory_ = std::vector<std::byte>(1 << 18);
};

/// Forwards between two ports of a lab until `done`, at most five minutes.
template <class Done>
Crossing forward_until(const VethLab& lab, const OpenPort& open, const Done& done) {
    const auto outside = opened(open, lab.gateway, "outside");
    const auto inside = opened(open, lab.gateway, "inside");
    Forwarder forwarder{*outside, *inside};
    Listener listener{lab.server, "eth0"};
    Crossing crossing;
    const auto end = Clock::now() + 5min;
    while (!crossing.complete && Clock::now() < end) {
        const auto moved = forwarder.step();
        listener.listen(crossing.arrivals);
        crossing.complete = done();
        if (moved == 0 && !crossing.complete) forwarder.wait(5ms);
    }
    crossing.saw_partial = forwarder.saw_partial;
    crossing.largest = forwarder.largest;
    crossing.outside = outside->numbers();
    crossing.inside = inside->numbers();
    BOOST_TEST(outside->works());
    BOOST_TEST(inside->works());
    return crossing;
}

/// A host's end of a connection: sends and receives bytes that follow from their position.
struct End {
    FileDescriptor socket;
    std::size_t sent = 0;
    std::size_t received = 0;
    bool intact = true;

    static std::byte at(std::size_t position) { return static_cast<std::byte>(position * 2654435761U >> 13U); }

    void work(std::size_t bytes) {
        static std::array<std::byte, 1 << 16> buffer;
        while (sent < bytes) {
            const auto size = std::min(buffer.size(), bytes - sent);
            for (std::size_t i = 0; i < size; ++i) buffer[i] = at(sent + i);
            const auto done = ::send(socket.number(), buffer.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (done <= 0) break;
            sent += static_cast<std::size_t>(done);
        }
        for (;;) {
            const auto done = recv(socket.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (done <= 0) break;
            for (std::size_t i = 0; i < static_cast<std::size_t>(done); ++i) {
                intact = intact && buffer[i] == at(received + i);
            }
            received += static_cast<std::size_t>(done);
        }
    }
};

/// The next frame that a host sent with this first payload byte; others are ignored.
bool arrives(Port& port, std::byte mark, Frame& found, std::chrono::milliseconds most = 2min) {
    static captures::packet::Burst burst;
    const auto end = Clock::now() + most;
    do {
        burst.count = port.receive(burst.frames);
        for (const auto& frame : burst.view()) {
            if (frame.captured >= 60 && frame.data[frame.captured - 1] == mark) {
                found = frame;
                return true;
            }
        }
        pollfd ready{port.descriptor(), POLLIN, 0};
        static_cast<void>(poll(&ready, 1, 10));
    } while (Clock::now() < end && port.works());
    return false;
}

/// A UDP frame from the client's address to its gateway, ending in `mark`.
OwnedFrame marked(std::byte mark) {
    return udp("10.1.0.2:1000", "10.2.0.2:2000").payload(std::vector<std::byte>(40, mark)).build();
}

}  // namespace

std::unique_ptr<Port> opened(const OpenPort& open, const NetworkNamespace& where, const std::string& interface) {
    const auto entered = where.enter();
    auto port = open(interface);
    BOOST_REQUIRE_MESSAGE(port.has_value(), (port ? "" : port.error()));
    return std::move(*port);
}

Crossing cross_by_stream(const VethLab& lab, const OpenPort& open, std::size_t bytes) {
    const auto listening = lab.server.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    const auto address = endpoint(VethLab::server_address, service);
    BOOST_REQUIRE(bind(listening.number(), as_socket_address(address), sizeof address) == 0);
    BOOST_REQUIRE(listen(listening.number(), 1) == 0);
    End client{lab.client.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK)};
    static_cast<void>(connect(client.socket.number(), as_socket_address(address), sizeof address));
    End server;
    return forward_until(lab, open, [&] {
        if (!server.socket) server.socket = FileDescriptor{accept(listening.number(), nullptr, nullptr)};
        if (!server.socket) return false;
        client.work(bytes);
        server.work(bytes);
        return client.received == bytes && server.received == bytes && client.intact && server.intact;
    });
}

Crossing cross_by_datagrams(const VethLab& lab, const OpenPort& open, int count, std::size_t size, int at_once) {
    const auto server = lab.server.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);
    const auto address = endpoint(VethLab::server_address, service);
    BOOST_REQUIRE(bind(server.number(), as_socket_address(address), sizeof address) == 0);
    const auto client = lab.client.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);
    BOOST_REQUIRE(connect(client.number(), as_socket_address(address), sizeof address) == 0);
    const int segment = at_once > 1 ? static_cast<int>(size) : 0;
    BOOST_REQUIRE(setsockopt(client.number(), IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0);
    int sent = 0;
    int received = 0;
    std::vector<std::byte> buffer(size * static_cast<std::size_t>(at_once));
    return forward_until(lab, open, [&] {
        // Not more than a few on their way, for no queue to overflow.
        if (sent < count && sent - received < 4 * at_once) {
            for (int i = 0; i < at_once; ++i) {
                std::fill_n(buffer.begin() + static_cast<std::ptrdiff_t>(size) * i, size,
                            static_cast<std::byte>(sent + i));
            }
            if (::send(client.number(), buffer.data(), buffer.size(), 0) > 0) sent += at_once;
        }
        std::array<std::byte, 1 << 16> datagram;
        for (;;) {
            const auto got = recv(server.number(), datagram.data(), datagram.size(), 0);
            if (got < 0) break;
            BOOST_REQUIRE(static_cast<std::size_t>(got) == size);
            BOOST_REQUIRE(datagram[size - 1] == static_cast<std::byte>(received));
            ++received;
        }
        return received == count;
    });
}

static void carries_a_stream(const OpenPort& open, VethLab::Offloads offloads) {
    const VethLab lab{offloads};
    const auto crossing = cross_by_stream(lab, open, 16 << 20);
    BOOST_TEST(crossing.complete);
    BOOST_TEST(crossing.arrivals.frames > 0);
    BOOST_TEST(crossing.arrivals.wrong == 0);
    BOOST_TEST(crossing.outside.received > 0U);
    BOOST_TEST(crossing.outside.received_bytes > 16U << 20U);
    BOOST_TEST(crossing.inside.sent_bytes > 16U << 20U);
    BOOST_TEST(crossing.outside.not_sent + crossing.inside.not_sent == 0U);
    if (offloads == VethLab::Offloads::off) {
        BOOST_TEST(crossing.largest <= 1514U);
    }
}

static void carries_datagrams(const OpenPort& open, VethLab::Offloads offloads) {
    const VethLab lab{offloads};
    const auto crossing = cross_by_datagrams(lab, open, 5000, 700, 1);
    BOOST_TEST(crossing.complete);
    BOOST_TEST(crossing.arrivals.frames >= 5000);
    BOOST_TEST(crossing.arrivals.wrong == 0);
    BOOST_TEST(crossing.outside.received >= 5000U);
    BOOST_TEST(crossing.inside.sent >= 5000U);
}

static void carries_fragments(const OpenPort& open) {
    const VethLab lab{VethLab::Offloads::on};
    const auto crossing = cross_by_datagrams(lab, open, 50, 20000, 1);
    BOOST_TEST(crossing.complete);
    BOOST_TEST(crossing.outside.received >= 50U * 14U);
}

static void tells_of_a_lost_interface(const OpenPort& open) {
    const VethLab lab{VethLab::Offloads::on};
    const auto sender = packet_socket(lab.client, "eth0");
    const auto send_marked = [&](std::byte mark) {
        auto frame = marked(mark);
        const auto sent = [&] { return ::send(sender.number(), frame.bytes().data(), frame.bytes().size(), 0) > 0; };
        // NOLINTNEXTLINE(misc-redundant-expression): the first tells that the sender's interface was down
        return sent() || sent();
    };
    auto port = opened(open, lab.gateway, "outside");
    Frame found;
    BOOST_REQUIRE(send_marked(std::byte{1}));
    BOOST_TEST(arrives(*port, std::byte{1}, found));

    // The cable is pulled and put back: nothing to tell of.
    lab.client.run("ip link set eth0 down");
    BOOST_TEST(!arrives(*port, std::byte{1}, found, 50ms));
    lab.client.run("ip link set eth0 up");
    BOOST_TEST(send_marked(std::byte{2}));
    BOOST_TEST(arrives(*port, std::byte{2}, found));
    BOOST_TEST(port->works());

    for (const char* loss : {"ip link set outside down", "ip link del outside"}) {
        BOOST_TEST_CONTEXT(loss) {
            lab.gateway.run(loss);
            pollfd ready{port->descriptor(), POLLIN, 0};
            BOOST_TEST(poll(&ready, 1, 1000) == 1);
            captures::packet::Burst burst;
            for (int i = 0; i < 100 && port->works(); ++i) burst.count = port->receive(burst.frames);
            BOOST_TEST(!port->works());
            auto frame = marked(std::byte{3});
            port->send(frame.frame());
            port->flush();
            BOOST_TEST(port->numbers().not_sent == 1U);
            BOOST_TEST(port->receive(burst.frames) == 0U);
            const auto entered = lab.gateway.enter();
            BOOST_TEST(!open("outside"));
        }
        if (lab.gateway.status_of("ip link set outside up 2>/dev/null") != 0) break;
        port.reset();  // some drivers have an interface to themselves
        port = opened(open, lab.gateway, "outside");
        BOOST_TEST(send_marked(std::byte{4}));
        BOOST_TEST(arrives(*port, std::byte{4}, found));
    }
}

static void refuses_what_cannot_be_opened(const OpenPort& open) {
    const VethLab lab{VethLab::Offloads::on};
    lab.gateway.run("ip link set inside down");
    const auto entered = lab.gateway.enter();
    const auto says = [&](const std::string& interface, const std::string& words) {
        const auto port = open(interface);
        BOOST_REQUIRE(!port);
        BOOST_TEST(port.error().find(words) != std::string::npos, port.error());
    };
    says("nowhere", "there is no interface nowhere");
    says("", "there is no interface without a name");
    says(std::string(300, 'x'), "there is no interface xxx");
    says("lo", "interface lo is not Ethernet");
    says("inside", "interface inside is down; `ip link set inside up` brings it up");
}

static void leaves_its_own_frames_out(const OpenPort& open) {
    const VethLab lab{VethLab::Offloads::on};
    const auto port = opened(open, lab.gateway, "outside");
    auto frame = marked(std::byte{7});
    BOOST_TEST(port->send(frame.frame()));
    port->flush();
    Frame found;
    BOOST_TEST(!arrives(*port, std::byte{7}, found, 50ms));
    BOOST_TEST(port->numbers().sent == 1U);
    BOOST_TEST(port->numbers().sent_bytes == frame.bytes().size());
}

static void wakes_whoever_waits(const OpenPort& open) {
    const VethLab lab{VethLab::Offloads::on};
    const auto port = opened(open, lab.gateway, "outside");
    const auto sender = packet_socket(lab.client, "eth0");
    captures::packet::Burst burst;
    while (port->receive(burst.frames) > 0) {
    }
    pollfd ready{port->descriptor(), POLLIN, 0};
    BOOST_TEST(poll(&ready, 1, 20) == 0);  // idle is idle
    for (int round = 0; round < 50; ++round) {
        auto frame = marked(std::byte{5});
        BOOST_REQUIRE(::send(sender.number(), frame.bytes().data(), frame.bytes().size(), 0) > 0);
        BOOST_REQUIRE(poll(&ready, 1, 1000) == 1);
        Frame found;
        BOOST_REQUIRE(arrives(*port, std::byte{5}, found));
        BOOST_TEST(found.captured == frame.bytes().size());
        BOOST_TEST(found.length == found.captured);
        BOOST_TEST(std::equal(frame.bytes().begin(), frame.bytes().end(), found.data));
    }
}

static void keeps_vlan_tags(const OpenPort& open) {
    const VethLab lab{VethLab::Offloads::on};
    const auto port = opened(open, lab.gateway, "outside");
    const auto sender = packet_socket(lab.client, "eth0");
    for (const auto& frame :
         {udp("10.1.0.2:1", "10.2.0.2:2").vlan(77).payload(std::vector<std::byte>(40, std::byte{6})).build(),
          udp("10.1.0.2:1", "10.2.0.2:2").qinq(5, 6).payload(std::vector<std::byte>(40, std::byte{6})).build()}) {
        BOOST_REQUIRE(::send(sender.number(), frame.bytes().data(), frame.bytes().size(), 0) > 0);
        Frame found;
        BOOST_REQUIRE(arrives(*port, std::byte{6}, found));
        BOOST_TEST(std::equal(frame.bytes().begin(), frame.bytes().end(), found.data, found.data + found.captured));
    }
}

const std::vector<PortBehaviour>& port_behaviours() {
    using Offloads = VethLab::Offloads;
    static const std::vector<PortBehaviour> all{
        {"carries a stream, offloads on", [](const OpenPort& open) { carries_a_stream(open, Offloads::on); }},
        {"carries a stream, offloads off", [](const OpenPort& open) { carries_a_stream(open, Offloads::off); }},
        {"carries datagrams, offloads on", [](const OpenPort& open) { carries_datagrams(open, Offloads::on); }},
        {"carries datagrams, offloads off", [](const OpenPort& open) { carries_datagrams(open, Offloads::off); }},
        {"carries fragments", carries_fragments},
        {"tells of a lost interface", tells_of_a_lost_interface},
        {"refuses what cannot be opened", refuses_what_cannot_be_opened},
        {"leaves its own frames out", leaves_its_own_frames_out},
        {"wakes whoever waits", wakes_whoever_waits},
        {"keeps VLAN tags", keeps_vlan_tags},
        {"hears all in the order of their arrival", hears_all_in_the_order_of_their_arrival},
        {"hears connections beside a flood", hears_connections_beside_a_flood},
        {"hears what is cut short", hears_what_is_cut_short},
    };
    return all;
}

}  // namespace support
