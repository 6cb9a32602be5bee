#include "gateway/outputs/verdict_text.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/pipeline_bench.hpp"

namespace verdict_text_test {

using captures::packet::Kind;
using gateway::pipeline::Verdict;
using policy::Reason;
using namespace support;

const auto tables = gateway::pipeline::Tables::build(lab()).value();

Verdict verdict(Reason reason, std::uint32_t rule = gateway::pipeline::no_rule) {
    Verdict one;
    one.reason = reason;
    one.rule = rule;
    return one;
}

std::string text(const Verdict& verdict, const PacketBuilder& builder) {
    const Decoded decoded{builder};
    return gateway::outputs::verdict_text(verdict, decoded.packet, *tables);
}

PacketBuilder syn() { return tcp("198.51.100.7:40000", "203.0.113.10:50022").syn(); }

}  // namespace verdict_text_test

BOOST_AUTO_TEST_SUITE(verdict_text_test)

BOOST_AUTO_TEST_CASE(a_verdict_reads_as_fate_reason_rule_and_why) {
    auto with_window = verdict(Reason::dnat, 0);
    with_window.window = 7;
    auto with_detail = verdict(Reason::fragment);
    with_detail.detail = "it overlaps what came before";
    policy::NetworkRule deny;
    deny.collection = "net";
    deny.name = "deny";
    auto denied = verdict(Reason::network_rule_deny, 0);
    denied.network_rule = &deny;
    auto named = verdict(Reason::no_nat_rule);
    named.network_rule = &deny;
    const policy::Nsg nsg{"web-nsg", {}, false, {}};
    auto by_nsg = verdict(Reason::nsg_deny, 0);
    by_nsg.nsg = &nsg;
    by_nsg.security_rule = &nsg.rules().back();
    struct Row {
        Verdict verdict;
        PacketBuilder packet;
        const char* expected;
    };
    for (const auto& row : {
             Row{verdict(Reason::dnat, 1), syn(), "forward dnat, rule inbound/web"},
             Row{with_window, syn(), "forward dnat, rule inbound/ssh: window 7"},
             Row{verdict(Reason::no_listener), syn(), "drop no-listener"},
             Row{verdict(Reason::invalid_state), syn().ack(1), "drop invalid-state: TCP S. without a flow"},
             Row{verdict(Reason::no_nat_rule), syn(), "drop no-nat-rule: no rule of this listener admits 198.51.100.7"},
             Row{named, syn(), "drop no-nat-rule: network rule net/deny denies it"},
             Row{denied, syn(), "drop network-rule-deny, rule inbound/ssh: network rule net/deny"},
             Row{verdict(Reason::jit_closed, 0), syn(),
                 "drop jit-closed, rule inbound/ssh: no window is open for 198.51.100.7 to 10.1.0.4:22"},
             Row{by_nsg, syn(), "drop nsg-deny, rule inbound/ssh: NSG web-nsg, rule DenyAllInBound"},
             Row{with_detail, syn(), "drop fragment: it overlaps what came before"},
             Row{verdict(Reason::hairpin), syn(), "drop hairpin: Azure Firewall does not hairpin"},
             Row{verdict(Reason::unsupported), ipv6(), "drop unsupported: IPv6"},
             Row{verdict(Reason::unsupported), icmp_echo("198.51.100.7", "203.0.113.10"),
                 "drop unsupported: IP protocol 1"},
             Row{verdict(Reason::not_ip), arp("198.51.100.7", "203.0.113.10"), "ignore not-ip"},
             Row{verdict(Reason::reply, 1), syn(), "forward reply, rule inbound/web"},
         }) {
        BOOST_TEST(text(row.verdict, row.packet) == row.expected);
    }
}

BOOST_AUTO_TEST_CASE(where_no_rule_is_named_none_is_shown) {
    BOOST_TEST(gateway::outputs::rule_text(verdict(Reason::established, 7), *tables) == "inbound/private");
    BOOST_TEST(gateway::outputs::rule_text(verdict(Reason::established), *tables).empty());
}

BOOST_AUTO_TEST_CASE(ports_are_shown_where_there_are_any) {
    const captures::base::Endpoint endpoint{{0xc6336407}, 40000};
    for (const auto kind : {Kind::tcp, Kind::udp}) {
        BOOST_TEST(gateway::outputs::endpoint_text(endpoint, kind) == "198.51.100.7:40000");
    }
    for (const auto kind : {Kind::fragment, Kind::icmp_error, Kind::unsupported, Kind::malformed}) {
        BOOST_TEST(gateway::outputs::endpoint_text(endpoint, kind) == "198.51.100.7");
    }
}

BOOST_AUTO_TEST_SUITE_END()
