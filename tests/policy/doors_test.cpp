#include "policy/doors.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

namespace doors_test {

using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::base::Prefix;
using captures::base::Protocol;
using captures::base::Time;
using policy::Doors;
using policy::Window;
using policy::WindowId;
using namespace std::chrono_literals;

constexpr Time noon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h};
constexpr Endpoint ssh{{0x0a010004}, 22};
constexpr Endpoint listener{{0xcb00710a}, 50000};
const policy::MappedRule ssh_rule{{"MDC-JIT", "web01-22", {}, {}}, listener, ssh};

Window window(WindowId id, std::string_view source, std::optional<Protocol> protocol = {}) {
    return {.id = id,
            .target = ssh,
            .protocol = protocol,
            .sources = {Prefix::parse(source).value()},
            .start = noon,
            .end = noon + 1h,
            .mapped_port = listener};
}

struct Probe {
    const Doors* doors;

    [[nodiscard]] WindowId window(std::string_view source, Protocol protocol = Protocol::tcp) const {
        return doors->windows().find(ssh, protocol, Ipv4Address::parse(source).value(), noon).value_or(0);
    }
    [[nodiscard]] dnat::RuleTable::Match rule(std::string_view source, Protocol protocol = Protocol::tcp) const {
        return doors->mapped_rules().match({{{Ipv4Address::parse(source).value(), 40000}, listener, protocol}});
    }
};

}  // namespace doors_test

BOOST_AUTO_TEST_SUITE(doors_test)

BOOST_AUTO_TEST_CASE(a_window_on_a_mapped_port_opens_its_rule_and_closes_it) {
    Doors doors{{.guards = {{ssh, Protocol::tcp}}, .mapped_rules = {ssh_rule}, .windows = {}}};
    const Probe probe{&doors};
    BOOST_TEST(!probe.rule("198.51.100.7").listening);
    doors.open(window(1, "198.51.100.7"));
    BOOST_TEST(probe.window("198.51.100.7") == 1U);
    BOOST_TEST(probe.rule("198.51.100.7").rule.has_value());
    BOOST_TEST(!probe.rule("198.51.100.8").rule);
    doors.close(window(1, "198.51.100.7"));
    BOOST_TEST(probe.window("198.51.100.7") == 0U);
    BOOST_TEST(!probe.rule("198.51.100.7").listening);
}

BOOST_AUTO_TEST_CASE(a_window_has_an_effect_for_protocols_that_are_guarded_only) {
    for (const bool guarded : {false, true}) {
        Doors doors{{.guards = {}, .mapped_rules = {ssh_rule}, .windows = {}}};
        if (guarded) doors.guard(ssh, Protocol::udp);
        doors.open(window(1, "198.51.100.7"));
        const Probe probe{&doors};
        BOOST_TEST(!doors.windows().guarded(ssh, Protocol::tcp));
        BOOST_TEST(!probe.rule("198.51.100.7").listening);
        BOOST_TEST(probe.rule("198.51.100.7", Protocol::udp).listening == guarded);
        BOOST_TEST(probe.window("198.51.100.7", Protocol::udp) == (guarded ? 1U : 0U));
    }
}

BOOST_AUTO_TEST_CASE(a_change_closes_before_it_opens_so_that_a_window_may_be_moved) {
    Doors doors{{.guards = {{ssh, {}}}, .mapped_rules = {}, .windows = {}}};
    doors.apply(
        {.mapped_rules = {ssh_rule}, .closed = {}, .opened = {window(1, "198.51.100.7")}, .adopted = {}, .cut = {}});
    auto longer = window(1, "198.51.100.7");
    longer.end = noon + 2h;
    doors.apply({.mapped_rules = {},
                 .closed = {window(1, "198.51.100.7")},
                 .opened = {longer, window(2, "198.51.100.8")},
                 .adopted = {},
                 .cut = {}});
    const auto source = Ipv4Address::parse("198.51.100.7").value();
    BOOST_TEST(doors.windows().find(ssh, Protocol::tcp, source, noon + 90min).value_or(0) == 1U);
    const Probe probe{&doors};
    BOOST_TEST(probe.rule("198.51.100.7").rule.has_value());
    BOOST_TEST(probe.rule("198.51.100.8").rule.has_value());
    doors.apply({.mapped_rules = {}, .closed = {longer}, .opened = {}, .adopted = {}, .cut = {1}});
    BOOST_TEST(!probe.rule("198.51.100.7").rule);
    BOOST_TEST(probe.rule("198.51.100.8").rule.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
