#include "gateway/replay/replay.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>

#include "captures/file/capture_writer.hpp"
#include "gateway/config_file/load.hpp"
#include "tests/support/captured.hpp"
#include "tests/support/config_text.hpp"
#include "tests/support/pipeline_bench.hpp"

namespace replay_test {

using captures::base::Time;
using gateway::pipeline::Vantage;
using gateway::replay::Replay;
using gateway::replay::ReplayResult;
using policy::Reason;
using policy::Status;
using policy::StatusReason;
using namespace support;
using namespace std::chrono_literals;

std::string sample(const std::string& name) {
    const auto* const root = std::getenv("PORTCULLIS_SOURCE_DIR");
    BOOST_REQUIRE_MESSAGE(root != nullptr, "PORTCULLIS_SOURCE_DIR is not set; run this with ctest");
    return std::string{root} + "/captures/samples/" + name;
}

/// 203.0.113.10:50022 leads to web01 (10.1.0.4):22, which is guarded; the operator may ask for it.
gateway::config::Config guarded_lab() {
    auto loaded = gateway::config_file::load_config(sample("lab.toml"));
    BOOST_REQUIRE_EQUAL(test::errors_of(loaded), "");
    loaded->config.limits = {.flows = 64, .fragmented_datagrams = 16, .held_fragments = 16};
    return std::move(loaded->config);
}

/// The pipeline's lab, where nothing is guarded.
gateway::config::Config open_lab() { return lab(); }

gateway::replay::Scenario scenario(const std::string& text, const std::string& directory = ".") {
    auto parsed = gateway::replay::parse_scenario(text, "day.toml", directory);
    BOOST_REQUIRE_EQUAL(test::errors_of(parsed), "");
    BOOST_REQUIRE_EQUAL(test::text_of(gateway::replay::load_reloads(*parsed)), "");
    return std::move(*parsed);
}

std::string request(const std::string& at, const std::string& duration = "PT1H", const std::string& port = "22") {
    return "[[event]]\nat = \"" + at + R"("
request = { by = "operator@lab.example", vm = "web01", port = )" +
           port + R"(, source = "198.51.100.7", duration = ")" + duration + "\" }\n";
}

std::string revoke(const std::string& at, const std::string& cut) {
    return "[[event]]\nat = \"" + at + R"("
revoke = { by = "operator@lab.example", vm = "web01", port = 22, cut = )" +
           cut + " }\n";
}

/// Both wires in one file, the way a person would record them.
Bytes capture_of(std::vector<OwnedFrame> packets) {
    const ScratchFolder folder;
    const auto path = folder.file("in.pcapng");
    const auto writer = captures::file::CaptureWriter::create(path, captures::file::CaptureFormat::pcapng).value();
    for (auto& packet : packets) writer->write(std::array{packet.frame()});
    BOOST_REQUIRE_EQUAL(writer->close(), "");
    return content_of(path);
}

struct Played {
    ReplayResult result;
    std::vector<Told> told;

    [[nodiscard]] std::vector<Reason> reasons() const {
        std::vector<Reason> all;
        for (const auto& one : told) {
            if (one.number != 0) all.push_back(one.reason);
        }
        return all;
    }
    [[nodiscard]] std::uint64_t count(Reason reason) const {
        return result.counters.reasons[static_cast<std::size_t>(reason)];
    }
};

struct Play {
    gateway::config::Config config = guarded_lab();
    gateway::replay::Scenario scenario{};
    Vantage vantage = Vantage::both;
    std::function<bool()> keep_going = [] { return true; };

    [[nodiscard]] Played operator()(const Bytes& capture) const {
        const auto replay = Replay::create(config, scenario, vantage);
        if (!replay) BOOST_FAIL(replay.error());
        Recorder recorder;
        (*replay)->add(recorder);
        const auto source = open_bytes(capture);
        auto result = (*replay)->run(*source, keep_going);
        BOOST_TEST((*replay)->packets() == result.counters.packets);
        return {std::move(result), std::move(recorder.told)};
    }
};

