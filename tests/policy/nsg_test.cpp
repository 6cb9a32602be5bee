#include "policy/nsg.hpp"

#include <boost/test/unit_test.hpp>

namespace nsg_test {

using captures::base::AddressRange;
using captures::base::Endpoint;
using captures::base::FiveTuple;
using captures::base::PortRange;
using captures::base::Protocol;
using policy::Access;
using policy::Nsg;
using policy::SecurityRule;
using policy::ServiceTags;

FiveTuple tuple(std::string_view from, std::string_view to, Protocol protocol = Protocol::tcp) {
    return {Endpoint::parse(from).value(), Endpoint::parse(to).value(), protocol};
}

std::vector<AddressRange> addresses(std::string_view text) {
    return ServiceTags::azure_defaults().resolve(text).value();
}

/// TCP from anywhere to port 22 of anything.
SecurityRule rule(std::string name, std::uint16_t priority, Access access) {
    SecurityRule result;
    result.name = std::move(name);
    result.priority = priority;
    result.access = access;
    result.protocol = Protocol::tcp;
    result.sources = addresses("*");
    result.source_ports = {PortRange{}};
    result.destinations = addresses("*");
    result.destination_ports = {PortRange{22, 22}};
    return result;
}

Nsg nsg(std::vector<SecurityRule> rules) { return {"web-nsg", std::move(rules), false, ServiceTags::azure_defaults()}; }

constexpr FiveTuple ssh{{{0x0a000105}, 40000}, {{0x0a010004}, 22}, Protocol::tcp};  // from the firewall's instance
constexpr FiveTuple from_internet{{{0xcb007109}, 40000}, {{0x0a010004}, 22}, Protocol::tcp};

}  // namespace nsg_test

BOOST_AUTO_TEST_SUITE(nsg_test)

BOOST_AUTO_TEST_CASE(without_rules_the_three_defaults_decide) {
    struct Row {
        std::string_view from;
        std::string_view to;
        Access access;
        std::string_view rule;
    };
    for (const auto& row : {
             Row{"10.0.1.5:40000", "10.1.0.4:22", Access::allow, "AllowVnetInBound"},
             Row{"172.31.255.255:1", "192.168.0.0:1", Access::allow, "AllowVnetInBound"},
             Row{"100.64.0.1:1", "100.127.255.255:1", Access::allow, "AllowVnetInBound"},
             Row{"168.63.129.16:1", "10.1.0.4:80", Access::allow, "AllowAzureLoadBalancerInBound"},
             Row{"168.63.129.16:1", "203.0.113.1:80", Access::allow, "AllowAzureLoadBalancerInBound"},
             Row{"168.63.129.17:1", "10.1.0.4:80", Access::deny, "DenyAllInBound"},
             Row{"203.0.113.9:40000", "10.1.0.4:22", Access::deny, "DenyAllInBound"},
             Row{"10.0.1.5:40000", "203.0.113.1:22", Access::deny, "DenyAllInBound"},
             Row{"172.32.0.0:1", "10.1.0.4:22", Access::deny, "DenyAllInBound"},
             Row{"100.128.0.0:1", "10.1.0.4:22", Access::deny, "DenyAllInBound"},
         }) {
        for (const auto protocol : {Protocol::tcp, Protocol::udp}) {
            const auto empty = nsg({});
            const auto decision = empty.judge(tuple(row.from, row.to, protocol));
            BOOST_TEST((decision.access == row.access), row.from << " to " << row.to);
            BOOST_TEST(decision.rule->name == row.rule);
        }
    }
}

BOOST_AUTO_TEST_CASE(defaults_stand_at_azures_priorities_after_all_others) {
    const auto group = nsg({rule("late", 4096, Access::allow), rule("early", 100, Access::deny)});
    std::string order;
    for (const auto& one : group.rules()) order += one.name + ' ' + std::to_string(one.priority) + ' ';
    BOOST_TEST(order ==
               "early 100 late 4096 AllowVnetInBound 65000 AllowAzureLoadBalancerInBound 65001 DenyAllInBound 65500 ");
}

BOOST_AUTO_TEST_CASE(the_lowest_priority_number_wins_not_the_first_listed) {
    const auto group = nsg({rule("allow", 300, Access::allow), rule("deny", 200, Access::deny)});
    BOOST_TEST(group.judge(ssh).rule->name == "deny");
    BOOST_TEST((group.judge(ssh).access == Access::deny));
    const auto other = nsg({rule("allow", 199, Access::allow), rule("deny", 200, Access::deny)});
    BOOST_TEST(other.judge(from_internet).rule->name == "allow");
}

BOOST_AUTO_TEST_CASE(on_equal_priority_the_first_listed_wins) {
    const auto group = nsg({rule("first", 200, Access::deny), rule("second", 200, Access::allow)});
    BOOST_TEST(group.judge(ssh).rule->name == "first");
}

