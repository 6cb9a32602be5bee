#include "gateway/replay/scenario_warnings.hpp"

#include <boost/test/unit_test.hpp>

#include "gateway/config_file/load.hpp"
#include "tests/support/config_text.hpp"

namespace warnings_test {

using gateway::config_file::parse_config;

struct Warning {
    std::string_view text;
    std::string_view at;       ///< line:column; empty: no warning at all
    std::string_view message;  ///< a part of it
};

std::string warnings_of(const std::string& text) {
    const auto loaded = parse_config(text, "t.toml");
    BOOST_REQUIRE(test::errors_of(loaded) == "");
    return test::text_of(loaded->warnings);
}

/// Each of the texts, after `before`, has exactly the warning that is named.
void check(std::string_view before, const std::vector<Warning>& rows) {
    for (const auto& row : rows) {
        const auto text = std::string{before} + std::string{row.text} + '\n';
        const auto warnings = warnings_of(text);
        const auto lines = std::ranges::count(warnings, '\n');
        BOOST_TEST(lines == (row.at.empty() ? 0 : 1), text << '\n' << warnings);
        if (row.at.empty()) continue;
        BOOST_TEST(warnings.find("t.toml:" + std::string{row.at} + ": warning: ") == 0U, text << '\n' << warnings);
        BOOST_TEST(warnings.find(row.message) != std::string::npos, text << '\n' << warnings);
    }
}

/// `name = source -> 203.0.113.10:port -> target`, in a collection that has been begun.
std::string rule(const std::string& name, const std::string& source, int port, const std::string& target,
                 const std::string& protocol = "TCP") {
    return "{ name = \"" + name + "\", protocols = [\"" + protocol + "\"], source_addresses = [\"" + source +
           "\"], destination_addresses = [\"203.0.113.10\"], destination_ports = [" + std::to_string(port) +
           "], translated_address = \"" + target.substr(0, target.find(':')) +
           "\", translated_port = " + target.substr(target.find(':') + 1) + " },\n";
}

const std::string collection =
    std::string{test::firewall_line} + std::string{test::machines_line} +
    "[[nat_rule_collection]]\nname = \"c\"\npriority = 100\nrule = [\n";  // rules from line 7

constexpr std::string_view lab = R"(
[firewall]
public_ips = ["203.0.113.10"]
instance_ip = "10.0.1.5"
[[virtual_machine]]
name = "web01"
private_ip = "10.1.0.4"
[[virtual_machine]]
name = "db01"
private_ip = "10.1.0.5"
[[nat_rule_collection]]
name = "c"
priority = 100
rule = [ { name = "r", protocols = ["TCP"], source_addresses = ["*"], destination_addresses = ["203.0.113.10"], destination_ports = [50022], translated_address = "10.1.0.4", translated_port = 22 } ]
[[jit_policy]]
justification_required = true
[[jit_policy.virtual_machine]]
name = "web01"
ports = [ { number = 22, allowed_source_address_prefix = "198.51.100.0/24", max_request_access_duration = "PT2H" } ]
[[principal]]
name = "ana"
[[principal]]
name = "bob"
[[role_assignment]]
principal = "ana"
role = "JIT Requester"
scope = "/subscriptions/00000000-0000-0000-0000-000000000000"
)";

std::string complaints(std::string_view scenario_text) {
    const auto loaded = parse_config(lab, "lab.toml");
    BOOST_REQUIRE(test::errors_of(loaded) == "");
    BOOST_TEST(test::text_of(loaded->warnings) == "");
    const auto scenario = gateway::replay::parse_scenario(scenario_text, "day.toml");
    BOOST_REQUIRE(test::errors_of(scenario) == "");
    return test::text_of(check_scenario(*scenario, loaded->config));
}

}  // namespace warnings_test

BOOST_AUTO_TEST_SUITE(warnings_test)

