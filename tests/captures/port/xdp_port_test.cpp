#include "captures/port/xdp_port.hpp"

#include <array>
#include <boost/test/data/test_case.hpp>
#include <csignal>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "captures/port/interface.hpp"
#include "captures/port/xdp_program.hpp"
#include "tests/support/port_behaviour.hpp"

namespace xdp_port_test {

using Offloads = support::VethLab::Offloads;

const support::OpenPort open_port = captures::port::open_xdp_port;

/// Why it cannot be opened.
std::string refusal(const support::VethLab& lab, const std::string& interface) {
    const auto entered = lab.gateway.enter();
    const auto port = open_port(interface);
    return port ? "" : port.error();
}

bool has_program(const support::VethLab& lab) {
    return lab.gateway.status_of("ip link show outside | grep -q xdp") == 0;
}

}  // namespace xdp_port_test

BOOST_AUTO_TEST_SUITE(xdp_port_test, *boost::unit_test::precondition(support::may_make_namespaces))

BOOST_DATA_TEST_CASE(is_a_port, support::port_behaviours(), behaviour) { behaviour.holds(open_port); }

BOOST_AUTO_TEST_CASE(segments_of_a_peer_arrive_cut_and_leave_complete) {
    const support::VethLab lab{Offloads::on};
    const auto crossing = support::cross_by_stream(lab, open_port, 4 << 20);
    BOOST_TEST(crossing.complete);
    BOOST_TEST(crossing.saw_partial);  // or this proves nothing
    BOOST_TEST(crossing.largest <= 1514U);
    BOOST_TEST(crossing.arrivals.partial == 0);
    BOOST_TEST(crossing.arrivals.wrong == 0);
    BOOST_TEST(crossing.outside.not_received == 0U);
}

BOOST_AUTO_TEST_CASE(datagrams_of_a_batch_arrive_cut) {
    const support::VethLab lab{Offloads::on};
    const auto crossing = support::cross_by_datagrams(lab, open_port, 1000, 700, 10);
    BOOST_TEST(crossing.complete);
    BOOST_TEST(crossing.largest <= 742U);
    BOOST_TEST(crossing.arrivals.wrong == 0);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_into_half_a_page_is_carried) {
    const support::VethLab lab{Offloads::on, 3000};
    const auto crossing = support::cross_by_datagrams(lab, open_port, 500, 2900, 1);
    BOOST_TEST(crossing.complete);
    BOOST_TEST(crossing.largest == 2942U);
}

BOOST_AUTO_TEST_CASE(hears_every_queue) {
    const support::VethLab lab{Offloads::on};
    if (lab.gateway.status_of("ethtool -L outside rx 2 tx 2") != 0) return;  // a machine of one processor
    lab.client.run("ethtool -L eth0 rx 2 tx 2");
    const auto port = support::opened(open_port, lab.gateway, "outside");
    constexpr int count = 200;
    for (std::uint16_t flow = 0; flow < count; ++flow) {
        const auto sender = lab.client.socket(AF_INET, SOCK_DGRAM);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(support::VethLab::server_address);
        to.sin_port = htons(static_cast<std::uint16_t>(7000 + flow));
        BOOST_REQUIRE(sendto(sender.number(), "?", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1);
    }
    captures::packet::Burst burst;
    std::size_t received = 0;
    for (pollfd ready{port->descriptor(), POLLIN, 0}; received < count && poll(&ready, 1, 1000) == 1;) {
        received += port->receive(burst.frames);
    }
    BOOST_TEST(received == count);
    for (const char* queue : {"0", "1"}) {
        lab.gateway.run("ethtool -S outside | grep -q 'rx_queue_" + std::string{queue} + "_xdp_packets: [1-9]'");
    }
}

BOOST_AUTO_TEST_CASE(leaves_nothing_behind) {
    const support::VethLab lab{Offloads::on};
    {
        const auto port = support::opened(open_port, lab.gateway, "outside");
        BOOST_TEST(has_program(lab));
    }
    BOOST_TEST(!has_program(lab));
}

BOOST_AUTO_TEST_CASE(a_killed_process_leaves_nothing_behind) {
    const support::VethLab lab{Offloads::on};
    const pid_t child = fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        const auto port = support::opened(open_port, lab.gateway, "outside");
        raise(has_program(lab) ? SIGKILL : SIGTERM);
    }
    int status = 0;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_REQUIRE(WIFSIGNALED(status));
    BOOST_TEST(WTERMSIG(status) == SIGKILL);
    BOOST_TEST(!has_program(lab));
    BOOST_TEST(refusal(lab, "outside").empty());
}

BOOST_AUTO_TEST_CASE(leaves_a_program_of_somebody_else_alone) {
    const support::VethLab lab{Offloads::on};
    const auto entered = lab.gateway.enter();
    const auto interface = captures::port::find_interface("outside");
    BOOST_REQUIRE(interface);
    const auto theirs = captures::port::XdpProgram::attach(*interface);
    BOOST_REQUIRE(theirs);
    BOOST_TEST(theirs->is_native());
    BOOST_TEST(refusal(lab, "outside").find("interface outside has an XDP program of somebody else") == 0U);
    BOOST_TEST(has_program(lab));
}

BOOST_AUTO_TEST_CASE(refuses_frames_that_fit_into_no_chunk) {
    const support::VethLab lab{Offloads::on, 9000};
    BOOST_TEST(
        refusal(lab, "outside") ==
        "interface outside: the xdp driver carries frames of at most 3840 bytes; `ip link set outside mtu 3818`, or "
        "another driver");
}

BOOST_AUTO_TEST_SUITE_END()
