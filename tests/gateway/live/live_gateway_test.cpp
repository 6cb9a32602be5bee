#include "gateway/live/live_gateway.hpp"

#include "tests/support/seeing_lab.hpp"

namespace live_gateway_test {

using gateway::live::FlowFilter;
using gateway::live::LiveGateway;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

PacketBuilder syn(const std::string& client, const std::string& called = "203.0.113.10:50122") {
    return tcp(client, called).syn();
}

std::string content(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

// Over wires in memory: the data plane's own thread, neighbours, pipeline and recorder.

}  // namespace live_gateway_test

BOOST_FIXTURE_TEST_SUITE(live_gateway_test, SeeingLab)

BOOST_AUTO_TEST_CASE(a_door_is_open_when_the_answer_says_so_and_closed_when_it_is_revoked) {
    const auto judged = [&](Reason reason) {
        return live->status(LiveGateway::Detail::numbers)->counters.reasons.at(static_cast<std::size_t>(reason));
    };
    from_client(syn("198.51.100.7:40000", "203.0.113.10:50022"));
    BOOST_TEST(judged(Reason::jit_closed) == 1U);
    BOOST_TEST(open("requester").status == 202);
    from_client(syn("198.51.100.7:40000", "203.0.113.10:50022"));
    BOOST_TEST(judged(Reason::dnat) == 1U);
    BOOST_TEST(send("POST", "requester", "/portcullis/v1/revoke", R"({"machine":"web01","port":22})").status == 200);
    from_client(syn("198.51.100.7:40001", "203.0.113.10:50022"));
    BOOST_TEST(judged(Reason::jit_closed) == 2U);
}

BOOST_AUTO_TEST_CASE(a_decision_that_was_long_on_its_way_to_the_disk_opens_no_window_that_has_ended_meanwhile) {
    const auto closed = [&] {
        return live->status(LiveGateway::Detail::numbers)
            ->counters.reasons.at(static_cast<std::size_t>(Reason::jit_closed));
    };
    BOOST_TEST(open("requester").status == 202);  // for an hour
    BOOST_TEST(live->tick(noon + 1h));            // over, to packets; nobody has expired it yet
    from_client(syn("198.51.100.7:40000", "203.0.113.10:50022"));
    BOOST_TEST(closed() == 1U);
    BOOST_REQUIRE(initiate("second", "db01", 3389, noon + 59min));
    from_client(syn("198.51.100.7:40001", "203.0.113.10:50022"));
    BOOST_TEST(closed() == 2U);
    BOOST_TEST(live->tick(noon + 59min));
    from_client(syn("198.51.100.7:40002", "203.0.113.10:50022"));
    BOOST_TEST(closed() == 3U);
}

BOOST_AUTO_TEST_CASE(status_tells_interfaces_packets_and_flows) {
    from_client(syn("198.51.100.7:40000"));
    from_client(syn("198.51.100.7:40000", "203.0.113.10:9"));
    const auto status = live->status(LiveGateway::Detail::neighbours);
    BOOST_REQUIRE(status);
    BOOST_TEST(status->sides[0].interface == "outside0");
    BOOST_TEST((status->sides[1].mac == MemoryWire::mac));
    BOOST_TEST(status->sides[0].mtu == 1500U);
    BOOST_TEST(status->sides[0].numbers.received == 2U);
    BOOST_TEST(status->sides[1].egress.held == 1U);  // the way to web01's router is being asked for
    BOOST_REQUIRE(status->sides[1].neighbours.size() == 1U);
    BOOST_TEST(to_string(status->sides[1].neighbours[0].address) == "10.0.1.1");
    BOOST_TEST(status->counters.packets == 2U);
    BOOST_TEST(status->flows == 1U);
    BOOST_TEST(status->uptime.count() > 0);
}

BOOST_AUTO_TEST_CASE(a_frame_of_another_vlan_goes_no_further_and_is_counted) {
    from_client(syn("198.51.100.7:40000").vlan(7));
    const auto status = live->status(LiveGateway::Detail::numbers);
    BOOST_TEST(status->counters.reasons.at(static_cast<std::size_t>(Reason::unsupported)) == 1U);
    BOOST_TEST(status->flows == 0U);
    BOOST_TEST(status->sides[1].egress.unfit == 0U);
}

BOOST_AUTO_TEST_CASE(rates_are_those_of_the_last_whole_second) {
    from_client(syn("198.51.100.7:40000"));
    BOOST_TEST(live->status(LiveGateway::Detail::numbers)->sides[0].rates.received_packets == 0);
    double rate = 0;
    BOOST_TEST(support::comes_true([&] {
        BOOST_TEST(live->tick(noon));
        rate = live->status(LiveGateway::Detail::numbers)->sides[0].rates.received_packets;
        return rate > 0;
    }));
    BOOST_TEST(rate <= 1);
}

BOOST_AUTO_TEST_CASE(flows_are_found_by_what_a_filter_names_and_one_can_be_ended) {
    for (const auto* const client : {"198.51.100.7:40000", "198.51.100.8:40000", "192.0.2.1:40000"}) {
        from_client(syn(client));
    }
    BOOST_TEST(live->flows({}).size() == 3U);
    FlowFilter filter;
    filter.client = captures::base::Prefix::parse("198.51.100.0/24");
    BOOST_TEST(live->flows(filter).size() == 2U);
    filter.client = captures::base::Prefix::parse("198.51.100.8");
    const auto found = live->flows(filter);
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found[0].rule == "inbound/ssh-app01");
    BOOST_TEST(found[0].left.count() > 0);
    BOOST_TEST(live->end_flow(found[0].flow.arrived()));
    BOOST_TEST(!live->end_flow(found[0].flow.arrived()));
    BOOST_TEST(live->flows({}).size() == 2U);
    filter = {};
    filter.limit = 1;
    BOOST_TEST(live->flows(filter).size() == 1U);
    filter = {};
    filter.target = captures::base::Ipv4Address::parse("10.1.0.4");
    BOOST_TEST(live->flows(filter).empty());
}

BOOST_AUTO_TEST_CASE(a_recording_has_what_left_with_the_next_hops_address) {
    const auto path = (directory.path() / "all.pcapng").string();
    std::array<MemoryWire, 2> own;
    auto opened = LiveGateway::over(control->config(), {own[0].wire(), own[1].wire()}, {.record = path},
                                    [](auto, const auto&) {});
    BOOST_REQUIRE(opened);
    control->enforce_by(**opened, noon);
    own[0].put(syn("198.51.100.7:40000"));
    BOOST_TEST(comes_true([&] { return (*opened)->status(LiveGateway::Detail::numbers)->counters.packets == 1; }));
    control->enforce_by(*live, noon);
    opened->reset();
    const auto bytes = content(path);
    BOOST_TEST(bytes.find("packet 1: forward dnat, rule inbound/ssh-app01") != std::string::npos);
    BOOST_TEST(bytes.find("synthesized: ARP") != std::string::npos);  // announcements, and the question for the router
    BOOST_TEST(bytes.find("packet 1 leaves") == std::string::npos);   // nobody has answered it
}

BOOST_AUTO_TEST_CASE(a_port_that_was_given_and_is_lost_is_not_opened_again) {
    wires[0].lose();
    BOOST_TEST(live->tick(noon));
    BOOST_TEST(live->tick(noon));
    BOOST_TEST(live->status(LiveGateway::Detail::numbers)->sides[0].driver.empty());
}

BOOST_AUTO_TEST_SUITE_END()