BOOST_AUTO_TEST_CASE(a_rule_that_can_never_match_is_named) {
    check(collection,
          {
              {rule("a", "*", 80, "10.1.0.4:80") + rule("b", "198.51.100.7", 80, "10.1.0.5:80") + "]", "8:1",
               "NAT rule \"c/b\" can never match: earlier rules take all its sources on its ports"},
              {rule("a", "198.51.100.7", 80, "10.1.0.4:80") + rule("b", "*", 80, "10.1.0.5:80") + "]", "", ""},
              {rule("a", "*", 80, "10.1.0.4:80") + rule("b", "*", 80, "10.1.0.5:80", "UDP") + "]", "", ""},
              {rule("a", "*", 80, "10.1.0.4:80") + rule("b", "*", 80, "10.1.0.5:80", "Any") + "]", "", ""},
              {rule("a", "0.0.0.0/1", 80, "10.1.0.4:80") + rule("b", "128.0.0.0/1", 80, "10.1.0.4:80") +
                   rule("d", "*", 80, "10.1.0.5:80") + "]",
               "9:1", "NAT rule \"c/d\" can never match"},
          });
}

BOOST_AUTO_TEST_CASE(a_rule_whose_ip_groups_are_empty_is_skipped_not_open) {
    const std::string text = "ip_group = [ { name = \"g\", ip_addresses = [] } ]\n" + collection +
                             "{ name = \"r\", protocols = [\"TCP\"], source_ip_groups = [\"g\"], destination_addresses "
                             "= [\"203.0.113.10\"], "
                             "destination_ports = [80], translated_address = \"10.1.0.4\", translated_port = 80 } ]\n";
    BOOST_TEST(warnings_of(text).find("t.toml:8:1: warning: NAT rule \"c/r\" is skipped: its IP groups are empty") ==
               0U);
    const std::string network =
        "[[ip_group]]\nname = \"g\"\nip_addresses = []\n[[network_rule_collection]]\nname = \"n\"\npriority = 100\n"
        "action = \"Deny\"\n[[network_rule_collection.rule]]\nname = \"r\"\nprotocols = [\"TCP\"]\n"
        "source_ip_groups = [\"g\"]\ndestination_addresses = [\"*\"]\ndestination_ports = [\"*\"]\n";
    BOOST_TEST(warnings_of(std::string{test::firewall_line} + network)
                   .find("t.toml:12:20: warning: the IP groups are empty") == 0U);
}

BOOST_AUTO_TEST_CASE(a_target_that_is_no_machine_is_named) {
    check(collection, {
                          {rule("a", "*", 80, "10.1.0.9:80") + "]", "7:1", "leads to 10.1.0.9, which is no configured"},
                          {rule("a", "*", 80, "203.0.113.11:80") + "]", "7:1", "the firewall itself"},
                      });
    // Without any machine, none is meant to be known.
    check(std::string{test::firewall_line} + "[[nat_rule_collection]]\nname = \"c\"\npriority = 100\nrule = [\n",
          {{rule("a", "*", 80, "10.1.0.9:80") + "]", "", ""}});
}

BOOST_AUTO_TEST_CASE(an_open_management_port_is_named_unless_it_is_under_jit) {
    const std::string jit =
        "]\n[[jit_policy]]\n[[jit_policy.virtual_machine]]\nname = \"web01\"\n"
        "ports = [ { number = 22, protocol = \"TCP\", allowed_source_address_prefix = \"*\" } ]";
    check(collection, {
                          {rule("a", "*", 50022, "10.1.0.4:22") + "]", "7:1", "opens SSH of 10.1.0.4 to everybody"},
                          {rule("a", "*", 53389, "10.1.0.5:3389") + "]", "7:1", "opens RDP of 10.1.0.5 to everybody"},
                          {rule("a", "0.0.0.0/0", 50022, "10.1.0.4:22") + "]", "7:1", "opens SSH"},
                          {rule("a", "198.51.100.0/24", 50022, "10.1.0.4:22") + "]", "", ""},
                          {rule("a", "*", 50022, "10.1.0.4:22") + jit, "", ""},
                          {rule("a", "*", 50022, "10.1.0.4:22", "Any") + jit, "7:1", "opens SSH"},
                      });
}

