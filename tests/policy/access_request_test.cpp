#include "policy/access_request.hpp"

#include <boost/test/unit_test.hpp>

namespace access_request_test {

using captures::base::Duration;
using captures::base::Prefix;
using captures::base::Protocol;
using captures::base::Time;
using policy::AccessRequest;
using policy::JitPolicy;
using policy::JitPort;
using policy::later;
using policy::Refusal;
using policy::RequestedPort;
using namespace std::chrono_literals;

namespace refusal_code = policy::refusal_code;

constexpr Time noon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h};

std::vector<Prefix> prefixes(std::initializer_list<std::string_view> texts) {
    std::vector<Prefix> result;
    for (const auto text : texts) result.push_back(Prefix::parse(text).value());
    return result;
}

JitPolicy policy_of_web01() {
    return {.machines = {{"web01",
                          {{22, Protocol::tcp, prefixes({"198.51.100.0/25", "198.51.100.128/25"}), 3h},
                           {3389, {}, prefixes({"*"}), 24h},
                           {53, Protocol::tcp, prefixes({"*"}), 3h},
                           {53, Protocol::udp, prefixes({"*"}), 1h}}}}};
}

RequestedPort port(std::uint16_t number, std::vector<std::string> sources = {"198.51.100.7"}, Duration duration = 1h) {
    return {.number = number, .sources = std::move(sources), .duration = duration, .end_time = {}};
}

RequestedPort port_until(std::uint16_t number, Time end) {
    return {.number = number, .sources = {"198.51.100.7"}, .duration = {}, .end_time = end};
}

AccessRequest request(std::vector<RequestedPort> ports) {
    return {.requestor = "operator@lab.example",
            .machine = "web01",
            .ports = std::move(ports),
            .justification = {},
            .caller_address = {}};
}

/// Empty where the request is approved.
Refusal refusal_of(const AccessRequest& asked, const JitPolicy& policy = policy_of_web01(), Time now = noon) {
    const auto result = validate(asked, policy, now);
    return result ? Refusal{} : result.error();
}

struct Row {
    std::string_view what;
    std::vector<RequestedPort> ports;
    std::string_view code;     ///< empty: approved
    std::string_view message;  ///< in full
};

void check(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.what) {
            const auto refusal = refusal_of(request(row.ports));
            BOOST_TEST(refusal.code == row.code);
            BOOST_TEST(refusal.message == row.message);
        }
    }
}

}  // namespace access_request_test

BOOST_AUTO_TEST_SUITE(access_request_test)

BOOST_AUTO_TEST_CASE(an_approved_port_carries_its_rule_its_sources_and_its_end) {
    const auto approved = validate(request({port(3389, {"198.51.100.7", "192.0.2.9/24", "192.0.2.0/24"}, 90min)}),
                                   policy_of_web01(), noon);
    BOOST_REQUIRE(approved.has_value());
    BOOST_REQUIRE(approved->size() == 1U);
    BOOST_TEST(approved->front().rule.number == 3389);
    BOOST_TEST((approved->front().sources == prefixes({"198.51.100.7", "192.0.2.0/24"})));  // each but once
    BOOST_TEST((approved->front().end == noon + 90min));
}

BOOST_AUTO_TEST_CASE(an_end_time_is_taken_as_it_is) {
    const auto approved = validate(request({port_until(22, noon + 1h + 1ns)}), policy_of_web01(), noon);
    BOOST_REQUIRE(approved.has_value());
    BOOST_TEST((approved->front().end == noon + 1h + 1ns));
}

BOOST_AUTO_TEST_CASE(without_a_source_the_callers_address_stands_in) {
    auto asked = request({port(22, {})});
    asked.caller_address = captures::base::Ipv4Address::parse("198.51.100.200");
    const auto approved = validate(asked, policy_of_web01(), noon);
    BOOST_REQUIRE(approved.has_value());
    BOOST_TEST((approved->front().sources == prefixes({"198.51.100.200"})));
    asked.caller_address = captures::base::Ipv4Address::parse("192.0.2.1");
    BOOST_TEST(refusal_of(asked).message ==
               "source 192.0.2.1 of port 22 is outside 198.51.100.0/25, 198.51.100.128/25");
    asked.caller_address = {};
    BOOST_TEST(refusal_of(asked).code == refusal_code::invalid_input);
    BOOST_TEST(refusal_of(asked).message ==
               "No source is given for port 22, and the caller's address is not known: name an address, a CIDR block "
               "or *.");
}