PacketBuilder ssh(std::uint16_t port) {
    return tcp(captures::base::Endpoint{{0xc6336407}, port}, "203.0.113.10:50022");  // from 198.51.100.7
}
PacketBuilder syn(captures::base::Duration after, std::uint16_t port = 40000) {
    return ssh(port).syn().seq(1000).after(after);
}
PacketBuilder answer(captures::base::Duration after) {
    return tcp("10.1.0.4:22", "10.0.1.5:40000").syn().ack(1001).seq(5000).inside().after(after);
}
PacketBuilder data(captures::base::Duration after) {
    return ssh(40000).psh().ack(5001).seq(1001).payload("x").after(after);
}

std::vector<OwnedFrame> built(std::initializer_list<PacketBuilder> packets) {
    std::vector<OwnedFrame> frames;
    frames.reserve(packets.size());
    for (const auto& packet : packets) frames.push_back(packet.build());
    return frames;
}

using Reasons = std::vector<Reason>;

}  // namespace replay_test

BOOST_AUTO_TEST_SUITE(replay_test)

BOOST_AUTO_TEST_CASE(the_recorded_sessions_get_in_after_the_request_and_not_before) {
    auto day = gateway::replay::load_scenario(sample("opened.toml"));
    BOOST_REQUIRE_EQUAL(test::errors_of(day), "");
    const auto played = Play{.scenario = *day, .vantage = Vantage::outside}(content_of(sample("ssh.pcap")));
    const auto& result = played.result;
    BOOST_TEST(!result.read_error.has_value());
    BOOST_TEST(!result.stopped);
    BOOST_TEST(result.counters.packets == 170U);
    BOOST_TEST(result.counters.bytes == 44770U);
    BOOST_TEST(played.count(Reason::dnat) == 2U);
    BOOST_TEST(played.count(Reason::established) == 65U);
    BOOST_TEST(played.count(Reason::reply) == 52U);
    BOOST_TEST(played.count(Reason::no_listener) == 1U);
    BOOST_TEST(played.count(Reason::invalid_state) == 24U);
    BOOST_TEST(played.count(Reason::jit_closed) == 2U);
    BOOST_TEST(played.count(Reason::no_flow) == 22U);
    BOOST_TEST(played.count(Reason::not_ip) == 2U);
    BOOST_TEST(result.counters.flows_created == 2U);
    BOOST_TEST(result.counters.flows_peak == 2U);
    BOOST_TEST(result.flows_active == 2U);
    BOOST_TEST(captures::base::to_rfc3339(result.first, 6) == "2026-11-23T20:54:22.221960Z");
    BOOST_TEST(captures::base::to_rfc3339(result.last, 6) == "2026-11-23T20:54:32.926527Z");
    BOOST_REQUIRE_EQUAL(result.rules.size(), 1U);
    BOOST_TEST(result.rules[0].rule == "inbound/ssh-web01");
    BOOST_TEST(result.rules[0].flows == 2U);
    BOOST_REQUIRE_EQUAL(result.windows.size(), 1U);
    BOOST_TEST(result.windows[0].flows == 2U);
    BOOST_TEST((result.windows[0].record.start == result.first + 3s));
}

BOOST_AUTO_TEST_CASE(an_event_happens_before_the_packets_of_its_nanosecond) {
    const auto day = scenario(request("+1s"));
    const auto played = Play{.scenario = day}(
        capture_of(built({arp("198.51.100.7", "198.51.100.1").after(0s), syn(1s - 1ns, 40000), syn(1s, 40001)})));
    BOOST_TEST((played.reasons() == Reasons{Reason::not_ip, Reason::jit_closed, Reason::dnat}));
    BOOST_TEST(played.told[2].window == 1U);
}

BOOST_AUTO_TEST_CASE(a_window_expires_before_the_events_of_its_nanosecond) {
    const auto day = scenario(request("+0s", "PT5M") + request("+300s", "PT5M"));
    const auto played = Play{.scenario = day}(capture_of(built({syn(0s, 40000), syn(300s, 40001)})));
    BOOST_REQUIRE_EQUAL(played.result.windows.size(), 2U);
    const auto& first = played.result.windows[0];
    BOOST_TEST((first.record.status == Status::revoked));
    BOOST_TEST((first.record.status_reason == StatusReason::expired));  // and not: replaced by the newer one
    BOOST_TEST(first.flows == 1U);
    BOOST_TEST((played.result.windows[1].record.status == Status::initiated));
    BOOST_TEST(played.result.windows[1].flows == 1U);
}

