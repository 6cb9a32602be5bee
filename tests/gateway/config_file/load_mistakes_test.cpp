#include <boost/test/unit_test.hpp>

#include "gateway/config/config.hpp"
#include "gateway/config_file/load.hpp"
#include "tests/support/config_text.hpp"

namespace load_mistakes_test {

using gateway::config_file::parse_config;
using test::Mistake;

gateway::config::Findings findings_of(const std::string& text) {
    auto loaded = parse_config(text, "t.toml");
    return loaded ? gateway::config::Findings{} : std::move(loaded.error());
}

/// Each of the texts, after `before`, must have the one mistake that is named.
void check(std::string_view before, const std::vector<Mistake>& mistakes) {
    for (const auto& mistake : mistakes) {
        const auto text = std::string{before} + std::string{mistake.text} + '\n';
        BOOST_TEST(test::difference(findings_of(text), mistake) == "");
    }
}

auto errors_in(const gateway::config::Findings& findings) {
    return std::ranges::count(findings, gateway::config::Finding::Severity::error, &gateway::config::Finding::severity);
}

/// A correct NAT rule as one line, with a change.
std::string nat_rule(std::string_view what, std::string_view instead) {
    std::string rule =
        R"({ name = "r", protocols = ["TCP"], source_addresses = ["*"], destination_addresses = ["203.0.113.10"], )"
        R"(destination_ports = ["50022"], translated_address = "10.1.0.4", translated_port = "22" })";
    const auto at = rule.find(what);
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, what);
    return rule.replace(at, what.size(), instead);
}

struct NatMistake {
    std::string_view what;
    std::string_view instead;
    std::string_view message;
};

}  // namespace load_mistakes_test

BOOST_AUTO_TEST_SUITE(load_mistakes_test)

BOOST_AUTO_TEST_CASE(the_firewall_must_have_its_addresses) {
    check("", {
                  {"", "1:1", "needs a table [firewall] with public_ips and instance_ip"},
                  {"firewall = 1", "1:12", "is a whole number, but must be a table"},
                  {"[firewall]\ninstance_ip = \"10.0.1.5\"", "1:1", "needs the key \"public_ips\""},
                  {"[firewall]\npublic_ips = [\"203.0.113.10\"]", "1:1", "needs the key \"instance_ip\""},
                  {"[firewall]\ninstance_ip = \"10.0.1.5\"\npublic_ips = []", "3:14", "give at least one address"},
              });
    constexpr std::string_view before = "[firewall]\npublic_ips = [\"203.0.113.10\"]\n";
    check(before, {
                      {"instance_ip = \"10.0.1\"", "3:15", "\"10.0.1\" is not an IPv4 address; write four decimal"},
                      {"instance_ip = \"2001:db8::1\"", "3:15", "is IPv6, which Azure Firewall cannot translate"},
                      {"instance_ip = \"203.0.113.10\"", "3:15", "is also one of public_ips"},
                      {"instance_ip = \"224.0.0.1\"", "3:15", "give a unicast address"},
                      {"instance_ip = \"127.0.0.1\"", "3:15", "give a unicast address"},
                  });
    constexpr std::string_view complete = "[firewall]\npublic_ips = [\"203.0.113.10\"]\ninstance_ip = \"10.0.1.5\"\n";
    check(complete, {
                        {"private_ip = \"10.0.1.5\"", "4:14", "is also instance_ip"},
                        {"private_ip = \"203.0.113.10\"", "4:14", "is also one of public_ips"},
                        {"tier = \"Gold\"", "4:8", "\"Gold\" is not a tier; write Basic, Standard or Premium"},
                        {"name = \"-x\"", "4:8", "is no good name"},
                        {"name = \"x.\"", "4:8", "is no good name"},
                        {"name = \"a123456789b123456789c123456789d123456789e123456789f\"", "4:8", "longer than 50"},
                        {"subscription = \"lab\"", "4:16", "is not a subscription id; give a GUID"},
                        {"resource_group = \"a/b\"", "4:18", "is no good name"},
                        {"location = \"West Europe\"", "4:12", "as in westeurope"},
                        {"network_deny_overrides = 1", "4:26", "must be true or false"},
                        {"public_ip = \"203.0.113.10\"", "4:1", "did you mean \"public_ips\"?"},
                    });
    check("", {{"[firewall]\ninstance_ip = \"10.0.1.5\"\npublic_ips = [\"203.0.113.10\", \"203.0.113.10\"]", "3:31",
                "203.0.113.10 is listed twice"}});
}

