#include "gateway/replay/scenario.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/config_text.hpp"
#include "tests/support/scratch_folder.hpp"

namespace scenario_test {

using gateway::replay::ExtendEvent;
using gateway::replay::parse_scenario;
using gateway::replay::ReloadEvent;
using gateway::replay::RequestEvent;
using gateway::replay::RevokeEvent;
using policy::Fate;
using policy::Reason;
using test::Mistake;

/// The example of the design.
constexpr std::string_view example = R"([[event]]
at = "+2s"
request = { by = "operator@lab.example", vm = "web01", port = 22, source = "198.51.100.7", duration = "PT1H", justification = "patching" }
[[event]]
at = "+40m"
revoke = { by = "operator@lab.example", vm = "web01", port = 22, cut = true }
[[expect]]
flow = { from = "198.51.100.7:40000", to = "203.0.113.10:50022" }
forwarded = 12
dropped = 2
[[expect]]
packet = 1                             # 1-based number in the input
fate = "drop"
reason = "jit-closed"
)";

gateway::replay::Scenario load(std::string_view text) {
    auto loaded = parse_scenario(text, "day.toml", "cases/one");
    BOOST_REQUIRE(test::errors_of(loaded) == "");
    return std::move(*loaded);
}

void check(std::string_view before, const std::vector<Mistake>& mistakes) {
    for (const auto& mistake : mistakes) {
        const auto loaded = parse_scenario(std::string{before} + std::string{mistake.text} + '\n', "day.toml");
        BOOST_TEST(test::difference(loaded ? gateway::config::Findings{} : loaded.error(), mistake) == "");
    }
}

}  // namespace scenario_test

BOOST_AUTO_TEST_SUITE(scenario_test)

BOOST_AUTO_TEST_CASE(the_example_of_the_design_loads) {
    const auto scenario = load(example);
    BOOST_REQUIRE(scenario.events.size() == 2U);
    BOOST_TEST((scenario.events[0].at == gateway::replay::Moment{captures::base::Duration{std::chrono::seconds{2}}}));
    BOOST_TEST(scenario.events[0].place.line == 1U);
    const auto& request = std::get<RequestEvent>(scenario.events[0].what).request;
    BOOST_TEST(request.requestor == "operator@lab.example");
    BOOST_TEST(request.machine == "web01");
    BOOST_TEST(request.justification == "patching");
    BOOST_TEST(!request.caller_address);
    BOOST_REQUIRE(request.ports.size() == 1U);
    BOOST_TEST(request.ports[0].number == 22);
    BOOST_TEST(request.ports[0].sources.at(0) == "198.51.100.7");
    BOOST_TEST((request.ports[0].duration == std::chrono::hours{1}));
    BOOST_TEST(!request.ports[0].end_time);

    const auto& revoke = std::get<RevokeEvent>(scenario.events[1].what);
    BOOST_TEST((scenario.events[1].at == gateway::replay::Moment{captures::base::Duration{std::chrono::minutes{40}}}));
    BOOST_TEST(revoke.by == "operator@lab.example");
    BOOST_TEST(revoke.port == 22);
    BOOST_TEST(revoke.cut);

    BOOST_REQUIRE(scenario.flows.size() == 1U);
    BOOST_TEST(to_string(scenario.flows[0].flow.source) == "198.51.100.7:40000");
    BOOST_TEST(to_string(scenario.flows[0].flow.destination) == "203.0.113.10:50022");
    BOOST_TEST((scenario.flows[0].flow.protocol == captures::base::Protocol::tcp));
    BOOST_TEST(scenario.flows[0].forwarded.value() == 12U);
    BOOST_TEST(scenario.flows[0].dropped.value() == 2U);
    BOOST_TEST(!scenario.flows[0].reason);

    BOOST_REQUIRE(scenario.packets.size() == 1U);
    BOOST_TEST(scenario.packets[0].packet == 1U);
    BOOST_TEST((scenario.packets[0].fate == Fate::drop));
    BOOST_TEST((scenario.packets[0].reason == Reason::jit_closed));
    BOOST_TEST(scenario.packets[0].place.line == 11U);
}

