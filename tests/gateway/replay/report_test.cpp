#include "gateway/replay/report.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/support/packet_builder.hpp"

namespace report_test {

using gateway::replay::ReplayResult;
using policy::Reason;
using policy::Status;
using policy::StatusReason;
using support::start_time;
using namespace std::chrono_literals;
namespace json = boost::json;

std::uint64_t& count(ReplayResult& result, Reason reason) {
    return result.counters.reasons[static_cast<std::size_t>(reason)];
}

/// Ten packets: six forwarded, three dropped, one ignored.
ReplayResult ten_packets() {
    ReplayResult result;
    result.counters.packets = 10;
    result.counters.bytes = 1234;
    result.counters.synthesized = 2;
    result.counters.flows_created = 3;
    result.counters.flows_peak = 2;
    result.flows_active = 1;
    count(result, Reason::dnat) = 1;
    count(result, Reason::established) = 3;
    count(result, Reason::reply) = 2;
    count(result, Reason::jit_closed) = 3;
    count(result, Reason::not_ip) = 1;
    result.first = start_time;
    result.last = start_time + 90s + 1500us;
    result.seconds = 0.0005;
    return result;
}

policy::AccessRecord window(policy::WindowId id) {
    policy::AccessRecord record;
    record.id = id;
    record.requestor = "operator@lab.example";
    record.machine = "web01";
    record.port = 22;
    record.sources = {captures::base::Prefix::parse("198.51.100.7").value(),
                      captures::base::Prefix::parse("192.0.2.0/24").value()};
    record.start = start_time;
    record.end = start_time + 1h;
    record.status = Status::initiated;
    return record;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string table(const ReplayResult& result) { return summary_table(result, "day.pcap"); }

}  // namespace report_test

BOOST_AUTO_TEST_SUITE(report_test)

BOOST_AUTO_TEST_CASE(the_json_summary_has_the_counts_field_for_field) {
    const auto text = summary_json(ten_packets());
    BOOST_TEST(text.back() == '\n');
    const auto expected = json::parse(R"({"packets":10,"bytes":1234,"forwarded":6,"dropped":3,"ignored":1,
        "synthesized":2,"reasons":{"dnat":1,"established":3,"reply":2,"jit-closed":3,"not-ip":1},
        "flows":{"created":3,"peak":2,"active":1},"seconds":0.0005,"packets_per_second":20000})");
    const auto found = json::parse(text);
    BOOST_TEST((found == expected), json::serialize(found) << " is not " << json::serialize(expected));
}

BOOST_AUTO_TEST_CASE(nothing_read_is_a_sound_json_summary_too) {
    const auto found = json::parse(summary_json(ReplayResult{}));
    BOOST_TEST(found.at("packets").as_int64() == 0);
    BOOST_TEST(found.at("reasons").as_object().empty());
    BOOST_TEST(found.at("packets_per_second").as_int64() == 0);  // and not a division by no time
}

BOOST_AUTO_TEST_CASE(every_reason_is_counted_under_its_fate_in_both_summaries) {
    for (std::size_t i = 0; i < policy::reason_count; ++i) {
        const auto reason = static_cast<Reason>(i);
        ReplayResult result;
        result.counters.packets = 7;
        count(result, reason) = 7;
        const auto found = json::parse(summary_json(result));
        const auto* const fate_field = policy::fate_of(reason) == policy::Fate::forward ? "forwarded"
                                       : policy::fate_of(reason) == policy::Fate::drop  ? "dropped"
                                                                                        : "ignored";
        for (const auto* const field : {"forwarded", "dropped", "ignored"}) {
            BOOST_TEST(found.at(field).as_int64() == (std::string_view{field} == fate_field ? 7 : 0));
        }
        BOOST_TEST(found.at("reasons").as_object().size() == 1U);
        BOOST_TEST(found.at("reasons").at(std::string{to_string(reason)}).as_int64() == 7);

        const auto text = table(result);
        const auto line = text.find("    " + std::string{to_string(reason)} + ' ');
        BOOST_REQUIRE_MESSAGE(line != std::string::npos, to_string(reason) << " is not in\n" << text);
        const auto words = text.substr(line, text.find('\n', line) - line);
        BOOST_TEST(words.find_first_not_of(' ', words.find('7') + 1) != std::string::npos,
                   to_string(reason) << " is not explained: " << words);
    }
}

BOOST_AUTO_TEST_CASE(the_table_begins_with_the_input_its_size_and_its_times) {
    const auto text = table(ten_packets());
    BOOST_TEST(
        text.starts_with("day.pcap: 10 packets, 1234 bytes, replayed in 0.001 s\n"  // rounded
                         "2026-01-31T09:30:00.000000Z to 2026-01-31T09:31:30.001500Z\n"));
    ReplayResult nothing;
    BOOST_TEST(!has(table(nothing), "1970"));
    BOOST_TEST(!has(table(nothing), "%"));  // of nothing
}

