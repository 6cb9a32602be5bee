#include "gateway/pipeline/pipeline.hpp"

#include <boost/test/unit_test.hpp>

#include <numeric>

#include "tests/support/pipeline_bench.hpp"

namespace pipeline_test {

using captures::packet::Side;
using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

}  // namespace pipeline_test

BOOST_AUTO_TEST_SUITE(pipeline_test)

// The way of a flow

BOOST_AUTO_TEST_CASE(a_first_packet_is_translated_and_its_reply_leaves_with_the_address_the_client_called) {
    Bench bench;
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").syn().seq(1000)), is_forwarded,
          because(Reason::dnat), by_rule("inbound/web"), leaves(Side::inside), from("10.0.1.5:40000"),
          to("10.1.0.4:80"), ttl(63), flags("S"), seq(1000), checksums_hold);
    check(bench.from_inside(tcp("10.1.0.4:80", "10.0.1.5:40000").syn().ack(1001).seq(5000)), is_forwarded,
          because(Reason::reply), by_rule("inbound/web"), leaves(Side::outside), from("203.0.113.10:8080"),
          to("198.51.100.7:40000"), ttl(63), flags("S."), ack_number(1001), checksums_hold);
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").psh().ack(5001).seq(1001).payload("GET")),
          is_forwarded, because(Reason::established), by_rule("inbound/web"), from("10.0.1.5:40000"), to("10.1.0.4:80"),
          payload("GET"), checksums_hold);
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
}

BOOST_AUTO_TEST_CASE(udp_needs_no_opening) {
    Bench bench;
    check(bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53").payload("question")), because(Reason::dnat),
          by_rule("inbound/dns"), from("10.0.1.5:5000"), to("10.1.0.4:53"), checksums_hold);
    check(bench.from_inside(udp("10.1.0.4:53", "10.0.1.5:5000").payload("answer").no_checksum()),
          because(Reason::reply), from("203.0.113.10:53"), to("198.51.100.7:5000"), no_checksum, checksums_hold);
    check(bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53").payload("question")),
          because(Reason::established));
}

BOOST_AUTO_TEST_CASE(the_clients_port_is_kept_or_the_next_free_one_taken) {
    Bench bench;
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").syn()), from("10.0.1.5:40000"));
    check(bench.from_outside(tcp("198.51.100.8:40000", "203.0.113.10:8080").syn()), from("10.0.1.5:40001"));
    check(bench.from_outside(tcp("198.51.100.9:40000", "203.0.113.10:8080").syn()), from("10.0.1.5:40002"));
    check(bench.from_inside(tcp("10.1.0.4:80", "10.0.1.5:40001").syn().ack(1)), to("198.51.100.8:40000"),
          from("203.0.113.10:8080"), checksums_hold);
}

// The checks of a first packet, in the order of DESIGN 3

BOOST_AUTO_TEST_CASE(what_nothing_listens_on_is_dropped_first_whatever_it_is) {
    Bench bench;
    for (const auto* const destination : {"203.0.113.10:22", "203.0.113.11:8080", "203.0.113.12:8080", "10.1.0.4:80"}) {
        check(bench.from_outside(tcp("198.51.100.7:40000", destination).syn()), is_dropped,
              because(Reason::no_listener), by_rule(""));
        check(bench.from_outside(tcp("198.51.100.7:40000", destination).ack(1)), because(Reason::no_listener));
    }
    check(bench.from_outside(udp("198.51.100.7:40000", "203.0.113.10:8080")), because(Reason::no_listener));
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:53").syn()), because(Reason::no_listener));
}

BOOST_AUTO_TEST_CASE(tcp_begins_with_a_syn_before_any_rule_is_asked) {
    Bench bench;
    for (const auto* const destination : {"203.0.113.10:8080", "203.0.113.10:5432", "203.0.113.10:50022"}) {
        const auto packet = [&] { return tcp("198.51.100.7:40000", destination); };
        for (auto& segment : {packet().ack(1), packet().syn().ack(1), packet().fin().ack(1), packet().rst()}) {
            check(bench.from_outside(segment), is_dropped, because(Reason::invalid_state), by_rule(""));
        }
    }
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").ack(1)),
          with_detail("TCP . without a flow"));
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_listener_without_a_rule_for_this_source_drops) {
    Bench bench;
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:5432").syn()), is_dropped,
          because(Reason::no_nat_rule), by_rule(""), with_detail("no rule of this listener admits 198.51.100.7"));
    check(bench.from_outside(tcp("192.0.2.255:40000", "203.0.113.10:5432").syn()), because(Reason::dnat),
          by_rule("inbound/db"));
}