BOOST_AUTO_TEST_CASE(machines_have_unique_names_and_addresses) {
    check(
        test::firewall_line,
        {
            {"[[virtual_machine]]\nname = \"a\"", "2:1", "needs the key \"private_ip\""},
            {"[[virtual_machine]]\nprivate_ip = \"10.1.0.4\"", "2:1", "needs the key \"name\""},
            {"[[virtual_machine]]\nname = \"a/b\"\nprivate_ip = \"10.1.0.4\"", "3:8", "is no good name"},
            {"[[virtual_machine]]\nname = \"a\"\nprivate_ip = \"10.0.1.5\"", "4:14", "is the firewall's own address"},
            {"[[virtual_machine]]\nname = \"a\"\nos = \"bsd\"\nprivate_ip = \"10.1.0.4\"", "4:6",
             "write linux or windows"},
            {"[[virtual_machine]]\nname = \"a\"\nprivate_ip = \"10.1.0.4\"\nnsg = [\"n\"]", "5:8",
             "there is no network_security_group \"n\""},
            {"[virtual_machine]\nname = \"a\"\nprivate_ip = \"10.1.0.4\"", "2:1", "write [[...]] with double brackets"},
        });
    check(std::string{test::firewall_line} + std::string{test::machines_line}.substr(0, test::machines_line.size() - 2),
          {
              {", { name = \"WEB01\", private_ip = \"10.1.0.6\" }]", "2:118", "there is another machine \"WEB01\""},
              {", { name = \"c\", private_ip = \"10.1.0.5\" }]", "2:136", "another machine has this address"},
          });
}