BOOST_AUTO_TEST_CASE(several_ports_and_sources_are_one_request) {
    const auto scenario = load(R"([[event]]
at = 2026-01-31T09:30:00Z
request = { by = "a", vm = "v", ports = [22, "3389"], sources = ["198.51.100.7", "*"], end_time = "2026-01-31T10:30:00+01:00" }
)");
    BOOST_TEST(
        (scenario.events[0].at == gateway::replay::Moment{captures::base::parse_time("2026-01-31T09:30:00Z").value()}));
    const auto& ports = std::get<RequestEvent>(scenario.events[0].what).request.ports;
    BOOST_REQUIRE(ports.size() == 2U);
    BOOST_TEST(ports[1].number == 3389);
    BOOST_TEST(ports[1].sources.size() == 2U);
    BOOST_TEST((ports[1].end_time == captures::base::parse_time("2026-01-31T09:30:00Z")));
    BOOST_TEST(!ports[1].duration);
}

BOOST_AUTO_TEST_CASE(extend_reload_and_all_that_can_be_expected_are_read) {
    const auto scenario = load(R"([[event]]
at = "2026-01-31T09:30:00.000000001Z"
extend = { by = "a", vm = "v", port = "22", duration = "90m" }
[[event]]
at = "+0s"
reload = { config = "other.toml" }
[[event]]
at = "+PT1M"
reload = { config = "/etc/lab.toml" }
[[event]]
at = "+1s"
revoke = { by = "a", vm = "v", port = 22 }
[[expect]]
packet = 9007199254740993
rule = "inbound/ssh web01"
[[expect]]
packet = 2
fate = "forward"
reason = "related"
[[expect]]
flow = { from = "198.51.100.7:1", to = "203.0.113.10:53", protocol = "UDP" }
reason = "no-listener"
)");
    const auto& extend = std::get<ExtendEvent>(scenario.events.at(0).what);
    BOOST_TEST(extend.port == 22);
    BOOST_TEST((extend.duration == std::chrono::minutes{90}));
    BOOST_TEST(std::get<ReloadEvent>(scenario.events.at(1).what).config == "cases/one/other.toml");
    BOOST_TEST(std::get<ReloadEvent>(scenario.events.at(2).what).config == "/etc/lab.toml");
    BOOST_TEST(!std::get<RevokeEvent>(scenario.events.at(3).what).cut);
    BOOST_TEST(scenario.packets.at(0).packet == 9007199254740993U);
    BOOST_TEST(scenario.packets.at(0).rule.value() == "inbound/ssh web01");
    BOOST_TEST(!scenario.packets.at(0).fate);
    BOOST_TEST((scenario.packets.at(1).reason == Reason::related));
    BOOST_TEST((scenario.flows.at(0).flow.protocol == captures::base::Protocol::udp));
    BOOST_TEST((scenario.flows.at(0).reason == Reason::no_listener));
}

BOOST_AUTO_TEST_CASE(every_reason_and_fate_is_understood) {
    for (const auto reason : policy::reason_texts) {
        const auto scenario = load("[[expect]]\npacket = 1\nreason = \"" + std::string{reason} + "\"\n");
        BOOST_TEST(to_string(scenario.packets.at(0).reason.value()) == reason);
        const auto fate = fate_of(*scenario.packets.at(0).reason);
        const auto both = load("[[expect]]\npacket = 1\nreason = \"" + std::string{reason} + "\"\nfate = \"" +
                               std::string{to_string(fate)} + "\"\n");
        BOOST_TEST((both.packets.at(0).fate == fate));
    }
}

BOOST_AUTO_TEST_CASE(an_empty_scenario_is_one) {
    BOOST_TEST(load("").events.empty());
    BOOST_TEST(load("# nothing happens\n").packets.empty());
}