BOOST_AUTO_TEST_CASE(a_rule_matches_on_protocol_addresses_and_both_ports) {
    auto narrow = rule("narrow", 100, Access::deny);
    narrow.sources = addresses("10.0.1.0/24");
    narrow.source_ports = {PortRange{1024, 65535}};
    narrow.destinations = addresses("10.1.0.4");
    narrow.destination_ports = {PortRange{22, 23}, PortRange{3389, 3389}};
    struct Row {
        std::string_view from;
        std::string_view to;
        Protocol protocol;
        bool matches;
    };
    for (const auto& row : {
             Row{"10.0.1.5:1024", "10.1.0.4:22", Protocol::tcp, true},
             Row{"10.0.1.255:65535", "10.1.0.4:3389", Protocol::tcp, true},
             Row{"10.0.1.5:1024", "10.1.0.4:22", Protocol::udp, false},
             Row{"10.0.1.5:1023", "10.1.0.4:22", Protocol::tcp, false},
             Row{"10.0.2.0:1024", "10.1.0.4:22", Protocol::tcp, false},
             Row{"10.0.1.5:1024", "10.1.0.5:22", Protocol::tcp, false},
             Row{"10.0.1.5:1024", "10.1.0.4:24", Protocol::tcp, false},
         }) {
        BOOST_TEST(narrow.condition().matches(tuple(row.from, row.to, row.protocol), false) == row.matches,
                   row.from << " to " << row.to);
    }
    narrow.protocol = {};
    BOOST_TEST(narrow.condition().matches(tuple("10.0.1.5:1024", "10.1.0.4:22", Protocol::udp), false));
}

BOOST_AUTO_TEST_CASE(a_rule_on_the_clients_public_address_never_sees_it_behind_the_firewall) {
    auto client_only = rule("client", 100, Access::allow);
    client_only.sources = addresses("198.51.100.7");
    auto deny = rule("deny", 200, Access::deny);
    const auto group = nsg({client_only, deny});
    BOOST_TEST(group.judge(ssh).rule->name == "deny");
}

BOOST_AUTO_TEST_CASE(rules_that_defender_made_to_close_ports_are_passed_over_for_what_a_window_let_in) {
    const auto group = nsg({rule("SecurityCenter-JITRule_-1105480617_9EF6", 100, Access::deny),
                            rule("MicrosoftDefenderForCloud-JITRule_12_AB", 101, Access::deny)});
    BOOST_TEST(group.judge(ssh, true).rule->name == "AllowVnetInBound");
    BOOST_TEST(group.judge(ssh).rule->name == "SecurityCenter-JITRule_-1105480617_9EF6");
}

BOOST_AUTO_TEST_CASE(rules_that_defender_made_to_open_a_port_open_nothing) {
    const auto group = nsg(
        {rule("MicrosoftDefenderForCloud-JITRule-12-AB", 100, Access::allow), rule("deny", 200, Access::deny)});
    BOOST_TEST(group.judge(ssh).rule->name == "deny");
    BOOST_TEST(group.rules().size() == 4U);
}

BOOST_AUTO_TEST_CASE(jit_rules_are_known_by_how_their_names_begin) {
    for (const std::string_view name :
         {"MicrosoftDefenderForCloud-JITRule_1_AB", "MicrosoftDefenderForCloud-JITRule-1-AB",
          "SecurityCenter-JITRule_-1105480617_9EF6", "securitycenter-jitrule-1"}) {
        BOOST_TEST(Nsg::is_jit_rule(name), name);
    }
    for (const std::string_view name :
         {"", "AllowSsh", "SecurityCenter-JIT", "My-SecurityCenter-JITRule_1", "MicrosoftDefenderForCloud"}) {
        BOOST_TEST(!Nsg::is_jit_rule(name), name);
    }
}

BOOST_AUTO_TEST_CASE(of_several_groups_the_first_that_denies_decides) {
    const Nsg allows{"allows", {rule("a", 100, Access::allow)}, false, ServiceTags::azure_defaults()};
    const Nsg denies{"denies", {rule("d", 100, Access::deny)}, false, ServiceTags::azure_defaults()};
    struct Row {
        std::vector<Nsg> groups;
        Access access;
        std::string_view group;
        std::string_view rule;
    };
    for (const auto& row : {
             Row{{allows}, Access::allow, "allows", "a"},
             Row{{denies}, Access::deny, "denies", "d"},
             Row{{allows, denies}, Access::deny, "denies", "d"},
             Row{{denies, allows}, Access::deny, "denies", "d"},
             Row{{allows, nsg({})}, Access::allow, "web-nsg", "AllowVnetInBound"},
         }) {
        const auto verdict = policy::judge(row.groups, ssh, false);
        BOOST_TEST((verdict.access == row.access));
        BOOST_REQUIRE(verdict.nsg != nullptr);
        BOOST_TEST(verdict.nsg->name() == row.group);
        BOOST_TEST(verdict.rule->name == row.rule);
    }
}