BOOST_AUTO_TEST_CASE(nat_rules_are_checked_as_azure_does) {
    const std::string before = std::string{test::firewall_line} +
                               "[[nat_rule_collection]]\nname = \"c\"\npriority = 100\nrule = [\n";
    for (const auto& row : {
             NatMistake{"protocols = [\"TCP\"]", "protocols = [\"ICMP\"]", "ICMP has no ports"},
             NatMistake{"protocols = [\"TCP\"]", "protocols = [\"ESP\"]",
                        "\"ESP\" is not a protocol; write TCP, UDP or Any"},
             NatMistake{"protocols = [\"TCP\"]", "protocols = []", "names none; write TCP, UDP or both"},
             NatMistake{"protocols = [\"TCP\"], ", "", "needs the key \"protocols\""},
             NatMistake{"name = \"r\"", "name = \"a/b\"", "is no good name"},
             NatMistake{"source_addresses = [\"*\"], ", "", "needs source_addresses or source_ip_groups"},
             NatMistake{"source_addresses = [\"*\"]", "source_addresses = []",
                        "needs source_addresses or source_ip_groups"},
             NatMistake{"source_addresses = [\"*\"]", "source_addresses = [\"10.0.0.9-10.0.0.1\"]", "is not a source"},
             NatMistake{"source_addresses = [\"*\"]", "source_addresses = [\"10.0.0.0/33\"]", "is not a source"},
             NatMistake{"source_addresses = [\"*\"]", "source_addresses = [\"Internet\"]", "is not a source"},
             NatMistake{"source_addresses = [\"*\"]", "source_addresses = [\"2001:db8::/32\"]", "is IPv6"},
             NatMistake{"source_addresses = [\"*\"]", "source_ip_groups = [\"x\"]", "there is no ip_group \"x\""},
             NatMistake{"[\"203.0.113.10\"]", "[\"203.0.113.12\"]", "is neither one of firewall.public_ips nor"},
             NatMistake{"[\"203.0.113.10\"]", "[\"2001:db8::1\"]", "is IPv6"},
             NatMistake{"[\"203.0.113.10\"]", "[\"*\"]", "is not an IPv4 address"},
             NatMistake{"[\"203.0.113.10\"]", "[]", "exactly one destination address"},
             NatMistake{"[\"203.0.113.10\"]", "[\"203.0.113.10\", \"203.0.113.11\"]",
                        "exactly one destination address"},
             NatMistake{"[\"50022\"]", "[\"64000\"]", "give a number from 1 to 63999"},
             NatMistake{"[\"50022\"]", "[0]", "give a number from 1 to 63999"},
             NatMistake{"[\"50022\"]", "[\"*\"]", "give a number from 1 to 63999"},
             NatMistake{"[\"50022\"]", "[-5]", "give a number from 1 to 63999"},
             NatMistake{"[\"50022\"]", "[]", "names none; give one port"},
             NatMistake{"[\"50022\"]", "[80, 81]", "one destination port a rule"},
             NatMistake{"[\"50022\"]", "[\"80-81\"]", "set firewall.multiple_destination_ports = true"},
             NatMistake{"translated_port = \"22\"", "translated_port = \"*\"", "is not a port; give one number"},
             NatMistake{"translated_port = \"22\"", "translated_port = \"80-81\"", "is not a port; give one number"},
             NatMistake{"translated_port = \"22\"", "translated_port = 0", "is not a port; give one number"},
             NatMistake{"translated_port = \"22\"", "translated_port = 65536", "is not a port; give one number"},
             NatMistake{", translated_port = \"22\"", "", "needs the key \"translated_port\""},
             NatMistake{"translated_address = \"10.1.0.4\", ", "", "needs the key \"translated_address\""},
             NatMistake{"\"10.1.0.4\"", "\"2001:db8::1\"", "is IPv6"},
             NatMistake{"\"10.1.0.4\"", "\"0.0.0.0\"", "give a unicast address"},
             NatMistake{"translated_address = \"10.1.0.4\"", "translated_fqdn = \"web.lab.example\"",
                        "cannot be resolved offline; give translated_address"},
             NatMistake{"translated_port", "translatedPort = 1, translated_port", "did you mean \"translated_port\"?"},
         }) {
        // The place of a value is where it was changed; of what a rule lacks, where the rule begins.
        const auto text = nat_rule(row.what, row.instead);
        const auto findings = findings_of(before + text + "\n]\n");
        BOOST_TEST(findings.size() == 1U, text << '\n' << test::text_of(findings));
        if (findings.size() != 1) continue;
        BOOST_TEST(findings[0].message.find(row.message) != std::string::npos, text << '\n' << test::text_of(findings));
        BOOST_TEST(findings[0].place.line == 6U);
        const bool lacks = findings[0].message.find("needs ") != std::string::npos;
        const auto first = std::string{nat_rule(row.what, row.what)}.find(row.what) + 1;
        BOOST_TEST((lacks ? findings[0].place.column == 1U : findings[0].place.column >= first),
                   test::text_of(findings));
    }
    check(test::firewall_line,
          {
              {"[[nat_rule_collection]]\nname = \"c\"\npriority = 99", "4:12", "give a number from 100 to 65000"},
              {"[[nat_rule_collection]]\nname = \"c\"\npriority = 65001", "4:12", "give a number from 100 to 65000"},
              {"[[nat_rule_collection]]\nname = \"c\"\npriority = \"200\"", "4:12", "a whole number, without quotes"},
              {"[[nat_rule_collection]]\nname = \"c d\"\npriority = 200", "3:8", "is no good name"},
              {"[[nat_rule_collection]]\npriority = 200", "2:1", "needs the key \"name\""},
              {"[[nat_rule_collection]]\nname = \"c\"\npriority = 200\nrule_collection_group = \"g\"", "5:25",
               "there is no rule_collection_group \"g\""},
              {"[[nat_rule_collection]]\nname = \"c\"\npriority = 200\nrules = []", "5:1", "did you mean \"rule\"?"},
          });
}

BOOST_AUTO_TEST_CASE(a_wrong_value_is_found_to_the_column) {
    check(std::string{test::firewall_line} + "[[nat_rule_collection]]\nname = \"c\"\npriority = 100\n",
          {{R"([[nat_rule_collection.rule]]
name = "r"
protocols = ["TCP", "SCTP"]
source_addresses = ["*"]
destination_addresses = ["203.0.113.10"]
destination_ports = [ 22 ]
translated_address = "10.1.0.4"
translated_port = 22)",
            "7:21", "NAT rule: protocols: \"SCTP\" is not a protocol"}});
}