BOOST_AUTO_TEST_CASE(a_deny_rule_for_the_packet_as_it_came_is_named_where_no_nat_rule_matches) {
    auto config = lab();
    config.network_rules = policy::NetworkRules{
        {policy::NetworkRule{.collection = "net",
                             .name = "no-db",
                             .group = {},
                             .firewall_policy = {},
                             .access = policy::Access::deny,
                             .protocols = {captures::base::Protocol::tcp},
                             .sources = {captures::base::AddressRange::any()},
                             .destinations = {captures::base::AddressRange::parse("203.0.113.10").value()},
                             .destination_ports = {{5432, 5432}}}}};
    Bench bench{config};
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:5432").syn()), is_dropped,
          because(Reason::no_nat_rule), with_detail("network rule net/no-db denies it"));
}

BOOST_AUTO_TEST_CASE(a_nat_rule_is_terminal_unless_the_legacy_switch_lets_network_rules_deny) {
    auto config = lab();
    config.network_rules = policy::NetworkRules{
        {policy::NetworkRule{.collection = "net",
                             .name = "deny-web01",
                             .group = {},
                             .firewall_policy = {},
                             .access = policy::Access::deny,
                             .protocols = {captures::base::Protocol::tcp},
                             .sources = {captures::base::AddressRange::any()},
                             .destinations = {captures::base::AddressRange::parse("10.1.0.4").value()},
                             .destination_ports = {{80, 80}}}}};
    Bench terminal{config};
    check(terminal.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").syn()), because(Reason::dnat));
    config.firewall.network_deny_overrides = true;
    Bench legacy{config};
    check(legacy.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").syn()), is_dropped,
          because(Reason::network_rule_deny), by_rule("inbound/web"), with_detail("network rule net/deny-web01"));
    check(legacy.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50022").syn()), because(Reason::jit_closed));
}

BOOST_AUTO_TEST_CASE(a_guarded_port_is_closed_without_a_window) {
    Bench bench;
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50022").syn()), is_dropped,
          because(Reason::jit_closed), by_rule("inbound/ssh"),
          with_detail("no window is open for 198.51.100.7 to 10.1.0.4:22"));
}

BOOST_AUTO_TEST_CASE(security_groups_judge_the_packet_as_delivered) {
    Bench bench;
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50023").syn()), because(Reason::dnat),
          by_rule("inbound/app-ssh"));  // they allow the firewall's instance, not the client
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50080").syn()), is_dropped,
          because(Reason::nsg_deny), by_rule("inbound/app-web"), with_detail("NSG subnet-nsg, rule nothing-else"));
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
}

BOOST_AUTO_TEST_CASE(security_groups_judge_the_source_port_that_is_delivered) {
    auto config = lab();
    const auto anywhere = std::vector{captures::base::AddressRange::any()};
    const policy::SecurityRule only{.name = "only-40001",
                                    .priority = 100,
                                    .access = policy::Access::allow,
                                    .protocol = captures::base::Protocol::tcp,
                                    .sources = anywhere,
                                    .source_ports = {{40001, 40001}},
                                    .destinations = anywhere,
                                    .destination_ports = {{}}};
    config.nsgs[0] = {"subnet-nsg", {only}, false, policy::ServiceTags{}};  // no tags: all else is denied
    Bench bench{config};
    const auto from = [&](Where client) { return tcp(client, "203.0.113.10:50023").syn(); };
    check(bench.from_outside(from("198.51.100.7:40000")), because(Reason::nsg_deny));
    check(bench.from_outside(from("198.51.100.7:40001")), because(Reason::dnat));
    check(bench.from_outside(from("198.51.100.8:40001")), is_dropped, because(Reason::nsg_deny),
          by_rule("inbound/app-ssh"), with_detail("NSG subnet-nsg, rule DenyAllInBound"));  // it would come from 40002
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
    check(bench.from_outside(from("198.51.100.7:40001")), because(Reason::established));  // its own port is in use
}

BOOST_AUTO_TEST_CASE(a_full_table_refuses_a_new_flow_and_keeps_the_others) {
    auto config = lab();
    config.limits.flows = 2;
    Bench bench{config};
    bench.connect("198.51.100.7:40000");
    bench.connect("198.51.100.7:40001");
    check(bench.from_outside(tcp("198.51.100.7:40002", "203.0.113.10:8080").syn()), is_dropped,
          because(Reason::table_full), by_rule("inbound/web"));
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").ack(5001).seq(1001)),
          because(Reason::established));
    BOOST_TEST(bench.pipeline().counters().flows_peak == 2U);
}

