#include "captures/live_port.hpp"

#include <sys/socket.h>

#include "tests/support/port_behaviour.hpp"

namespace live_port_test {

using Offloads = support::VethLab::Offloads;

const support::OpenPort open_port = captures::open_live_port;

}  // namespace live_port_test

BOOST_AUTO_TEST_SUITE(live_port_test, *boost::unit_test::precondition(support::may_make_namespaces))

BOOST_AUTO_TEST_CASE(carries_a_stream_with_offloads_on) { support::carries_a_stream(open_port, Offloads::on); }
BOOST_AUTO_TEST_CASE(carries_a_stream_with_offloads_off) { support::carries_a_stream(open_port, Offloads::off); }
BOOST_AUTO_TEST_CASE(carries_datagrams_with_offloads_on) { support::carries_datagrams(open_port, Offloads::on); }
BOOST_AUTO_TEST_CASE(carries_datagrams_with_offloads_off) { support::carries_datagrams(open_port, Offloads::off); }
BOOST_AUTO_TEST_CASE(carries_fragments) { support::carries_fragments(open_port); }
BOOST_AUTO_TEST_CASE(tells_of_a_lost_interface) { support::tells_of_a_lost_interface(open_port); }
BOOST_AUTO_TEST_CASE(refuses_what_cannot_be_opened) { support::refuses_what_cannot_be_opened(open_port); }
BOOST_AUTO_TEST_CASE(leaves_its_own_frames_out) { support::leaves_its_own_frames_out(open_port); }
BOOST_AUTO_TEST_CASE(wakes_whoever_waits) { support::wakes_whoever_waits(open_port); }
BOOST_AUTO_TEST_CASE(keeps_vlan_tags) { support::keeps_vlan_tags(open_port); }

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
    captures::Burst burst;
    while (port->receive(burst.frames) > 0) {
    }
    BOOST_TEST(port->numbers().not_received == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