BOOST_AUTO_TEST_CASE(events_of_one_moment_happen_in_the_order_of_the_file) {
    const auto capture = capture_of(built({syn(0s, 40000), syn(1s, 40001)}));
    const auto opened_last = Play{.scenario = scenario(request("+1s") + revoke("+1s", "false") + request("+1s"))};
    BOOST_TEST((opened_last(capture).reasons() == Reasons{Reason::jit_closed, Reason::dnat}));
    const auto revoked_last = Play{.scenario = scenario(request("+1s") + revoke("+1s", "false"))};
    BOOST_TEST((revoked_last(capture).reasons() == Reasons{Reason::jit_closed, Reason::jit_closed}));
}

BOOST_AUTO_TEST_CASE(the_order_of_the_file_does_not_matter_to_events_of_different_moments) {
    const auto played = Play{.scenario = scenario(revoke("+2s", "false") + request("+1s"))}(
        capture_of(built({syn(0s, 40000), syn(1s, 40001), syn(2s, 40002)})));
    BOOST_TEST((played.reasons() == Reasons{Reason::jit_closed, Reason::dnat, Reason::jit_closed}));
    BOOST_TEST(played.result.refused.empty());
}

BOOST_AUTO_TEST_CASE(an_event_at_a_time_of_day_before_the_capture_has_happened) {
    const auto capture = capture_of(built({syn(0s)}));
    BOOST_TEST(
        (Play{.scenario = scenario(request("2026-01-31T09:00:00Z"))}(capture).reasons() == Reasons{Reason::dnat}));
    BOOST_TEST((Play{.scenario = scenario(request("2026-01-31T08:00:00Z"))}(capture).reasons() ==
                Reasons{Reason::jit_closed}));  // its hour is over
}

BOOST_AUTO_TEST_CASE(what_comes_after_the_last_packet_did_not_happen) {
    const auto day = scenario(request("+1s") + request("+2s") + request("2026-02-01T00:00:00Z"));
    const auto played = Play{.scenario = day}(capture_of(built({syn(0s, 40000), syn(1s, 40001)})));
    BOOST_TEST(played.result.events_not_reached == 2U);
    BOOST_TEST(played.result.windows.size() == 1U);
    const auto nothing = Play{.scenario = day}(capture_of({}));
    BOOST_TEST(nothing.result.events_not_reached == 3U);
    BOOST_TEST(nothing.result.windows.empty());
}

BOOST_AUTO_TEST_CASE(a_refused_event_is_told_and_the_replay_goes_on) {
    const auto day = scenario(revoke("+0s", "false") + request("+1s", "PT4H") + request("+1s", "PT1H", "3389") +
                              request("+2s"));
    const auto played = Play{.scenario = day}(capture_of(built({syn(0s, 40000), syn(1s, 40001), syn(2s, 40002)})));
    BOOST_TEST((played.reasons() == Reasons{Reason::jit_closed, Reason::jit_closed, Reason::dnat}));
    const auto& refused = played.result.refused;
    BOOST_REQUIRE_EQUAL(refused.size(), 3U);
    BOOST_TEST(refused[0].what == "revocation by operator@lab.example for web01 port 22");
    BOOST_TEST(refused[0].refusal.code == policy::refusal_code::request_not_found);
    BOOST_TEST(refused[0].place.file == "day.toml");
    BOOST_TEST(refused[0].place.line == 1U);
    BOOST_TEST((refused[0].time == start_time));
    BOOST_TEST(refused[1].what == "request of operator@lab.example for web01 port 22");
    BOOST_TEST(refused[1].refusal.code == policy::refusal_code::not_a_subset);
    BOOST_TEST(refused[1].place.line == 4U);
    BOOST_TEST((refused[1].time == start_time + 1s));
    BOOST_TEST(refused[2].what == "request of operator@lab.example for web01 port 3389");
}

BOOST_AUTO_TEST_CASE(a_revocation_that_cuts_ends_the_sessions_of_its_window) {
    const auto capture = capture_of(built({syn(0s), answer(1ms), data(1s), data(3s), syn(4s, 40001)}));
    const auto cut = Play{.scenario = scenario(request("+0s") + revoke("+2s", "true"))}(capture);
    BOOST_TEST((cut.reasons() ==
                Reasons{Reason::dnat, Reason::reply, Reason::established, Reason::window_cut, Reason::jit_closed}));
    BOOST_TEST(cut.result.counters.synthesized == 2U);
    BOOST_TEST((cut.told[3].number == 0U && cut.told[3].time == start_time + 2s));  // in its place, at its time
    const auto kept = Play{.scenario = scenario(request("+0s") + revoke("+2s", "false"))}(capture);
    BOOST_TEST((kept.reasons() ==
                Reasons{Reason::dnat, Reason::reply, Reason::established, Reason::established, Reason::jit_closed}));
    BOOST_TEST(kept.result.counters.synthesized == 0U);
}