BOOST_AUTO_TEST_CASE(a_jit_port_that_no_rule_maps_is_named) {
    const std::string policy =
        "]\n[[jit_policy]]\n[[jit_policy.virtual_machine]]\nname = \"web01\"\nports = [ { number = 22, ";
    const std::string mapped = collection + rule("a", "198.51.100.7", 50022, "10.1.0.4:22");
    check(mapped,
          {
              {policy + "allowed_source_address_prefix = \"*\" } ]", "", ""},
              {policy + "protocol = \"TCP\", allowed_source_address_prefix = \"*\" } ]", "", ""},
              {policy + "protocol = \"UDP\", allowed_source_address_prefix = \"*\" } ]", "9:1",
               "no NAT rule maps port 22 (UDP) of machine web01, so that a window on it is reached by one of "
               "mapped_ports 50000-59999"},
              {policy + "allowed_source_address_prefix = \"*\" }, { number = 23, allowed_source_address_prefix = "
                        "\"*\" } ]",
               "9:1", "no NAT rule maps port 23 of machine web01"},
          });
}

BOOST_AUTO_TEST_CASE(azures_limit_of_250_destinations_is_counted) {
    const auto with_rules = [](int count) {
        auto text = collection;
        for (int i = 1; i <= count; ++i) text += rule("r" + std::to_string(i), "*", i, "10.1.0.4:80");
        return warnings_of(text + "]\n");
    };
    BOOST_TEST(with_rules(248) == "");  // and two public IPs
    BOOST_TEST(with_rules(249).find("t.toml:255:1: warning: from NAT rule \"c/r249\" on, there are more than 250") ==
               0U);
}

BOOST_AUTO_TEST_CASE(an_nsg_that_denies_the_firewalls_address_is_named) {
    const auto with_rules = [](const std::string& rules) {
        return "network_security_group = [ { name = \"n\", security_rule = [" + rules +
               "] } ]\nvirtual_machine = [ { name = \"web01\", private_ip = \"10.1.0.4\", nsg = [\"n\"] } ]\n" +
               std::string{test::firewall_line} + "[[nat_rule_collection]]\nname = \"c\"\npriority = 100\nrule = [\n" +
               rule("a", "198.51.100.7", 50022, "10.1.0.4:22") + "]\n";
    };
    const std::string security_rule =
        "direction = \"Inbound\", protocol = \"Tcp\", source_port_range = \"*\", destination_address_prefix = \"*\", "
        "destination_port_range = \"22\", ";
    const auto allow_client =
        "{ name = \"ssh\", priority = 100, access = \"Allow\", source_address_prefix = \"198.51.100.7\", " +
        security_rule + "}, { name = \"rest\", priority = 4096, access = \"Deny\", " +
        "source_address_prefix = \"*\", " + security_rule + "}";
    const auto fixed = [](std::string text) {
        for (auto at = text.find(", }"); at != std::string::npos; at = text.find(", }")) text.replace(at, 3, " }");
        return text;
    };
    BOOST_TEST(warnings_of(with_rules("")) == "");  // the default rule lets VirtualNetwork in
    const auto denied = warnings_of(with_rules(fixed(allow_client)));
    BOOST_TEST(
        denied.find("t.toml:8:1: warning: NAT rule \"c/a\" leads to 10.1.0.4:22, where rule \"rest\" of NSG \"n\" "
                    "denies TCP: VMs see the firewall's 10.0.1.5 as the source") == 0U,
        denied);
}