BOOST_AUTO_TEST_CASE(a_port_listed_for_tcp_and_for_udp_is_asked_for_in_both) {
    const auto approved = validate(request({port(53)}), policy_of_web01(), noon);
    BOOST_REQUIRE(approved.has_value());
    BOOST_REQUIRE(approved->size() == 2U);
    BOOST_TEST((approved->at(0).rule.protocol == Protocol::tcp));
    BOOST_TEST((approved->at(1).rule.protocol == Protocol::udp));
    BOOST_TEST(refusal_of(request({port(53, {"198.51.100.7"}, 2h)})).message ==
               "PT2H for port 53 is longer than the policy's PT1H");
}

BOOST_AUTO_TEST_CASE(the_shape_of_a_request_is_judged_first) {
    constexpr std::string_view invalid = "InvalidInitiateInput";
    constexpr std::string_view either = "Only one of fields 'EndTimeUtc' and 'Duration' can be set.";
    constexpr std::string_view ipv6 =
        "The provided access request contains a source IP address in IPv6 format, which is unsupported by Just-In-Time "
        "Network Access.";
    auto neither = port(22);
    neither.duration = {};
    auto both = port(22);
    both.end_time = noon + 1h;
    check({
        {"nothing", {}, invalid, "The access request names no port: name at least one."},
        {"neither duration nor end", {neither}, invalid, either},
        {"both duration and end", {both}, invalid, either},
        {"neither, for a port that is not in the policy",
         {port(22),
          [&] {
              auto p = neither;
              p.number = 1;
              return p;
          }()},
         invalid,
         either},
        {"one port twice",
         {port(22), port(3389), port(22)},
         invalid,
         "The access request names port 22 more than once."},
        {"IPv6", {port(22, {"2001:db8::1"})}, invalid, ipv6},
        {"IPv6 prefix", {port(22, {"198.51.100.7", "::/0"})}, invalid, ipv6},
        {"IPv6 with an IPv4 tail", {port(22, {"::ffff:198.51.100.7"})}, invalid, ipv6},
        {"IPv6 before a port that is not in the policy", {port(23, {"::1"})}, invalid, ipv6},
        {"empty source", {port(22, {""})}, invalid, "Source '' for port 22 is not an IPv4 address, a CIDR block or *."},
        {"a name",
         {port(22, {"home"})},
         invalid,
         "Source 'home' for port 22 is not an IPv4 address, a CIDR block or *."},
        {"a range",
         {port(22, {"198.51.100.1-198.51.100.9"})},
         invalid,
         "Source '198.51.100.1-198.51.100.9' for port 22 is not an IPv4 address, a CIDR block or *."},
        {"address and port",
         {port(22, {"198.51.100.7:22"})},
         invalid,
         "Source '198.51.100.7:22' for port 22 is not an IPv4 address, a CIDR block or *."},
        {"length 33",
         {port(22, {"198.51.100.7/33"})},
         invalid,
         "Source '198.51.100.7/33' for port 22 is not an IPv4 address, a CIDR block or *."},
        {"what a terminal would obey",
         {port(22, {"\x1b[31m\n"})},
         invalid,
         "Source '?[31m?' for port 22 is not an IPv4 address, a CIDR block or *."},
        {"a long text",
         {port(22, {std::string(1000, 'x')})},
         invalid,
         "Source 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' for port 22 is not an IPv4 "
         "address, "
         "a CIDR block or *."},
    });
}

BOOST_AUTO_TEST_CASE(the_policy_is_not_needed_to_see_a_bad_shape) {
    BOOST_TEST(!malformed(request({port(23)})).has_value());
    BOOST_TEST(malformed(request({})).has_value());
    const JitPolicy nobody;
    BOOST_TEST(refusal_of(request({}), nobody).code == refusal_code::invalid_input);
    BOOST_TEST(refusal_of(request({port(22)}), nobody).code == refusal_code::not_a_subset);
}

