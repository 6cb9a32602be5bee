#include "dnat/rule_table.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

#include "tests/support/packet_builder.hpp"
#include "tools/synth/random.hpp"

namespace rule_table_test {

using captures::base::AddressRange;
using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::base::PortRange;
using captures::base::Protocol;
using dnat::Arrived;
using dnat::NatRule;
using dnat::RuleTable;
using support::Where;

struct Spec {
    std::string name;
    std::vector<std::string> sources = {"*"};
    std::string destination = "203.0.113.10";
    std::vector<std::string> ports = {"50022"};
    std::string target = "10.1.0.4:22";
    std::vector<Protocol> protocols = {Protocol::tcp};
};

NatRule rule(const Spec& spec) {
    NatRule rule{.name = {.collection = "inbound", .rule = spec.name, .group = {}, .policy = {}},
                 .protocols = spec.protocols,
                 .sources = {},
                 .destination = Ipv4Address::parse(spec.destination).value(),
                 .destination_ports = {},
                 .translated = Endpoint::parse(spec.target).value()};
    for (const auto& source : spec.sources) rule.sources.push_back(AddressRange::parse(source).value());
    for (const auto& ports : spec.ports) rule.destination_ports.push_back(PortRange::parse(ports).value());
    return rule;
}

RuleTable table(const std::vector<Spec>& specs) {
    std::vector<NatRule> rules;
    rules.reserve(specs.size());
    for (const auto& spec : specs) rules.push_back(rule(spec));
    return RuleTable::build(std::move(rules)).value();
}

Arrived arrived(Where from, Where to, Protocol protocol = Protocol::tcp) {
    return {{from.endpoint, to.endpoint, protocol}};
}

/// The rule's name; `-` where no rule matches, `(not listening)` where nothing listens.
std::string match(const RuleTable& table, Where from, Where to, Protocol protocol = Protocol::tcp) {
    const auto match = table.match(arrived(from, to, protocol));
    if (!match.listening) return match.rule ? "a rule without a listener" : "(not listening)";
    return match.rule ? table.rule(*match.rule).name.rule : "-";
}

std::string complaint(const NatRule& rule) {
    const auto built = RuleTable::build({rule});
    return built ? "" : built.error();
}

std::vector<std::string> shadowed(const RuleTable& table) {
    std::vector<std::string> names;
    for (const auto index : table.shadowed()) names.push_back(table.rule(index).name.rule);
    return names;
}

/// What the table must do, said in the plainest way.
RuleTable::Match first_match(const std::vector<NatRule>& rules, const Arrived& arrived) {
    RuleTable::Match match;
    for (RuleTable::RuleIndex index = 0; index < rules.size(); ++index) {
        const auto& rule = rules[index];
        const auto& tuple = arrived.tuple;
        const bool names_it = rule.destination == tuple.destination.address &&
                              std::ranges::find(rule.protocols, tuple.protocol) != rule.protocols.end() &&
                              std::ranges::any_of(rule.destination_ports, [&](const PortRange& range) {
                                  return range.contains(tuple.destination.port);
                              });
        if (!names_it) continue;
        match.listening = true;
        const bool from_it = std::ranges::any_of(
            rule.sources, [&](const AddressRange& range) { return range.contains(tuple.source.address); });
        if (from_it && !match.rule) match.rule = index;
    }
    return match;
}

}  // namespace rule_table_test

BOOST_AUTO_TEST_SUITE(rule_table_test)

BOOST_AUTO_TEST_CASE(an_empty_table_listens_on_nothing) {
    const RuleTable empty;
    BOOST_TEST(match(empty, "198.51.100.7:40000", "203.0.113.10:50022") == "(not listening)");
    BOOST_TEST(empty.listeners() == 0U);
    BOOST_TEST(empty.rules().empty());
    BOOST_TEST(match(table({}), "198.51.100.7:40000", "203.0.113.10:50022") == "(not listening)");
}