BOOST_AUTO_TEST_CASE(a_renewed_window_takes_over_the_sessions_of_the_older_one) {
    const auto day = scenario(request("+0s") + request("+1s") + revoke("+3s", "true"));
    const auto played = Play{.scenario = day}(capture_of(built({syn(0s), answer(1ms), data(2s), data(4s)})));
    BOOST_TEST((played.reasons() == Reasons{Reason::dnat, Reason::reply, Reason::established, Reason::window_cut}));
    BOOST_TEST((played.result.windows.at(0).record.status_reason == StatusReason::newer_request_initiated));
}

BOOST_AUTO_TEST_CASE(a_reload_counts_rules_by_name_and_keeps_them_in_order) {
    const ScratchFolder folder;
    const auto rule = [](const std::string& name, const std::string& port) {
        return "[[nat_rule_collection.rule]]\nname = \"" + name + R"("
protocols = ["TCP"]
source_addresses = ["*"]
destination_addresses = ["203.0.113.10"]
destination_ports = [")" +
               port + "\"]\ntranslated_address = \"10.1.0.4\"\ntranslated_port = \"22\"\n";
    };
    const auto config = [&](const std::string& rules) {
        return std::string{test::firewall_line} + "[[nat_rule_collection]]\nname = \"inbound\"\npriority = 200\n" +
               rules;
    };
    const auto text = config(rule("added", "2222") + rule("kept", "50022"));
    const auto next = folder.file("next.toml", std::as_bytes(std::span(text)));
    auto before = gateway::config_file::parse_config(config(rule("gone", "50023") + rule("kept", "50022")), "lab.toml");
    BOOST_REQUIRE_EQUAL(test::errors_of(before), "");
    const auto day = scenario("[[event]]\nat = \"+2s\"\nreload = { config = \"" + next + "\" }\n");
    const auto played = Play{.config = before->config, .scenario = day}(
        capture_of(built({syn(0s, 40000), syn(1s, 40001), syn(2s, 40002),
                          tcp("198.51.100.7:40003", "203.0.113.10:2222").syn().after(3s)})));
    BOOST_TEST(played.result.refused.empty());
    BOOST_TEST((played.reasons() == Reasons{Reason::dnat, Reason::dnat, Reason::dnat, Reason::dnat}));
    std::string uses;
    for (const auto& use : played.result.rules) uses += use.rule + " " + std::to_string(use.flows) + "\n";
    BOOST_TEST(uses == "inbound/gone 0\ninbound/kept 3\ninbound/added 1\n");
}

BOOST_AUTO_TEST_CASE(rules_of_one_name_in_two_groups_are_counted_apart) {
    auto config = open_lab();
    auto& rules = config.nat_rules;
    rules.push_back(rules.front());
    rules.push_back(rules.front());
    rules.front().name = {.collection = "inbound", .rule = "ssh", .group = "first", .policy = "p"};
    rules.back().name = {.collection = "inbound", .rule = "ssh", .group = "second", .policy = "p"};
    rules.back().destination_ports = {{2222, 2222}};
    const auto played = Play{.config = config}(
        capture_of(built({syn(0s), tcp("198.51.100.7:40003", "203.0.113.10:2222").syn().after(1s)})));
    BOOST_TEST(played.result.rules.front().rule == "inbound/ssh of group first");
    BOOST_TEST(played.result.rules.front().flows == 1U);
    BOOST_TEST(played.result.rules.back().rule == "inbound/ssh of group second");
    BOOST_TEST(played.result.rules.back().flows == 1U);
}

BOOST_AUTO_TEST_CASE(a_broken_capture_is_replayed_up_to_the_break) {
    auto capture = capture_of(built({syn(0s, 40000), syn(1s, 40001), syn(2s, 40002)}));
    capture.resize(capture.size() - 5);
    const auto played = Play{.config = open_lab()}(capture);
    BOOST_TEST((played.reasons() == Reasons{Reason::dnat, Reason::dnat}));
    BOOST_REQUIRE(played.result.read_error.has_value());
    BOOST_TEST(played.result.read_error->packet == 3U);
    BOOST_TEST((played.result.last == start_time + 1s));
}

BOOST_AUTO_TEST_CASE(it_stops_after_a_burst_when_told_to) {
    std::vector<OwnedFrame> packets;
    packets.reserve(600);
    for (int i = 0; i < 600; ++i) packets.push_back(udp("198.51.100.7:1000", "203.0.113.10:53").after(i * 1ms).build());
    const auto capture = capture_of(std::move(packets));
    int asked = 0;
    const auto stopped = Play{.config = open_lab(), .keep_going = [&] { return ++asked < 2; }}(capture);
    BOOST_TEST(stopped.result.stopped);
    BOOST_TEST(asked == 2);
    BOOST_TEST(stopped.result.counters.packets == 2 * captures::packet::burst_capacity);
    BOOST_TEST(!Play{.config = open_lab()}(capture).result.stopped);
}

BOOST_AUTO_TEST_CASE(fragments_that_still_wait_at_the_end_are_counted) {
    auto fragments = fragments_of(udp("198.51.100.7:1000", "203.0.113.10:53").id(7).payload_size(2000), 1000);
    fragments.erase(fragments.begin());
    const auto count = fragments.size();
    const auto played = Play{.config = open_lab()}(capture_of(std::move(fragments)));
    BOOST_TEST(played.result.counters.packets == count);
    BOOST_TEST(played.count(Reason::fragment) == count);
}

BOOST_AUTO_TEST_CASE(where_the_clock_runs_backwards_it_stands_still) {
    const auto day = scenario(request("+1s", "PT5M"));
    const auto played = Play{.scenario = day}(
        capture_of(built({syn(0s, 40000), syn(301s, 40001), syn(100s, 40002)})));  // 100 s in: the window was open
    BOOST_TEST((played.reasons() == Reasons{Reason::jit_closed, Reason::jit_closed, Reason::jit_closed}));
    BOOST_TEST(played.result.counters.clock_steps_back == 1U);
    BOOST_TEST((played.result.last == start_time + 301s));
}

BOOST_AUTO_TEST_CASE(frames_of_a_second_wire_are_noticed_where_one_was_announced) {
    const auto capture = capture_of(built({syn(0s), answer(1ms)}));
    const auto one_wire = capture_of(built({syn(0s), syn(1s)}));
    const Play outside{.config = open_lab(), .vantage = Vantage::outside};
    const Play both{.config = open_lab(), .vantage = Vantage::both};
    const auto mixed = outside(capture);
    BOOST_TEST(mixed.result.several_wires);
    BOOST_TEST((mixed.told.at(1).side == captures::packet::Side::outside));  // where it was dropped
    BOOST_TEST(!outside(one_wire).result.several_wires);
    BOOST_TEST(!both(capture).result.several_wires);
}

BOOST_AUTO_TEST_CASE(replaying_twice_tells_the_same) {
    auto day = gateway::replay::load_scenario(sample("opened.toml"));
    BOOST_REQUIRE_EQUAL(test::errors_of(day), "");
    const Play play{.scenario = *day, .vantage = Vantage::outside};
    const auto capture = content_of(sample("ssh.pcap"));
    const auto first = play(capture);
    BOOST_TEST(first.told.size() == 170U);
    BOOST_TEST((first.told == play(capture).told));
}

BOOST_AUTO_TEST_CASE(a_capture_without_packets_comes_to_nothing) {
    const auto played = Play{}(capture_of({}));
    BOOST_TEST(played.result.counters.packets == 0U);
    BOOST_TEST((played.result.first == Time{} && played.result.last == Time{}));
    BOOST_TEST(played.result.rules.size() == 1U);
    BOOST_TEST(played.result.rules[0].flows == 0U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_replayed_is_told_to_a_person) {
    auto config = open_lab();
    config.machines[0].nsg = {"nowhere"};
    const auto replay = Replay::create(config, {}, Vantage::both);
    BOOST_REQUIRE(!replay);
    BOOST_TEST(replay.error() == "virtual machine web01 names no known NSG: nowhere");
}

BOOST_AUTO_TEST_SUITE_END()