BOOST_AUTO_TEST_CASE(an_event_has_a_time_and_does_one_thing) {
    check("[[event]]\n", {
                             {"reload = { config = \"x\" }", "1:1", "event: needs the key \"at\""},
                             {"at = \"+1s\"", "1:1", "does nothing; give it one of request, extend, revoke, reload"},
                         });
    const std::string before = "[[event]]\nreload = { config = \"x\" }\n";
    check(before,
          {
              {"at = \"2s\"", "3:6", "\"2s\" is not a time; write +2s for two seconds after the first packet"},
              {"at = \"+2\"", "3:6", "\"2\" is not a duration; write for example 90s"},
              {"at = \"+-2s\"", "3:6", "is not a duration"},
              {"at = \"+9999d\"", "3:6", "is more than ten years"},
              {"at = \"2026-01-31T09:30:00\"", "3:6", "RFC 3339 with an offset"},
              {"at = 2026-01-31T09:30:00", "3:6", "RFC 3339 with an offset"},
              {"at = 2026-01-31", "3:6", "RFC 3339 with an offset"},
              {"at = 2400-01-31T09:30:00Z", "3:6", "is not a time"},
              {"at = 2", "3:6", "must be a text or a time"},
              {"at = \"+1s\"\nrevoke = { by = \"a\", vm = \"v\", port = 1 }", "4:10", "an event does one thing"},
              {"at = \"+1s\"\nrelaod = {}", "4:1", "unknown key \"relaod\"; did you mean \"reload\"?"},
              {"at = \"+1s\"\n[[events]]", "4:3", "unknown key \"events\"; did you mean \"event\"?"},
          });
}

BOOST_AUTO_TEST_CASE(what_events_lack_or_have_too_much_of_is_named) {
    check(
        "[[event]]\nat = \"+1s\"\n",
        {
            {"request = { vm = \"v\", port = 22, source = \"*\", duration = \"1h\" }", "3:11", "needs the key \"by\""},
            {"request = { by = \"a\", port = 22, source = \"*\", duration = \"1h\" }", "3:11", "needs the key \"vm\""},
            {"request = { by = \"a\", vm = \"v\", source = \"*\", duration = \"1h\" }", "3:11", "needs port or ports"},
            {"request = { by = \"a\", vm = \"v\", port = 22, duration = \"1h\" }", "3:11", "needs source or sources"},
            {"request = { by = \"a\", vm = \"v\", port = 22, source = \"*\" }", "3:11", "needs duration or end_time"},
            {"request = { by = \"a\", vm = \"v\", port = 22, ports = [22], source = \"*\", duration = \"1h\" }", "3:52",
             "port is given, too; give one of them"},
            {"request = { by = \"a\", vm = \"v\", port = 22, source = \"*\", sources = [\"*\"], duration = \"1h\" }",
             "3:68", "source is given, too"},
            {"request = { by = \"a\", vm = \"v\", port = 22, sources = [], duration = \"1h\" }", "3:54", "names none"},
            {"request = { by = \"a\", vm = \"v\", ports = [], source = \"*\", duration = \"1h\" }", "3:41",
             "names none"},
            {"request = { by = \"a\", vm = \"v\", port = 0, source = \"*\", duration = \"1h\" }", "3:40", "1 to 65535"},
            {"request = { by = \"a\", vm = \"v\", port = 22, source = \"*\", duration = \"1x\" }", "3:69",
             "not a duration"},
            {"extend = { by = \"a\", vm = \"v\", port = 22 }", "3:10", "needs the key \"duration\""},
            {"extend = { by = \"a\", vm = \"v\", duration = \"1h\" }", "3:10", "needs the key \"port\""},
            {"revoke = { by = \"a\", vm = \"v\" }", "3:10", "needs the key \"port\""},
            {"revoke = { by = \"a\", vm = \"v\", port = 22, cut = \"yes\" }", "3:49", "must be true or false"},
            {"reload = {}", "3:10", "needs the key \"config\""},
            {"reload = { config = \"\" }", "3:21", "is not a path"},
            {"reload = \"other.toml\"", "3:10", "must be a table"},
        });
}