BOOST_AUTO_TEST_CASE(clients_with_privileged_ports_share_1023_of_them_toward_one_target) {
    auto config = lab();
    config.limits.flows = 1100;
    Bench bench{config};
    for (std::uint32_t client = 0; client < 1023; ++client) {
        const captures::base::Endpoint source{{0x0b000000 + client}, 1000};
        BOOST_REQUIRE_EQUAL(bench.from_outside(udp(source, "203.0.113.10:53")).reason, Reason::dnat);
    }
    check(bench.from_outside(udp("198.51.100.7:1000", "203.0.113.10:53")), is_dropped, because(Reason::ports_exhausted),
          by_rule("inbound/dns"));
    check(bench.from_outside(udp("198.51.100.7:1024", "203.0.113.10:53")), because(Reason::dnat));
}

// What is dropped besides

BOOST_AUTO_TEST_CASE(from_inside_only_answers_pass) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    struct Row {
        const char* sentence;
        PacketBuilder packet;
        Reason reason;
    };
    for (const auto& row : {
             Row{"another port of the machine", tcp("10.1.0.4:81", "10.0.1.5:40000").ack(1), Reason::no_flow},
             Row{"another port of the instance", tcp("10.1.0.4:80", "10.0.1.5:40001").ack(1), Reason::no_flow},
             Row{"another protocol", udp("10.1.0.4:80", "10.0.1.5:40000"), Reason::no_flow},
             Row{"something new to the outside", tcp("10.1.0.4:50000", "192.0.2.9:443").syn(), Reason::no_flow},
             Row{"a public IP of the firewall", tcp("10.1.0.4:50000", "203.0.113.10:8080").syn(), Reason::hairpin},
             Row{"its private IP", tcp("10.1.0.4:50000", "10.0.1.4:2222").syn(), Reason::hairpin},
         }) {
        BOOST_TEST_CONTEXT(row.sentence) { check(bench.from_inside(row.packet), is_dropped, because(row.reason)); }
    }
}

BOOST_AUTO_TEST_CASE(the_instances_address_is_forged_as_a_source_outside) {
    Bench bench;
    check(bench.from_outside(tcp("10.0.1.5:40000", "203.0.113.10:8080").syn()), is_dropped, because(Reason::malformed),
          with_detail("source is the firewall's own address"));
}

BOOST_AUTO_TEST_CASE(what_the_firewall_sends_is_no_arrival) {
    Bench bench;
    for (const auto* const source : {"203.0.113.10:8080", "203.0.113.11:40000", "10.0.1.4:40000"}) {
        check(bench.from_outside(tcp(source, "198.51.100.7:40000").syn().ack(1)), is_ignored,
              because(Reason::departure));
        check(bench.from_outside(tcp(source, "203.0.113.10:8080").syn()), is_ignored, because(Reason::departure));
    }
    check(bench.from_inside(tcp("10.0.1.5:40000", "10.1.0.4:80").syn()), is_ignored, because(Reason::departure));
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_connection_on_both_wires_is_what_arrived_and_each_departure_is_ignored) {
    Bench bench;
    const auto arrives = tcp("198.51.100.7:40000", "203.0.113.10:8080").syn().seq(1000);
    check(bench.from_outside(arrives), is_forwarded, because(Reason::dnat));
    check(bench.from_inside(tcp("10.0.1.5:40000", "10.1.0.4:80").syn().seq(1000).ttl(63)), is_ignored);
    check(bench.from_inside(tcp("10.1.0.4:80", "10.0.1.5:40000").syn().ack(1001).seq(5000)), is_forwarded,
          because(Reason::reply));
    check(bench.from_outside(tcp("203.0.113.10:8080", "198.51.100.7:40000").syn().ack(1001).seq(5000).ttl(63)),
          is_ignored);
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").seq(1001).ack(5001)), is_forwarded,
          because(Reason::established));
    BOOST_TEST(bench.count(Reason::departure) == 2U);
    BOOST_TEST(bench.pipeline().flows().size() == 1U);
}

BOOST_AUTO_TEST_CASE(departures_in_fragments_and_errors_are_ignored_too) {
    Bench bench;
    const auto answer = udp("203.0.113.10:53", "198.51.100.7:5000").payload_size(312);
    check(bench.from_outside(fragment_of(answer, 0, 64)), is_ignored, because(Reason::departure));
    check(bench.from_outside(fragment_of(answer, 64, 64)), is_ignored, because(Reason::departure));
    check(bench.from_inside(fragment_of(udp("10.0.1.5:5000", "10.1.0.4:53").payload_size(312), 64, 64)), is_ignored,
          because(Reason::departure));
    const auto quoted = tcp("10.1.0.4:80", "10.0.1.5:40000").ack(1).payload("SSH-2.0-");
    check(bench.from_inside(icmp_error(3, 1, "10.0.1.5", "10.1.0.4").quoting(quoted, 28)), is_ignored,
          because(Reason::departure));
}

