#include "dnat/flow.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/packet_builder.hpp"

namespace flow_test {

using captures::base::Protocol;
using captures::base::Time;
using dnat::Flow;
using dnat::FlowState;
using dnat::Timeouts;
using support::Where;
using namespace std::chrono_literals;

/// Each time tells which it is.
constexpr Timeouts timeouts{
    .tcp_idle = 1s, .tcp_idle_east_west = 2s, .tcp_transitory = 3s, .udp_idle = 4s, .fragment = 5s};

Flow flow(Protocol protocol, FlowState state, bool east_west = false) {
    Flow flow;
    flow.protocol = protocol;
    flow.state = state;
    flow.east_west = east_west;
    return flow;
}

}  // namespace flow_test

BOOST_AUTO_TEST_SUITE(flow_test)

BOOST_AUTO_TEST_CASE(how_long_a_flow_may_be_silent_depends_on_what_it_does) {
    using enum FlowState;
    struct Row {
        Protocol protocol;
        FlowState state;
        captures::base::Duration outside;
        captures::base::Duration east_west;
    };
    for (const auto& row : {
             Row{Protocol::udp, udp, 4s, 4s},
             Row{Protocol::udp, cut, 3s, 3s},
             Row{Protocol::tcp, syn_sent, 3s, 3s},
             Row{Protocol::tcp, syn_received, 3s, 3s},
             Row{Protocol::tcp, established, 1s, 2s},
             Row{Protocol::tcp, client_closed, 1s, 2s},
             Row{Protocol::tcp, server_closed, 1s, 2s},
             Row{Protocol::tcp, closing, 3s, 3s},
             Row{Protocol::tcp, reset, 3s, 3s},
             Row{Protocol::tcp, cut, 3s, 3s},
         }) {
        BOOST_TEST_CONTEXT(to_string(row.protocol) << ' ' << to_string(row.state)) {
            BOOST_TEST((flow(row.protocol, row.state).lifetime(timeouts) == row.outside));
            BOOST_TEST((flow(row.protocol, row.state, true).lifetime(timeouts) == row.east_west));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_deadline_counts_from_the_last_packet_that_counts) {
    auto idle = flow(Protocol::tcp, FlowState::established);
    idle.last_seen = support::start_time;
    BOOST_TEST((idle.deadline(timeouts) == support::start_time + 1s));
    BOOST_TEST((idle.deadline(Timeouts{}) == support::start_time + 240s));
}

BOOST_AUTO_TEST_CASE(the_defaults_are_azures_and_the_rfcs) {
    const Timeouts defaults;
    BOOST_TEST((defaults.tcp_idle == 240s));
    BOOST_TEST((defaults.tcp_idle_east_west == 300s));
    BOOST_TEST((defaults.tcp_transitory == 240s));
    BOOST_TEST((defaults.udp_idle == 240s));
    BOOST_TEST((defaults.fragment == 30s));
}

BOOST_AUTO_TEST_CASE(the_shortest_timeout_is_the_least_of_all) {
    BOOST_TEST((Timeouts{}.shortest() == 30s));
    for (const auto member : {&Timeouts::tcp_idle, &Timeouts::tcp_idle_east_west, &Timeouts::tcp_transitory,
                              &Timeouts::udp_idle, &Timeouts::fragment}) {
        Timeouts one;
        one.*member = 7s;
        BOOST_TEST((one.shortest() == 7s));
    }
}

BOOST_AUTO_TEST_CASE(a_flow_knows_its_tuple_in_both_realms) {
    auto one = flow(Protocol::udp, FlowState::udp);
    one.client = Where{"198.51.100.7:40000"}.endpoint;
    one.called = Where{"203.0.113.10:50053"}.endpoint;
    one.target = Where{"10.1.0.4:53"}.endpoint;
    one.instance = Where{"10.0.1.5:40001"}.endpoint;
    const captures::base::FiveTuple arrived{one.client, one.called, Protocol::udp};
    const captures::base::FiveTuple delivered{one.instance, one.target, Protocol::udp};
    BOOST_TEST(one.arrived().tuple == arrived);
    BOOST_TEST(one.delivered().tuple == delivered);
}

BOOST_AUTO_TEST_SUITE_END()