BOOST_AUTO_TEST_CASE(no_group_is_no_restriction) {
    const auto verdict = policy::judge({}, from_internet, false);
    BOOST_TEST((verdict.access == Access::allow));
    BOOST_TEST(verdict.nsg == nullptr);
    BOOST_TEST(verdict.rule == nullptr);
}

BOOST_AUTO_TEST_CASE(flush_connection_and_name_are_kept) {
    BOOST_TEST((Nsg{"n", {}, true, ServiceTags::azure_defaults()}.flush_connection()));
    BOOST_TEST(!nsg({}).flush_connection());
    BOOST_TEST(nsg({}).name() == "web-nsg");
}

BOOST_AUTO_TEST_CASE(service_tags_resolve_to_addresses) {
    const auto text = [](std::string_view tag) {
        const auto ranges = ServiceTags::azure_defaults().resolve(tag);
        std::string result;
        for (const auto& range : ranges.value_or(std::vector<AddressRange>{})) result += to_string(range) + ' ';
        return result;
    };
    BOOST_TEST(text("VirtualNetwork") ==
               "10.0.0.0-10.255.255.255 172.16.0.0-172.31.255.255 192.168.0.0-192.168.255.255 "
               "100.64.0.0-100.127.255.255 ");
    BOOST_TEST(text("Internet") ==
               "0.0.0.0-9.255.255.255 11.0.0.0-100.63.255.255 100.128.0.0-172.15.255.255 172.32.0.0-192.167.255.255 "
               "192.169.0.0-255.255.255.255 ");
    BOOST_TEST(text("AzureLoadBalancer") == "168.63.129.16 ");
    BOOST_TEST(text("VIRTUALNETWORK") == text("VirtualNetwork"));
    BOOST_TEST(text("*") == "* ");
    BOOST_TEST(text("198.51.100.7") == "198.51.100.7 ");
    BOOST_TEST(text("198.51.100.7/24") == "198.51.100.0-198.51.100.255 ");
    BOOST_TEST(text("198.51.100.1-198.51.100.3") == "198.51.100.1-198.51.100.3 ");
    for (const std::string_view unknown : {"", "Storage", "Internet ", "198.51.100.256", "::/0"}) {
        BOOST_TEST(!ServiceTags::azure_defaults().resolve(unknown).has_value(), unknown);
    }
}

BOOST_AUTO_TEST_CASE(internet_follows_the_virtual_network_that_is_configured) {
    const ServiceTags tags{.virtual_network = {AddressRange::parse("0.0.0.0/1").value()}, .load_balancer = {}};
    BOOST_TEST((tags.resolve("Internet").value() == std::vector{AddressRange::parse("128.0.0.0/1").value()}));
    const Nsg group{"n", {}, false, tags};
    BOOST_TEST(group.judge(tuple("1.1.1.1:1", "2.2.2.2:2")).rule->name == "AllowVnetInBound");
    BOOST_TEST(group.judge(tuple("168.63.129.16:1", "2.2.2.2:2")).rule->name == "DenyAllInBound");
}

BOOST_AUTO_TEST_CASE(a_thousand_rules_are_judged_as_few_are) {
    std::vector<SecurityRule> rules;
    for (std::uint16_t port = 1; port <= 1000; ++port) {
        const auto access = port % 2 == 0 ? Access::allow : Access::deny;
        rules.push_back(rule("port-" + std::to_string(port), static_cast<std::uint16_t>(port + 100), access));
        rules.back().destination_ports = {PortRange{port, port}};
    }
    rules.push_back(rule("MicrosoftDefenderForCloud-JITRule_1", 100, Access::deny));
    const auto group = nsg(rules);
    const auto to = [](std::uint16_t port) {
        return FiveTuple{ssh.source, {ssh.destination.address, port}, Protocol::tcp};
    };
    for (std::uint16_t port = 1; port <= 1000; ++port) {
        const auto decision = group.judge(to(port), true);
        BOOST_REQUIRE_EQUAL(decision.rule->name, "port-" + std::to_string(port));
        BOOST_REQUIRE((decision.access == (port % 2 == 0 ? Access::allow : Access::deny)));
    }
    BOOST_TEST(group.judge(to(22), false).rule->name == "MicrosoftDefenderForCloud-JITRule_1");
    BOOST_TEST(group.judge(to(1001), false).rule->name == "AllowVnetInBound");
}

BOOST_AUTO_TEST_CASE(copies_share_their_rules) {
    const auto group = nsg({rule("ssh", 100, Access::allow)});
    const auto copy = group;  // NOLINT(performance-unnecessary-copy-initialization)
    BOOST_TEST(&copy.rules() == &group.rules());
    BOOST_TEST(copy.judge(ssh).rule == group.judge(ssh).rule);
}

BOOST_AUTO_TEST_SUITE_END()
