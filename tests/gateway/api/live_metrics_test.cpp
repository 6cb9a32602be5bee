#include "gateway/api/live_metrics.hpp"

#include <boost/test/unit_test.hpp>

#include <regex>
#include <set>
#include <sstream>

namespace live_metrics_test {

using gateway::api::live_metrics;
using gateway::live::LiveStatus;

LiveStatus some_status() {
    LiveStatus status;
    status.uptime = std::chrono::seconds{90};
    status.sides[0].driver = "pcap";
    status.sides[0].interface = "outside0";
    status.sides[0].numbers.received = 11;
    status.sides[0].numbers.received_bytes = 1100;
    status.sides[1].numbers.not_sent = 3;
    status.sides[1].egress.unreachable = 4;
    status.sides[1].arp.conflicts = 5;
    status.counters.reasons.at(static_cast<std::size_t>(policy::Reason::jit_closed)) = 6;
    status.flows = 7;
    status.flows_capacity = 100;
    status.icmp.too_big = 8;
    status.logs = {9, {{"/var/log/a", 10}, {"/var/log/b", 2}}};
    return status;
}

}  // namespace live_metrics_test

BOOST_AUTO_TEST_SUITE(live_metrics_test)

BOOST_AUTO_TEST_CASE(every_family_is_typed_and_named_as_prometheus_wants_it) {
    const std::regex sample{R"re(([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? ([0-9.e+-]+))re"};
    const std::regex comment{R"(# (HELP|TYPE) ([a-z_]+) (.+))"};
    std::set<std::string> typed;
    std::set<std::string> samples;
    std::istringstream lines{live_metrics(some_status())};
    for (std::string line; std::getline(lines, line);) {
        std::smatch part;
        if (std::regex_match(line, part, comment)) {
            if (part[1] != "TYPE") continue;
            BOOST_TEST(typed.insert(part[2]).second, line);
            BOOST_TEST((part[3] == "counter") == part[2].str().ends_with("_total"), line);
            continue;
        }
        BOOST_REQUIRE_MESSAGE(std::regex_match(line, part, sample), line);
        BOOST_TEST(typed.contains(part[1]), line << " has no TYPE before it");
        BOOST_TEST(samples.insert(part[1].str() + part[2].str()).second, line << " comes twice");
        BOOST_TEST(part[1].str().starts_with("portcullis_live_"));
    }
    BOOST_TEST(samples.size() > 60U);
}

BOOST_AUTO_TEST_CASE(numbers_are_told_by_side_reason_and_cause) {
    const auto text = live_metrics(some_status());
    for (const auto* const line : {
             "live_interface_up{side=\"outside\"} 1\n",
             "live_interface_up{side=\"inside\"} 0\n",
             "live_received_packets_total{side=\"outside\"} 11\n",
             "live_received_bytes_total{side=\"outside\"} 1100\n",
             "live_send_lost_packets_total{side=\"inside\",cause=\"driver\"} 3\n",
             "live_send_lost_packets_total{side=\"inside\",cause=\"unreachable\"} 4\n",
             "live_arp_packets_total{side=\"inside\",kind=\"conflict\"} 5\n",
             "live_packets_total{fate=\"drop\",reason=\"jit-closed\"} 6\n",
             "live_flows 7\n",
             "live_flows_capacity 100\n",
             "live_icmp_errors_sent_total{type=\"fragmentation_needed\"} 8\n",
             "live_log_lost_records_total{cause=\"too_slow\"} 9\n",
             "live_log_lost_records_total{cause=\"disk\"} 12\n",
             "live_uptime_seconds 90\n",
         }) {
        BOOST_TEST(text.find(line) != std::string::npos, text << " lacks " << line);
    }
}

BOOST_AUTO_TEST_CASE(who_may_ask_without_a_token_learns_no_name) {
    const auto text = live_metrics(some_status());
    for (const auto* const name : {"outside0", "/var/log", "203.0.113", "02:"}) {
        BOOST_TEST(text.find(name) == std::string::npos, name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
