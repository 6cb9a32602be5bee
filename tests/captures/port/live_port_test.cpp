#include "captures/port/live_port.hpp"

#include <boost/test/data/test_case.hpp>

#include <sys/socket.h>

#include "tests/support/port_behaviour.hpp"

namespace live_port_test {

using Offloads = support::VethLab::Offloads;

const support::OpenPort open_port = captures::port::open_live_port;

}  // namespace live_port_test

BOOST_AUTO_TEST_SUITE(live_port_test, *boost::unit_test::precondition(support::may_make_namespaces))

BOOST_DATA_TEST_CASE(is_a_port, support::port_behaviours(), behaviour) { behaviour.holds(open_port); }

BOOST_AUTO_TEST_CASE(segments_that_were_never_cut_leave_as_segments) {
    const support::VethLab lab{Offloads::on};
    const auto crossing = support::cross_by_stream(lab, open_port, 4 << 20);
    BOOST_TEST(crossing.complete);
    BOOST_TEST(crossing.largest > 10000U);  // or this proves nothing
    BOOST_TEST(crossing.saw_partial);
    BOOST_TEST(crossing.arrivals.largest <= 1514U);
    BOOST_TEST(crossing.arrivals.partial == 0);
}

BOOST_AUTO_TEST_CASE(datagrams_whose_borders_nobody_knows_are_lost_and_counted) {
    const support::VethLab lab{Offloads::on};
    const auto sender = lab.client.socket(AF_INET, SOCK_DGRAM);
    const auto port = support::opened(open_port, lab.gateway, "outside");
    lab.client.run(
        "printf 'import socket\\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\\n"
        "s.setsockopt(17, 103, 1000)\\ns.sendto(bytes(30000), (\"10.2.0.2\", 9))\\n' | python3 -");
    captures::packet::Burst burst;
    while (port->receive(burst.frames) > 0) {
    }
    BOOST_TEST(port->numbers().not_received == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