BOOST_AUTO_TEST_CASE(expectations_must_be_possible) {
    check("[[expect]]\n",
          {
              {"fate = \"drop\"", "1:1", "needs the key packet or flow"},
              {"packet = 1", "1:1", "expects nothing of the packet; give fate, reason or rule"},
              {"packet = 0\nfate = \"drop\"", "2:10", "give a number from 1"},
              {"packet = 1\nfate = \"dropped\"", "3:8", "\"dropped\" is not a fate; write forward, drop or ignore"},
              {"packet = 1\nreason = \"jit-close\"", "3:10",
               "\"jit-close\" is not a reason; did you mean \"jit-closed\"?; reasons are dnat, established, reply, "
               "related"},
              {"packet = 1\nreason = \"dnat\"\nfate = \"drop\"", "3:10",
               "dnat is a reason of fate forward, never of drop"},
              {"packet = 1\nrule = \"ssh\"", "3:8", "is not a rule; write collection/rule"},
              {"packet = 1\nforwarded = 1\nfate = \"drop\"", "3:1", "unknown key \"forwarded\""},
              {"packet = 1\nfate = \"drop\"\nflow = {}", "4:8", "packet is given, too"},
              {"flow = { from = \"198.51.100.7:1\", to = \"203.0.113.10:2\" }", "1:1", "expects nothing of the flow"},
              {"flow = { from = \"198.51.100.7:1\" }\ndropped = 1", "2:8", "needs the key \"to\""},
              {"flow = { from = \"198.51.100.7\", to = \"203.0.113.10:2\" }\ndropped = 1", "2:17",
               "is not an address and port"},
              {"flow = { from = \"[2001:db8::1]:1\", to = \"203.0.113.10:2\" }\ndropped = 1", "2:17", "is IPv6"},
              {"flow = { from = \"198.51.100.7:1\", to = \"203.0.113.10:0\" }\ndropped = 1", "2:40",
               "is not an address and port"},
              {"flow = { from = \"198.51.100.7:1\", to = \"203.0.113.10:2\", protocol = \"icmp\" }\ndropped = 1",
               "2:69", "write tcp or udp"},
              {"flow = { from = \"198.51.100.7:1\", to = \"203.0.113.10:2\" }\ndropped = -1", "3:11",
               "give a number from 0"},
          });
}

BOOST_AUTO_TEST_CASE(a_file_is_loaded_by_its_path) {
    const support::ScratchFolder scratch;
    const auto& folder = scratch.path();
    const auto path = (folder / "day.toml").string();
    std::ofstream{path} << "[[event]]\nat = \"+1s\"\nreload = { config = \"sub/other.toml\" }\n";
    const auto other = (folder / "sub/other.toml").string();
    const auto without = gateway::replay::load_scenario(path);
    BOOST_REQUIRE(!without.has_value());
    BOOST_TEST(test::text_of(without.error()).find(path + ":1:1: error: " + other + " cannot be used") == 0U);
    BOOST_TEST(test::text_of(without.error()).find(other + ": error: cannot be read: No such file") !=
               std::string::npos);

    std::filesystem::create_directories(folder / "sub");
    std::ofstream{other} << test::firewall_line;
    const auto loaded = gateway::replay::load_scenario(path);
    BOOST_REQUIRE_EQUAL(test::errors_of(loaded), "");
    const auto& reload = std::get<ReloadEvent>(loaded->events.at(0).what);
    BOOST_TEST(reload.config == other);
    BOOST_TEST((reload.loaded != nullptr));
    std::filesystem::remove_all(folder);
    const auto missing = gateway::replay::load_scenario(path);
    BOOST_REQUIRE(!missing.has_value());
    BOOST_TEST(test::text_of(missing.error()).find(path + ": error: cannot be read: No such file") == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