BOOST_AUTO_TEST_CASE(ports_sources_and_limits_outside_the_policy_are_named) {
    constexpr std::string_view subset = "RequestNotSubsetOfPolicy";
    check({
        {"all of the policy", {port(22), port(3389)}, "", ""},
        {"a port not listed", {port(23)}, subset, "port 23 is not in the policy of machine web01 (22, 3389, 53, 53)"},
        {"one good, one not listed",
         {port(22), port(80)},
         subset,
         "port 80 is not in the policy of machine web01 (22, 3389, 53, 53)"},
        {"both halves", {port(22, {"198.51.100.0/24"})}, "", ""},
        {"a host of either half", {port(22, {"198.51.100.127", "198.51.100.128"})}, "", ""},
        {"wider than both halves",
         {port(22, {"198.51.100.0/23"})},
         subset,
         "source 198.51.100.0/23 of port 22 is outside 198.51.100.0/25, 198.51.100.128/25"},
        {"a neighbour",
         {port(22, {"198.51.100.7", "198.51.101.0"})},
         subset,
         "source 198.51.101.0 of port 22 is outside 198.51.100.0/25, 198.51.100.128/25"},
        {"everybody",
         {port(22, {"0.0.0.0/0"})},
         subset,
         "source 0.0.0.0/0 of port 22 is outside 198.51.100.0/25, 198.51.100.128/25"},
        {"everybody as a star",
         {port(22, {"*"})},
         subset,
         "source 0.0.0.0/0 of port 22 is outside 198.51.100.0/25, 198.51.100.128/25"},
        {"everybody where that is allowed", {port(3389, {"*"})}, "", ""},
        {"too long", {port(22, {"198.51.100.7"}, 5h)}, subset, "PT5H for port 22 is longer than the policy's PT3H"},
    });
}

BOOST_AUTO_TEST_CASE(a_machine_that_the_policy_does_not_list_is_refused) {
    auto asked = request({port(22)});
    asked.machine = "web02";
    BOOST_TEST(refusal_of(asked).code == refusal_code::not_a_subset);
    BOOST_TEST(refusal_of(asked).message == "machine 'web02' is not in policy 'default'");
    asked.machine = "WEB01";
    BOOST_TEST(refusal_of(asked).message == "");
}

BOOST_AUTO_TEST_CASE(a_long_list_of_ports_or_sources_is_cut_in_the_message) {
    auto policy = policy_of_web01();
    auto& ports = policy.machines[0].ports;
    ports.clear();
    for (std::uint16_t number = 1; number <= 20; ++number) ports.push_back(JitPort{number, {}, prefixes({"*"}), 3h});
    BOOST_TEST(refusal_of(request({port(22)}), policy).message ==
               "port 22 is not in the policy of machine web01 (1, 2, 3, 4, 5, 6, 7, 8 and 12 more)");
}

BOOST_AUTO_TEST_CASE(durations_lie_between_five_minutes_and_the_policys_maximum) {
    struct Limit {
        std::uint16_t number;
        Duration duration;
        std::string_view message;
    };
    for (const auto& row : {
             Limit{22, 5min, ""},
             Limit{22, 5min - 1ns, "shorter than PT5M"},
             Limit{22, 4min, "PT4M for port 22 is shorter than PT5M"},
             Limit{22, 0ns, "shorter than PT5M"},
             Limit{22, 3h, ""},
             Limit{22, 3h + 1ns, "longer than the policy's PT3H"},
             Limit{22, Duration::max(), "longer than the policy's PT3H"},
             Limit{3389, 24h, ""},
             Limit{3389, 24h + 1ns, "longer than the policy's P1D"},
         }) {
        const auto refusal = refusal_of(request({port(row.number, {"198.51.100.7"}, row.duration)}));
        BOOST_TEST_CONTEXT(row.duration.count() << " ns for port " << row.number) {
            BOOST_TEST(refusal.code.empty() == row.message.empty());
            BOOST_TEST(refusal.message.find(row.message) != std::string::npos, refusal.message);
        }
    }
}

BOOST_AUTO_TEST_CASE(end_times_lie_as_far_ahead_as_durations_may_be_long) {
    struct Limit {
        std::uint16_t number;
        Time end;
        std::string_view message;
    };
    for (const auto& row : {
             Limit{22, noon + 5min, ""},
             Limit{22, noon + 5min - 1ns, "is less than PT5M ahead"},
             Limit{22, noon + 1ns, "is less than PT5M ahead"},
             Limit{22, noon, "is not in the future"},
             Limit{22, noon - 1h,
                   "end time 2026-01-31T11:00:00Z for port 22 is not in the future (it is now 2026-01-31T12:00:00Z)"},
             Limit{22, Time::min(), "is not in the future"},
             Limit{22, noon + 3h, ""},
             Limit{22, noon + 3h + 1ns, "is more than the policy's PT3H ahead"},
             Limit{22, Time::max(), "is more than the policy's PT3H ahead"},
             Limit{3389, noon + 24h, ""},
             Limit{3389, noon + 24h + 1ns, "is more than the policy's P1D ahead"},
         }) {
        const auto refusal = refusal_of(request({port_until(row.number, row.end)}));
        BOOST_TEST_CONTEXT(row.end.time_since_epoch().count() << " for port " << row.number) {
            BOOST_TEST(refusal.code.empty() == row.message.empty());
            BOOST_TEST(refusal.message.find(row.message) != std::string::npos, refusal.message);
        }
    }
}