BOOST_AUTO_TEST_CASE(duplicates_are_legal_but_named) {
    const auto before = std::string{test::firewall_line} + std::string{test::machines_line};
    const std::string group = "[[rule_collection_group]]\nfirewall_policy = \"p\"\n";
    check(before, {
                      {"[[nat_rule_collection]]\nname = \"a\"\npriority = 100\n[[nat_rule_collection]]\nname = "
                       "\"A\"\npriority = 101",
                       "7:8", "there is another rule collection \"A\""},
                      {"[[nat_rule_collection]]\nname = \"a\"\npriority = 100\n[[nat_rule_collection]]\nname = "
                       "\"b\"\npriority = 100",
                       "8:12", "rule collection \"b\" has the priority of \"a\""},
                      {group + "name = \"a\"\npriority = 100\n" + group + "name = \"b\"\npriority = 100", "10:12",
                       "group \"b\" has the priority of \"a\""},
                      {group + "name = \"a\"\npriority = 100\n" + group + "parent = true\nname = \"b\"\npriority = 100",
                       "", ""},
                      {group + "name = \"g\"\npriority = 100\n[[nat_rule_collection]]\nname = \"a\"\npriority = 100\n"
                               "[[nat_rule_collection]]\nname = \"b\"\npriority = 100\nrule_collection_group = \"g\"",
                       "10:1", "some rule collections are in a rule_collection_group and some are not"},
                  });
    check(collection, {{rule("a", "*", 80, "10.1.0.4:80") + rule("A", "*", 81, "10.1.0.4:80") + "]", "8:10",
                        "there is another NAT rule \"A\" in this collection"}});
    check(
        "[[network_security_group]]\nname = \"n\"\n[[virtual_machine]]\nname = \"v\"\nprivate_ip = \"10.1.0.4\"\n"
        "nsg = [\"n\", \"N\"]\n[firewall]\npublic_ips = [\"203.0.113.10\"]\ninstance_ip = \"10.0.1.5\"\n",
        {{"", "3:1", "machine v lists NSG \"n\" twice"}});
}

BOOST_AUTO_TEST_CASE(a_rule_of_the_same_name_in_another_group_is_named) {
    const auto group = [](const std::string& name, const std::string& priority) {
        return "[[rule_collection_group]]\nfirewall_policy = \"p\"\nname = \"" + name + "\"\npriority = " + priority +
               "\n[[nat_rule_collection]]\nname = \"inbound\"\npriority = 200\nrule_collection_group = \"" + name +
               "\"\nrule = [";
    };
    const auto before = std::string{test::firewall_line} + std::string{test::machines_line};
    const auto first = group("g1", "100") + rule("ssh", "*", 80, "10.1.0.4:80") + "]\n";
    check(before,
          {{first + group("g2", "101") + rule("SSH", "*", 81, "10.1.0.4:80") + "]", "21:18",
            "group \"g1\" has a NAT rule \"inbound/SSH\", too; decisions and expectations cannot tell them apart"},
           {first + group("g2", "101") + rule("web", "*", 81, "10.1.0.4:80") + "]", "", ""}});
}

BOOST_AUTO_TEST_CASE(an_assignment_beside_the_firewall_grants_nothing) {
    const std::string before =
        std::string{test::firewall_line} +
        "[[principal]]\nname = \"ana\"\n[[role_assignment]]\nprincipal = \"ana\"\nrole = \"Reader\"\n";
    const std::string subscription = "scope = \"/subscriptions/00000000-0000-0000-0000-000000000000";
    check(before,
          {
              {subscription + "/resourceGroups/other\"", "7:9", "outside the firewall's resource group"},
              {subscription + "/resourceGroups/default\"", "", ""},
              {subscription + "\"", "", ""},
              {"scope = \"/\"", "", ""},
              {subscription + "/resourceGroups/default/providers/Microsoft.Compute/virtualMachines/web01\"", "", ""},
          });
}