BOOST_AUTO_TEST_CASE(a_listener_is_an_address_a_port_and_a_protocol) {
    const auto ssh = table({{.name = "ssh"}});
    struct Row {
        const char* sentence;
        const char* to;
        Protocol protocol;
        const char* expected;
    };
    for (const auto& row : {
             Row{"all three as the rule says", "203.0.113.10:50022", Protocol::tcp, "ssh"},
             Row{"another address", "203.0.113.11:50022", Protocol::tcp, "(not listening)"},
             Row{"another port", "203.0.113.10:50023", Protocol::tcp, "(not listening)"},
             Row{"another protocol", "203.0.113.10:50022", Protocol::udp, "(not listening)"},
             Row{"the target's own address", "10.1.0.4:22", Protocol::tcp, "(not listening)"},
         }) {
        BOOST_TEST_CONTEXT(row.sentence) {
            BOOST_TEST(match(ssh, "198.51.100.7:40000", row.to, row.protocol) == row.expected);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_first_rule_whose_source_matches_wins) {
    const auto rules = table({{.name = "one address", .sources = {"198.51.100.7"}},
                              {.name = "a range", .sources = {"198.51.100.0-198.51.100.20"}},
                              {.name = "a block and an address", .sources = {"198.51.100.0/24", "192.0.2.1"}},
                              {.name = "elsewhere", .sources = {"*"}, .ports = {"50023"}},
                              {.name = "the top", .sources = {"255.255.255.255"}},
                              {.name = "the bottom", .sources = {"0.0.0.0"}}});
    struct Row {
        const char* from;
        const char* expected;
    };
    for (const auto& row : {
             Row{"198.51.100.7:1", "one address"},
             Row{"198.51.100.6:1", "a range"},
             Row{"198.51.100.8:1", "a range"},
             Row{"198.51.100.20:1", "a range"},
             Row{"198.51.100.21:1", "a block and an address"},
             Row{"198.51.100.255:1", "a block and an address"},
             Row{"198.51.101.0:1", "-"},
             Row{"198.51.99.255:1", "-"},
             Row{"192.0.2.1:1", "a block and an address"},
             Row{"192.0.2.2:1", "-"},
             Row{"255.255.255.255:1", "the top"},
             Row{"255.255.255.254:1", "-"},
             Row{"0.0.0.0:1", "the bottom"},
             Row{"0.0.0.1:1", "-"},
         }) {
        BOOST_TEST_CONTEXT(row.from) { BOOST_TEST(match(rules, row.from, "203.0.113.10:50022") == row.expected); }
    }
    BOOST_TEST(match(rules, "192.0.2.2:1", "203.0.113.10:50023") == "elsewhere");
}

BOOST_AUTO_TEST_CASE(an_earlier_rule_for_all_takes_everything) {
    const auto rules = table({{.name = "all"}, {.name = "late", .sources = {"198.51.100.7"}}});
    BOOST_TEST(match(rules, "198.51.100.7:1", "203.0.113.10:50022") == "all");
    BOOST_TEST(match(rules, "255.255.255.255:1", "203.0.113.10:50022") == "all");
}

BOOST_AUTO_TEST_CASE(a_rule_may_name_two_protocols_several_ports_and_ranges) {
    const auto rules = table({{.name = "dns",
                               .ports = {"53", "5300-5302", "5301-5303", "65535"},
                               .target = "10.1.0.4:53",
                               .protocols = {Protocol::tcp, Protocol::udp, Protocol::udp}}});
    BOOST_TEST(rules.listeners() == 12U);
    for (const auto protocol : {Protocol::tcp, Protocol::udp}) {
        for (const auto* const port : {"53", "5300", "5301", "5303", "65535"}) {
            BOOST_TEST(match(rules, "198.51.100.7:1", "203.0.113.10:" + std::string{port}, protocol) == "dns");
        }
        for (const auto* const port : {"52", "54", "5299", "5304", "65534"}) {
            BOOST_TEST(match(rules, "198.51.100.7:1", "203.0.113.10:" + std::string{port}, protocol) ==
                       "(not listening)");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_rule_with_an_emptied_ip_group_listens_but_is_skipped) {
    const auto rules = table({{.name = "emptied", .sources = {}}});
    BOOST_TEST(match(rules, "198.51.100.7:1", "203.0.113.10:50022") == "-");
}

BOOST_AUTO_TEST_CASE(a_rule_that_cannot_be_meant_is_refused_by_name) {
    struct Row {
        const char* expected;
        void (*spoil)(NatRule&);
    };
    for (const auto& row : {
             Row{"", [](NatRule&) {}},
             Row{"NAT rule inbound/bad: no protocol", [](NatRule& rule) { rule.protocols.clear(); }},
             Row{"NAT rule inbound/bad: no destination port", [](NatRule& rule) { rule.destination_ports.clear(); }},
             Row{"NAT rule inbound/bad: destination ports run backwards",
                 [](NatRule& rule) {
                     rule.destination_ports.push_back({22, 21});
                 }},
             Row{"NAT rule inbound/bad: a source range runs backwards",
                 [](NatRule& rule) {
                     rule.sources.push_back({{2}, {1}});
                 }},
             Row{"NAT rule inbound/bad: translated port is 0", [](NatRule& rule) { rule.translated.port = 0; }},
         }) {
        auto bad = rule({.name = "bad"});
        row.spoil(bad);
        BOOST_TEST(complaint(bad) == row.expected);
    }
}

BOOST_AUTO_TEST_CASE(more_listeners_than_a_table_may_have_are_refused_with_advice) {
    std::vector<NatRule> rules;
    for (std::uint32_t i = 0; i < 34; ++i) {
        rules.push_back(rule({.name = "wide" + std::to_string(i), .ports = {"*"}}));
        rules.back().destination.value += i;
    }
    const auto built = RuleTable::build(rules);
    BOOST_REQUIRE(!built);
    BOOST_TEST(built.error().starts_with("NAT rule inbound/wide33: all rules together listen on more than 2200000 "));
}

BOOST_AUTO_TEST_CASE(shadowed_rules_are_those_that_no_packet_can_match) {
    using Names = std::vector<std::string>;
    BOOST_TEST(shadowed(table({{.name = "a"}, {.name = "b", .ports = {"22"}}})) == Names{});
    BOOST_TEST(shadowed(table({{.name = "a"}, {.name = "b", .sources = {"192.0.2.1"}}})) == Names{"b"});
    BOOST_TEST(shadowed(table({{.name = "a"}, {.name = "b", .protocols = {Protocol::udp}}})) == Names{});
    BOOST_TEST(shadowed(table({{.name = "low half", .sources = {"0.0.0.0/1"}},
                               {.name = "high half", .sources = {"128.0.0.0/1"}},
                               {.name = "nothing left"}})) == Names{"nothing left"});
    BOOST_TEST(shadowed(table({{.name = "all but the top", .sources = {"0.0.0.0-255.255.255.254"}},
                               {.name = "the top"}})) == Names{});
    BOOST_TEST(shadowed(table({{.name = "one port"}, {.name = "two ports", .ports = {"50022", "50023"}}})) == Names{});
    BOOST_TEST(shadowed(table({{.name = "emptied", .sources = {}}})) == Names{"emptied"});
}

BOOST_AUTO_TEST_CASE(it_agrees_with_a_naive_search_through_the_list) {
    tools::Random random{20260131};
    // Few distinct edges, so that they meet; those of the address space are among them.
    const std::vector<std::uint32_t> edges{0,          1,          0x0a000000, 0x0a0000ff, 0x0a000100,
                                           0x7fffffff, 0x80000000, 0xc0000201, 0xfffffffe, 0xffffffff};
    const auto an_edge = [&] { return edges[random.below(edges.size())]; };
    const auto a_range = [&] {
        const auto [first, last] = std::minmax({an_edge(), an_edge()});
        return AddressRange{{first}, {last}};
    };
    for (int round = 0; round < 300; ++round) {
        std::vector<NatRule> rules;
        for (auto count = random.below(12); count-- > 0;) {
            auto one = rule({.name = "r" + std::to_string(rules.size()), .sources = {}, .ports = {}});
            one.destination.value += static_cast<std::uint32_t>(random.below(2));
            one.protocols = random.below(3) == 0 ? std::vector{Protocol::tcp, Protocol::udp}
                                                 : std::vector{random.below(2) == 0 ? Protocol::tcp : Protocol::udp};
            for (auto more = random.below(4); more-- > 0;) one.sources.push_back(a_range());
            for (auto more = random.below(2) + 1; more-- > 0;) {
                const auto first = static_cast<std::uint16_t>(random.below(4));
                one.destination_ports.push_back({first, static_cast<std::uint16_t>(first + random.below(3))});
            }
            rules.push_back(std::move(one));
        }
        const auto built = RuleTable::build(rules).value();
        std::set<RuleTable::RuleIndex> reachable;
        std::size_t listeners = 0;
        for (std::uint32_t host = 0; host < 3; ++host) {
            for (std::uint16_t port = 0; port < 8; ++port) {
                for (const auto protocol : {Protocol::tcp, Protocol::udp}) {
                    bool listening = false;
                    for (const auto edge : edges) {
                        for (const std::uint32_t step : {0xffffffffU, 0U, 1U}) {
                            const Arrived packet{{{{edge + step}, 1}, {{0xcb00710a + host}, port}, protocol}};
                            const auto expected = first_match(rules, packet);
                            const auto found = built.match(packet);
                            if (found.listening != expected.listening || found.rule != expected.rule) {
                                BOOST_FAIL("round " << round << ", " << packet.tuple);
                            }
                            if (expected.rule) reachable.insert(*expected.rule);
                            listening = expected.listening;
                        }
                    }
                    listeners += listening ? 1 : 0;
                }
            }
        }
        BOOST_REQUIRE_EQUAL(built.listeners(), listeners);
        BOOST_REQUIRE_EQUAL(built.shadowed().size(), rules.size() - reachable.size());
        for (const auto index : built.shadowed()) BOOST_REQUIRE(!reachable.contains(index));
    }
}

BOOST_AUTO_TEST_SUITE_END()