BOOST_AUTO_TEST_CASE(the_table_has_the_verdicts_with_their_share_and_only_reasons_that_occurred) {
    const auto text = table(ten_packets());
    for (const auto* const line : {
             "  forwarded                      6   60.0 %\n",
             "    dnat                         1           first packets",
             "    established                  3 ",
             "    reply                        2 ",
             "  dropped                        3   30.0 %\n",
             "    jit-closed                   3           no just-in-time window was open\n",
             "  ignored                        1   10.0 %\n",
             "  synthesized                    2 ",
             "  flows: 3 created, at most 2 at once, 1 live at the end\n",
         }) {
        BOOST_TEST(has(text, line), line << " is not in\n" << text);
    }
    BOOST_TEST(!has(text, "nsg-deny"));
    ReplayResult nothing;
    BOOST_TEST(!has(table(nothing), "synthesized"));
}

BOOST_AUTO_TEST_CASE(the_table_shows_the_rules_that_were_hit_the_busiest_first) {
    auto result = ten_packets();
    result.rules = {{"inbound/idle", 0}, {"inbound/one", 1}, {"inbound/busy", 12}, {"inbound/other", 1}};
    const auto text = table(result);
    BOOST_TEST(has(text, "  NAT rules: 3 of 4 hit\n"));
    BOOST_TEST(!has(text, "inbound/idle"));
    BOOST_TEST(has(text, " 12 flows\n"));
    BOOST_TEST(has(text, " 1 flow\n"));
    BOOST_TEST(text.find("inbound/busy") < text.find("inbound/one"));
    BOOST_TEST(text.find("inbound/one") < text.find("inbound/other"));  // as they are evaluated
}

BOOST_AUTO_TEST_CASE(the_table_shows_twenty_rules_and_counts_the_rest) {
    auto result = ten_packets();
    for (std::uint64_t i = 1; i <= 20; ++i) result.rules.push_back({"inbound/r" + std::to_string(i), i});
    BOOST_TEST(!has(table(result), "more\n"));
    for (std::uint64_t i = 21; i <= 23; ++i) result.rules.push_back({"inbound/r" + std::to_string(i), i});
    const auto text = table(result);
    BOOST_TEST(has(text, "  NAT rules: 23 of 23 hit\n"));
    BOOST_TEST(has(text, "    and 3 more\n"));
    BOOST_TEST(has(text, "inbound/r23 "));
    BOOST_TEST(has(text, "inbound/r4 "));
    BOOST_TEST(!has(text, "inbound/r3 "));
}

BOOST_AUTO_TEST_CASE(the_table_shows_every_window_with_whom_when_and_what_became_of_it) {
    auto result = ten_packets();
    BOOST_TEST(!has(table(result), "windows"));
    result.windows = {{window(1), 2}, {window(2), 0}, {window(3), 1}};
    result.windows[1].record.status = Status::revoked;
    result.windows[1].record.status_reason = StatusReason::newer_request_initiated;
    const auto text = table(result);
    BOOST_TEST(has(text, "  windows: 2 used, 1 unused\n"));
    const std::string middle =
        "web01 port 22 from 198.51.100.7, 192.0.2.0/24 for operator@lab.example, "
        "2026-01-31T09:30:00Z to 2026-01-31T10:30:00Z, ";
    BOOST_TEST(has(text, "    1   " + middle + "Initiated: 2 flows\n"), text);
    BOOST_TEST(has(text, "    2   " + middle + "Revoked (NewerRequestInitiated): unused\n"), text);
    BOOST_TEST(has(text, "    3   " + middle + "Initiated: 1 flow\n"), text);
}

BOOST_AUTO_TEST_CASE(the_table_shows_what_was_refused_and_what_never_happened) {
    auto result = ten_packets();
    BOOST_TEST(!has(table(result), "refused"));
    result.refused = {{.place = {"day.toml", 12, 1},
                       .time = start_time,
                       .what = "request of operator@lab.example for web01 port 22",
                       .refusal = {"RequestNotSubsetOfPolicy", "port 22: PT4H is longer than PT3H"}}};
    result.events_not_reached = 1;
    const auto text = table(result);
    BOOST_TEST(has(text,
                   "  refused\n"
                   "    day.toml:12: request of operator@lab.example for web01 port 22 at 2026-01-31T09:30:00Z\n"
                   "        RequestNotSubsetOfPolicy: port 22: PT4H is longer than PT3H\n"));
    BOOST_TEST(has(text, "  1 event of the scenario comes after the last packet and did not happen\n"));
    result.events_not_reached = 3;
    BOOST_TEST(has(table(result), "  3 events of the scenario come after the last packet and did not happen\n"));
}

BOOST_AUTO_TEST_CASE(the_table_says_what_to_look_at) {
    auto result = ten_packets();
    BOOST_TEST(!has(table(result), "--vantage"));
    BOOST_TEST(!has(table(result), "clock"));
    result.several_wires = true;
    result.counters.clock_steps_back = 4;
    BOOST_TEST(has(table(result), "say --vantage both\n"));
    BOOST_TEST(has(table(result), "packets older than one before them: 4; for these the clock stood still\n"));
}

BOOST_AUTO_TEST_SUITE_END()