BOOST_AUTO_TEST_CASE(many_warnings_of_a_kind_are_counted) {
    auto text = collection;
    for (int i = 0; i < 50; ++i) text += rule("r" + std::to_string(i), "*", 80, "10.1.0.4:80");
    const auto warnings = warnings_of(text + "]\n");
    BOOST_TEST(std::ranges::count(warnings, '\n') == 21);
    BOOST_TEST(warnings.find("t.toml: warning: and 29 more NAT rules that can never match\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(events_that_will_be_refused_are_named) {
    struct Row {
        std::string_view what;
        std::string_view complaint;  ///< a part; empty: none
    };
    for (const auto& row : {
             Row{"request = { by = \"ana\", vm = \"WEB01\", port = 22, source = \"198.51.100.7\", duration = \"2h\", "
                 "justification = \"x\" }",
                 ""},
             Row{"request = { by = \"eve\", vm = \"web01\", port = 22, source = \"198.51.100.7\", duration = \"1h\" }",
                 "no principal \"eve\" is configured"},
             Row{"request = { by = \"bob\", vm = \"web01\", port = 22, source = \"198.51.100.7\", duration = \"1h\" }",
                 "no role_assignment gives \"bob\" the right"},
             Row{"request = { by = \"ana\", vm = \"web02\", port = 22, source = \"198.51.100.7\", duration = \"1h\" }",
                 "no virtual_machine \"web02\" is configured"},
             Row{"request = { by = \"ana\", vm = \"db01\", port = 22, source = \"198.51.100.7\", duration = \"1h\" }",
                 "machine \"db01\" is under no JIT policy"},
             Row{"request = { by = \"ana\", vm = \"web01\", port = 22, source = \"198.51.100.7\", duration = \"3h\", "
                 "justification = \"x\" }",
                 "the request will be refused: PT3H for port 22 is longer than the policy's PT2H"},
             Row{"request = { by = \"ana\", vm = \"web01\", port = 22, source = \"198.51.100.7\", duration = \"1h\" }",
                 "requires a justification"},
             Row{"request = { by = \"ana\", vm = \"web01\", port = 23, source = \"198.51.100.7\", duration = \"1h\", "
                 "justification = \"x\" }",
                 "port 23 is not in the policy"},
             Row{"request = { by = \"ana\", vm = \"web01\", port = 22, source = \"2001:db8::1\", duration = \"1h\", "
                 "justification = \"x\" }",
                 "IPv6"},
             Row{"extend = { by = \"ana\", vm = \"web01\", port = 22, duration = \"2h\" }", ""},
             Row{"extend = { by = \"ana\", vm = \"web01\", port = 22, duration = \"121m\" }",
                 "the extension will be refused: PT2H1M is longer than the policy's PT2H"},
             Row{"extend = { by = \"ana\", vm = \"web01\", port = 23, duration = \"1h\" }", "nothing to extend"},
             Row{"revoke = { by = \"ana\", vm = \"web01\", port = 22 }", ""},
             Row{"revoke = { by = \"ana\", vm = \"web01\", port = 23 }", "nothing to revoke"},
             Row{"reload = { config = \"other.toml\" }", ""},
         }) {
        const auto found = complaints("[[event]]\nat = \"+1s\"\n" + std::string{row.what} + '\n');
        if (row.complaint.empty()) {
            BOOST_TEST(found == "", row.what);
        } else {
            BOOST_TEST(found.find("day.toml:1:1: warning: ") == 0U, row.what << '\n' << found);
            BOOST_TEST(found.find(row.complaint) != std::string::npos, row.what << '\n' << found);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_end_time_is_judged_where_the_event_has_a_time_of_day) {
    const auto at = [](const std::string& moment) {
        return "[[event]]\nat = " + moment +
               "\nrequest = { by = \"ana\", vm = \"web01\", port = 22, source = \"198.51.100.7\", justification = "
               "\"x\", "
               "end_time = 2026-01-31T12:00:00Z }\n";
    };
    BOOST_TEST(complaints(at("\"+1s\"")) == "");
    BOOST_TEST(complaints(at("2026-01-31T11:00:00Z")) == "");
    BOOST_TEST(complaints(at("2026-01-31T09:00:00Z")).find("the request will be refused: end time") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(events_after_a_reload_are_not_judged) {
    BOOST_TEST(complaints("[[event]]\nat = \"+1s\"\nreload = { config = \"other.toml\" }\n[[event]]\nat = \"+2s\"\n"
                          "revoke = { by = \"eve\", vm = \"web09\", port = 1 }\n") == "");
}

BOOST_AUTO_TEST_SUITE_END()