BOOST_AUTO_TEST_CASE(a_packet_whose_time_to_live_is_over_does_not_pass_either_way) {
    Bench bench;
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").syn().ttl(1)), is_dropped,
          because(Reason::ttl_expired), by_rule("inbound/web"));
    BOOST_TEST(bench.pipeline().flows().size() == 0U);
    bench.connect("198.51.100.7:40000");
    for (const auto over : {std::uint8_t{0}, std::uint8_t{1}}) {
        check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").ack(5001).seq(1001).ttl(over)),
              is_dropped, because(Reason::ttl_expired));
        check(bench.from_inside(tcp("10.1.0.4:80", "10.0.1.5:40000").ack(1001).seq(5001).ttl(over)), is_dropped,
              because(Reason::ttl_expired));
    }
    check(bench.from_inside(tcp("10.1.0.4:80", "10.0.1.5:40000").ack(1001).seq(5001).ttl(2)), is_forwarded, ttl(1));
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:22").syn().ttl(1)), because(Reason::no_listener));
}

BOOST_AUTO_TEST_CASE(what_is_not_tcp_udp_or_an_error_about_them_is_counted_and_dropped) {
    Bench bench;
    struct Row {
        PacketBuilder packet;
        const char* detail;
    };
    for (const auto& row : {Row{ipv6(), "IPv6"}, Row{icmp_echo("198.51.100.7", "203.0.113.10"), "IP protocol 1"},
                            Row{ip_protocol(47, "198.51.100.7", "203.0.113.10"), "IP protocol 47"}}) {
        check(bench.from_outside(row.packet), is_dropped, because(Reason::unsupported), with_detail(row.detail));
    }
    check(bench.from_outside(arp("198.51.100.7", "203.0.113.10")), is_ignored, because(Reason::not_ip));
}

BOOST_AUTO_TEST_CASE(what_is_malformed_is_dropped_with_its_defect) {
    Bench bench;
    struct Row {
        PacketBuilder packet;
        Reason reason;
        const char* detail;
    };
    const auto syn = [] { return tcp("198.51.100.7:40000", "203.0.113.10:8080").syn(); };
    for (const auto& row : {
             Row{syn().bad_ip_checksum(), Reason::malformed, "IPv4 header checksum is wrong"},
             Row{syn().fin(), Reason::malformed, "TCP flags that no TCP sends together"},
             Row{syn().snap(50), Reason::malformed, "capture ends inside the transport header"},
             Row{tcp("127.0.0.1:40000", "203.0.113.10:8080").syn(), Reason::malformed,
                 "source address cannot be on a wire (RFC 1812 5.3.7)"},
             Row{syn().fragment(8, false).payload("flags!!!"), Reason::fragment,
                 "fragment cuts the transport header (RFC 1858)"},
         }) {
        check(bench.from_outside(row.packet), is_dropped, because(row.reason), with_detail(row.detail));
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_transport_checksum_is_none_of_its_business) {
    Bench bench;
    check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:8080").syn().bad_checksum()), is_forwarded,
          transport_checksum_is_wrong);
}

// Counting

BOOST_AUTO_TEST_CASE(every_packet_counts_under_one_reason) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    bench.from_outside(arp("198.51.100.7", "203.0.113.10"));
    bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:22").syn());
    bench.from_inside(udp("10.1.0.4:53", "10.0.1.5:5000"));
    const auto& counters = bench.pipeline().counters();
    BOOST_TEST(counters.packets == 6U);
    BOOST_TEST(std::accumulate(counters.reasons.begin(), counters.reasons.end(), std::uint64_t{0}) == 6U);
    BOOST_TEST(bench.count(Reason::dnat) == 1U);
    BOOST_TEST(bench.count(Reason::reply) == 1U);
    BOOST_TEST(bench.count(Reason::established) == 1U);
    BOOST_TEST(bench.count(Reason::not_ip) == 1U);
    BOOST_TEST(bench.count(Reason::no_listener) == 1U);
    BOOST_TEST(bench.count(Reason::no_flow) == 1U);
    BOOST_TEST(counters.flows_created == 1U);
    BOOST_TEST(counters.bytes == 3 * 54U + 42 + 54 + 42);
    BOOST_TEST(counters.synthesized == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