BOOST_AUTO_TEST_CASE(the_basic_tier_has_no_private_dnat) {
    const std::string rule = "nat_rule_collection = [ { name = \"c\", priority = 100, rule = [" +
                             nat_rule("203.0.113.10", "10.0.1.4") + "] } ]\n";
    const auto with_tier = [&](const std::string& tier) {
        return findings_of(rule +
                           "[firewall]\npublic_ips = [\"203.0.113.10\"]\nprivate_ip = \"10.0.1.4\"\n"
                           "instance_ip = \"10.0.1.5\"\ntier = \"" +
                           tier + "\"\n");
    };
    BOOST_TEST(test::text_of(with_tier("Premium")) == "");
    BOOST_TEST(test::text_of(with_tier("Standard")) == "");
    BOOST_TEST(test::text_of(with_tier("Basic")).find("the Basic tier cannot translate") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(network_rules_and_groups_are_checked) {
    constexpr std::string_view collection =
        "[[network_rule_collection]]\nname = \"c\"\npriority = 100\naction = "
        "\"Deny\"\n[[network_rule_collection.rule]]\n";
    check(
        std::string{test::firewall_line} + std::string{collection} + "name = \"r\"\ndestination_addresses = [\"*\"]\n",
        {
            {"protocols = [\"ICMP\"]\ndestination_ports = [\"*\"]\nsource_addresses = [\"*\"]", "9:14",
             "ICMP has no ports"},
            {"protocols = [\"TCP\"]\ndestination_ports = [70000]\nsource_addresses = [\"*\"]", "10:22",
             "is not a port"},
            {"protocols = [\"TCP\"]\ndestination_ports = []\nsource_addresses = [\"*\"]", "10:21", "names none"},
            {"protocols = [\"TCP\"]\ndestination_ports = [\"*\"]", "6:1", "needs source_addresses or source_ip_groups"},
            {"protocols = [\"TCP\"]\ndestination_ports = [\"*\"]\nsource_addresses = [\"Storage\"]", "11:21",
             "\"Storage\" is no known service tag"},
            {"protocols = [\"TCP\"]\ndestination_ports = [\"*\"]\nsource_addresses = [\"10.0.0\"]", "11:21",
             "\"10.0.0\" is not a source"},
        });
    check(test::firewall_line,
          {
              {"[[network_rule_collection]]\nname = \"c\"\npriority = 100", "2:1", "needs the key \"action\""},
              {"[[network_rule_collection]]\nname = \"c\"\npriority = 100\naction = \"Dnat\"", "5:10",
               "write Allow or Deny"},
              {"[[rule_collection_group]]\nname = \"g\"", "2:1", "needs the key \"priority\""},
              {"[[rule_collection_group]]\nname = \"g\"\npriority = 1", "4:12", "from 100 to 65000"},
              {"[[rule_collection_group]]\nname = \"g\"\npriority = 100\n[[rule_collection_group]]\nname = "
               "\"G\"\npriority = 200",
               "6:8", "there is another group \"G\""},
              {"[[ip_group]]\nname = \"g\"", "2:1", "needs the key \"ip_addresses\""},
              {"[[ip_group]]\nname = \"g\"\nip_addresses = [\"*\", \"x\"]", "4:22", "\"x\" is not a source"},
          });
}

BOOST_AUTO_TEST_CASE(all_mistakes_are_reported_at_once_in_the_order_of_the_file) {
    const auto findings = findings_of(R"(colour = "red"
[firewall]
public_ips = ["203.0.113.300"]
instance_ip = "10.0.1.5"
[[virtual_machine]]
name = "web01"
[[jit_policy]]
on_expiry = "never"
[[jit_policy.virtual_machine]]
name = "web02"
ports = [ { number = 0, allowed_source_address_prefix = "*" } ]
)");
    std::string places;
    for (const auto& finding : findings) places += test::position(finding) + ' ';
    BOOST_TEST(places == "1:1 3:15 5:1 8:13 10:8 11:22 ");
    BOOST_TEST(test::text_of(findings).find("no virtual_machine \"web02\"; did you mean \"web01\"?") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_not_in_this_build_is_not_silently_ignored) {
    check(test::firewall_line,
          {
              {"[import]\narm = [\"azure.json\"]", "3:7", "ARM import is not available in this build"},
              {"[import]\nterraform = 1", "3:1", "unknown key \"terraform\""},
              {"[store]\nurl = 5", "3:7", "must be a text in quotes"},
              {"[api]\nlisten = 8443", "3:10", "must be a text in quotes"},
          });
}

BOOST_AUTO_TEST_CASE(mistakes_in_the_settings_of_the_service_are_named) {
    const std::string principal = "[[principal]]\nname = \"lab@lab.example\"\n";
    check(test::firewall_line,
          {
              {"[jit]\nmapped_ports = \"22-50\"", "3:16", "from 1024 to 63999"},
              {"[jit]\nmapped_ports = \"60000-64000\"", "3:16", "from 1024 to 63999"},
              {"[jit]\nmapped_ports = \"60000-50000\"", "3:16", "for example 50000-59999"},
              {"[store]\nurl = \"postgresql://db\"", "3:7", "write sqlite: and the path of a file"},
              {"[api]\nlisten = \"8443\"", "3:10", "for example 127.0.0.1:8443"},
              {"[api]\ntls_key = \"key.pem\"", "2:1", "belong together"},
              {"[api]\nrequests_per_minute = 0", "3:23", "requests_per_minute"},
              {"[api]\nrequest_timeout = \"1ms\"", "3:19", "100ms to 10m"},
              {"[api.jwt]\njwks = \"keys.json\"\nissuer = \"i\"", "2:1", "needs the key \"audience\""},
              {"[api.lab_sign_in]\nprincipal = \"lab@lab.example\"", "3:13", "there is no principal"},
              {principal + "[api.lab_sign_in]\nprincipal = \"lab@lab.example\"\nlisten = \"10.0.0.1:80\"", "6:10",
               "on loopback only"},
          });
}

BOOST_AUTO_TEST_CASE(expansion_of_few_bytes_into_many_addresses_or_ports_is_bounded) {
    std::string group = "[[ip_group]]\nname = \"g\"\nip_addresses = [";
    for (int i = 0; i < 5000; ++i) group += "\"10.0.0.1\",";
    group += "]\n";
    std::string rules = "[[nat_rule_collection]]\nname = \"c\"\npriority = 100\nrule = [\n";
    for (int i = 0; i < 1000; ++i) {
        rules += nat_rule("source_addresses = [\"*\"]", "source_ip_groups = [\"g\", \"g\", \"g\", \"g\"]") + ",\n";
    }
    const auto addresses = findings_of(std::string{test::firewall_line} + group + rules + "]\n");
    BOOST_TEST(test::text_of(addresses).find("name more than 4000000 addresses") != std::string::npos);
    BOOST_TEST(errors_in(addresses) == 1);

    std::string tag = "[service_tags]\nVirtualNetwork = [";
    for (int i = 0; i < 5001; ++i) tag += "\"10.0.0.1\",";
    const auto ranges = findings_of(std::string{test::firewall_line} + tag + "]\n");
    BOOST_TEST(test::text_of(ranges).find("t.toml:3:18: error: service tags: VirtualNetwork: more than 5000 ranges") ==
               0U);

    std::string wide =
        "[firewall]\npublic_ips = [\"203.0.113.10\"]\ninstance_ip = \"10.0.1.5\"\n"
        "multiple_destination_ports = true\n[[nat_rule_collection]]\nname = \"c\"\npriority = 100\nrule = [\n";
    for (int i = 0; i < 40; ++i) wide += nat_rule("\"50022\"", "\"1-63999\"") + ",\n";
    const auto ports = findings_of(wide + "]\n");
    BOOST_TEST(test::text_of(ports).find("listen on more than 2000000 ports") != std::string::npos);
    BOOST_TEST(errors_in(ports) == 1);
}

BOOST_AUTO_TEST_CASE(one_mistake_in_public_ips_is_one_mistake) {
    const auto findings = findings_of(
        "[firewall]\npublic_ips = 7\ninstance_ip = \"10.0.1.5\"\n[[nat_rule_collection]]\nname = \"c\"\n"
        "priority = 100\nrule = [\n" +
        nat_rule("\"50022\"", "\"50022\"") + "]\n");
    BOOST_TEST(errors_in(findings) == 1, test::text_of(findings));
}

BOOST_AUTO_TEST_CASE(mistakes_beyond_a_thousand_are_counted) {
    std::string text{test::firewall_line};
    for (int i = 0; i < 1500; ++i) text += "x" + std::to_string(i) + " = 1\n";
    const auto findings = findings_of(text);
    BOOST_TEST(findings.size() == 1001U);
    BOOST_TEST(to_string(findings.back()) == "t.toml: error: and 500 more mistakes");
}

BOOST_AUTO_TEST_SUITE_END()
