#include "captures/port/packet_ring.hpp"

#include <array>
#include <boost/test/data/test_case.hpp>

#include <arpa/inet.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "captures/base/file_descriptor.hpp"
#include "tests/support/port_behaviour.hpp"

namespace packet_ring_test {

using Offloads = support::VethLab::Offloads;

const support::OpenPort open_port = captures::port::open_packet_ring;

/// Datagrams from the client, which nobody receives but the port.
class Sender {
public:
    explicit Sender(const support::VethLab& lab) : socket_(lab.client.socket(AF_INET, SOCK_DGRAM)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(support::VethLab::server_address);
        address.sin_port = htons(9);
        BOOST_REQUIRE(connect(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }

    /// `segment` bytes of it are a datagram, if not 0.
    void send(std::size_t size, int segment) const {
        static const std::array<std::byte, 1 << 16> zeros{};
        BOOST_REQUIRE(setsockopt(socket_.number(), IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0);
        BOOST_REQUIRE(::send(socket_.number(), zeros.data(), size, 0) == static_cast<ssize_t>(size));
    }

private:
    captures::base::FileDescriptor socket_;
};

}  // namespace packet_ring_test

BOOST_AUTO_TEST_SUITE(packet_ring_test, *boost::unit_test::precondition(support::may_make_namespaces))

BOOST_DATA_TEST_CASE(is_a_port, support::port_behaviours(), behaviour) { behaviour.holds(open_port); }

BOOST_AUTO_TEST_CASE(super_frames_leave_as_they_came) {
    const support::VethLab lab{Offloads::on};
    const auto crossing = support::cross_by_stream(lab, open_port, 16 << 20);
    BOOST_TEST(crossing.complete);
    BOOST_TEST(crossing.largest > 60000U);
    BOOST_TEST(crossing.saw_partial);
    BOOST_TEST(crossing.arrivals.largest > 60000U);
    BOOST_TEST(crossing.arrivals.partial > 0);
    BOOST_TEST(crossing.arrivals.wrong == 0);
    BOOST_TEST(crossing.outside.not_received + crossing.inside.not_received == 0U);
}

BOOST_AUTO_TEST_CASE(what_an_interface_cannot_do_the_kernel_does_before_it) {
    // A lab each: what TCP sends again when the stream is over would be taken for a datagram.
    const support::VethLab lab_of_stream{Offloads::on};
    const support::VethLab lab_of_datagrams{Offloads::on};
    for (const auto* lab : {&lab_of_stream, &lab_of_datagrams}) {
        lab->gateway.run("ethtool -K inside tx off tso off gso off >/dev/null");
    }
    const auto stream = support::cross_by_stream(lab_of_stream, open_port, 4 << 20);
    BOOST_TEST(stream.complete);
    BOOST_TEST(stream.largest > 10000U);
    BOOST_TEST(stream.arrivals.largest <= 1514U);
    BOOST_TEST(stream.arrivals.partial == 0);
    BOOST_TEST(stream.arrivals.wrong == 0);
    const auto datagrams = support::cross_by_datagrams(lab_of_datagrams, open_port, 1000, 1200, 20);
    BOOST_TEST(datagrams.complete);
    BOOST_TEST(datagrams.largest > 20000U);
    BOOST_TEST(datagrams.arrivals.largest == 1242U);
    BOOST_TEST(datagrams.arrivals.wrong == 0);
}

BOOST_AUTO_TEST_CASE(datagrams_that_were_never_cut_leave_as_they_came) {
    const support::VethLab lab{Offloads::on};
    const auto crossing = support::cross_by_datagrams(lab, open_port, 1000, 1200, 20);
    BOOST_TEST(crossing.complete);
    BOOST_TEST(crossing.largest == 42U + 20U * 1200U);
    BOOST_TEST(crossing.arrivals.largest == crossing.largest);
    BOOST_TEST(crossing.arrivals.wrong == 0);
    BOOST_TEST(crossing.outside.received < 100U);
    BOOST_TEST(crossing.outside.not_received == 0U);
}

BOOST_AUTO_TEST_CASE(wires_of_any_mtu_are_carried) {
    for (const int mtu : {576, 9000, 65535}) {
        BOOST_TEST_CONTEXT("MTU " << mtu) {
            for (const auto offloads : {Offloads::off, Offloads::on}) {
                const support::VethLab lab{offloads, mtu};
                const auto crossing = support::cross_by_stream(lab, open_port, 1 << 20);
                BOOST_TEST(crossing.complete);
                BOOST_TEST(crossing.arrivals.wrong == 0);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_comes_too_fast_is_lost_and_counted) {
    const support::VethLab lab{Offloads::on};
    const auto port = support::opened(open_port, lab.gateway, "outside");
    const Sender sender{lab};
    constexpr int sent = 12000;  // more than there are slots, and far more than are queued whole
    for (int i = 0; i < sent; ++i) sender.send(20000, 1000);
    captures::packet::Burst burst;
    std::size_t received = 0;
    while ((burst.count = port->receive(burst.frames)) > 0) received += burst.count;
    const auto numbers = port->numbers();
    BOOST_TEST(received > 100U);
    BOOST_TEST(received < 10000U);
    BOOST_TEST(received + numbers.not_received == std::size_t{sent});
    BOOST_TEST(numbers.received == received);
    BOOST_TEST(port->numbers().not_received == numbers.not_received);

    // And it goes on.
    sender.send(20, 0);
    sender.send(5000, 1000);
    burst.count = port->receive(burst.frames);
    BOOST_REQUIRE(burst.count == 2U);
    BOOST_TEST(burst.frames[0].captured == 62U);
    BOOST_TEST(burst.frames[1].captured == 5042U);
    BOOST_TEST(burst.frames[1].offload.segment_size == 1000U);
}

BOOST_AUTO_TEST_SUITE_END()