BOOST_AUTO_TEST_CASE(no_policy_can_allow_more_than_a_day) {
    auto policy = policy_of_web01();
    policy.machines[0].ports[0].max_duration = 48h;
    BOOST_TEST(refusal_of(request({port(22, {"198.51.100.7"}, 24h)}), policy).message == "");
    BOOST_TEST(refusal_of(request({port(22, {"198.51.100.7"}, 25h)}), policy).message ==
               "P1DT1H for port 22 is longer than P1D");
    BOOST_TEST(refusal_of(request({port_until(22, noon + 25h)}), policy).code == refusal_code::not_a_subset);
}

BOOST_AUTO_TEST_CASE(a_justification_may_be_required) {
    auto policy = policy_of_web01();
    policy.justification_required = true;
    auto asked = request({port(22)});
    for (const auto* const missing : {"", " ", "\t\r\n "}) {
        asked.justification = missing;
        BOOST_TEST(refusal_of(asked, policy).code == refusal_code::invalid_input);
        BOOST_TEST(refusal_of(asked, policy).message == "Policy 'default' requires a justification.");
        BOOST_TEST(refusal_of(asked).message == "");
    }
    asked.justification = "patching";
    BOOST_TEST(refusal_of(asked, policy).message == "");
}

BOOST_AUTO_TEST_CASE(a_request_is_bounded) {
    std::vector<RequestedPort> ports;
    auto policy = policy_of_web01();
    for (std::uint16_t number = 1; number <= policy::most_ports; ++number) {
        ports.push_back(port(number));
        policy.machines[0].ports.push_back(JitPort{number, {}, prefixes({"*"}), 3h});
    }
    BOOST_TEST(refusal_of(request(ports), policy).message == "");
    ports.push_back(port(3389));
    BOOST_TEST(refusal_of(request(ports), policy).message ==
               "The access request names 101 ports; at most 100 are accepted.");

    std::vector<std::string> sources(policy::most_sources - 1, "198.51.100.7");
    BOOST_TEST(refusal_of(request({port(22), port(3389, sources)})).message == "");
    sources.emplace_back("198.51.100.8");
    BOOST_TEST(refusal_of(request({port(3389, sources)})).message == "");
    BOOST_TEST(refusal_of(request({port(22), port(3389, sources)})).message ==
               "The access request names more than 500 sources.");
}

BOOST_AUTO_TEST_CASE(a_justification_is_bounded_in_characters_and_in_bytes) {
    auto asked = request({port(22)});
    std::string umlauts;
    for (std::size_t i = 0; i < policy::longest_justification; ++i) umlauts += "\xc3\xbc";
    for (const auto& fits : {std::string(policy::longest_justification, 'x'), umlauts}) {
        asked.justification = fits;
        BOOST_TEST(refusal_of(asked).message == "");
        asked.justification += 'x';
        BOOST_TEST(refusal_of(asked).message == "The justification is longer than 1000 characters.");
    }
    asked.justification = std::string(4 * policy::longest_justification + 1, '\x80');  // no character begins here
    BOOST_TEST(refusal_of(asked).message == "The justification is longer than 1000 characters.");
}

BOOST_AUTO_TEST_CASE(at_the_end_of_time_nothing_overflows) {
    const auto late = Time::max() - 1min;
    const auto approved = validate(request({port(22)}), policy_of_web01(), late);
    BOOST_REQUIRE(approved.has_value());
    BOOST_TEST((approved->front().end == Time::max()));
    BOOST_TEST((later(Time::max(), 1ns) == Time::max()));
    BOOST_TEST((later(Time::max() - 1ns, 1ns) == Time::max()));
    BOOST_TEST((later(Time::min(), -1ns) == Time::min()));
    BOOST_TEST((later(Time::min(), Duration::max()) == Time::min() + Duration::max()));
    BOOST_TEST((later(noon, -1h) == noon - 1h));
    BOOST_TEST((later(noon, Duration::max()) == Time::max()));
}

BOOST_AUTO_TEST_SUITE_END()
