#include "tests/support/port_arrivals.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include "tests/support/packet_builder.hpp"

namespace support {

namespace {

using captures::port::Port;

constexpr const char* client = "10.1.0.2:1000";
constexpr const char* server = "10.2.0.2:2000";

class Sender {
public:
    explicit Sender(const VethLab& lab) : socket_(packet_socket(lab.client, "eth0")) {}

    void send(std::span<const std::byte> frame) const {
        while (::send(socket_.number(), frame.data(), frame.size(), 0) < 0) {
            BOOST_REQUIRE((errno == EAGAIN || errno == ENOBUFS));
            pollfd ready{socket_.number(), POLLOUT, 0};
            BOOST_REQUIRE(poll(&ready, 1, 1000) == 1);
        }
    }
    void send(const PacketBuilder& packet) const { send(packet.build().bytes()); }

private:
    captures::base::FileDescriptor socket_;
};

using Bytes = std::vector<std::byte>;

void append(std::vector<Bytes>& all, Port& port) {
    static captures::packet::Burst burst;
    while ((burst.count = port.receive(burst.frames)) > 0) {
        for (const auto& frame : burst.view()) all.emplace_back(frame.data, frame.data + frame.captured);
    }
}

/// What the port hears of the client until there has been nothing for a while.
std::vector<Bytes> heard(Port& port) {
    std::vector<Bytes> all;
    append(all, port);
    for (pollfd ready{port.descriptor(), POLLIN, 0}; poll(&ready, 1, 100) == 1;) append(all, port);
    return all;
}

}  // namespace

void hears_all_in_the_order_of_their_arrival(const OpenPort& open) {
    const VethLab lab{VethLab::Offloads::on};
    const auto port = opened(open, lab.gateway, "outside");
    const Sender sender{lab};
    std::mt19937 random{5};
    std::vector<Bytes> sent;
    std::vector<Bytes> received;
    for (std::uint16_t number = 0; number < 3000; ++number) {
        const auto kind = random() % 4;
        auto packet = kind == 0 ? udp(client, server) : tcp(client, server);
        if (kind == 1) packet.syn();
        packet.ack().id(number).payload(Bytes(20, std::byte{1}));
        const auto frame = packet.build();
        sent.emplace_back(frame.bytes().begin(), frame.bytes().end());
        sender.send(frame.bytes());
        if (random() % 40 == 0) append(received, *port);
    }
    for (pollfd ready{port->descriptor(), POLLIN, 0}; received.size() < sent.size() && poll(&ready, 1, 1000) == 1;) {
        append(received, *port);
    }
    BOOST_TEST_REQUIRE(received.size() == sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) BOOST_TEST_REQUIRE((received[i] == sent[i]), "the " << i << "th");
}

void hears_connections_beside_a_flood(const OpenPort& open) {
    const VethLab lab{VethLab::Offloads::on};
    const auto port = opened(open, lab.gateway, "outside");
    const Sender sender{lab};
    const auto datagram = udp(client, server).payload(Bytes(20, std::byte{1})).build();
    const auto syn = tcp(client, server).syn().build();
    constexpr int flood = 10'000;  // of either
    constexpr std::uint16_t segments = 100;
    for (std::uint16_t number = 0; number < segments; ++number) {
        for (int i = 0; i < flood / segments; ++i) {
            sender.send(datagram.bytes());
            sender.send(syn.bytes());
        }
        sender.send(tcp(client, server).ack().seq(number).payload(Bytes(100, std::byte{2})));
    }
    const auto all = heard(*port);
    const auto of_the_connection = [](const Bytes& frame) { return frame.size() == 14 + 20 + 20 + 100; };
    BOOST_TEST(std::ranges::count_if(all, of_the_connection) == segments);
    const auto numbers = port->numbers();
    BOOST_TEST(numbers.not_received > 0U);  // or this proves nothing
    BOOST_TEST(numbers.received + numbers.not_received >= 2U * flood + segments);
}

void hears_what_is_cut_short(const OpenPort& open) {
    const VethLab lab{VethLab::Offloads::on};
    const auto port = opened(open, lab.gateway, "outside");
    const Sender sender{lab};
    static_cast<void>(heard(*port));
    for (const auto version_and_length : std::to_array<std::uint8_t>({0x45, 0x4f, 0x40})) {
        const auto whole =
            tcp(client, server).ack().ip_byte(0, version_and_length).payload(Bytes(60, std::byte{3})).build();
        std::size_t sent = 0;
        for (std::size_t size = 15; size <= whole.bytes().size(); ++size, ++sent) {
            sender.send(std::span{whole.bytes()}.first(size));
        }
        BOOST_TEST(heard(*port).size() == sent, "with 0x" << std::hex << int{version_and_length});
    }
}

}  // namespace support
