#include "gateway/config/config.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gateway/config_file/load.hpp"
#include "gateway/replay/scenario_warnings.hpp"
#include "tests/support/config_text.hpp"
#include "tests/support/scratch_folder.hpp"

namespace load_test {

using captures::base::Protocol;
using gateway::config::Config;
using gateway::config_file::parse_config;

/// The example of the design, with a digest for a token, an NSG of the name it gives, and no import.
constexpr std::string_view example = R"(
[firewall]
name = "lab-fw"
subscription = "20ff7fc3-e762-44dd-bd96-b71116dcdc23"
resource_group = "lab"
location = "westeurope"
tier = "Standard"                      # Basic | Standard | Premium
public_ips = ["203.0.113.10"]
private_ip = "10.0.1.4"                # where private DNAT arrives
instance_ip = "10.0.1.5"               # what VMs see as the source of DNATed flows

[[virtual_machine]]
name = "web01"
os = "linux"                           # linux | windows
private_ip = "10.1.0.4"
nsg = ["web-nsg"]                      # optional: subnet NSG first, then NIC

[[network_security_group]]
name = "web-nsg"
flush_connection = true

[[nat_rule_collection]]
name = "inbound"
priority = 200
  [[nat_rule_collection.rule]]
  name = "ssh-web01"
  protocols = ["TCP"]
  source_addresses = ["*"]
  destination_addresses = ["203.0.113.10"]
  destination_ports = ["50022"]
  translated_address = "10.1.0.4"
  translated_port = "22"

[[jit_policy]]
name = "default"
  [[jit_policy.virtual_machine]]
  name = "web01"
  ports = [ { number = 22, protocol = "TCP", allowed_source_address_prefixes = ["*"], max_request_access_duration = "PT3H" } ]

[[principal]]
name = "operator@lab.example"
token_sha256 = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08"
[[role_assignment]]
principal = "operator@lab.example"
role = "JIT Requester"                 # built in: Reader, Security Reader, Security Admin, Contributor, Owner, JIT Requester
scope = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab"

[store]
url = "sqlite:portcullis.db"
[api]
listen = "127.0.0.1:8443"              # TLS; see api.tls_certificate, api.tls_key
[live]
outside = { interface = "eth0", address = "203.0.113.1/24", gateway = "203.0.113.254" }
inside  = { interface = "eth1", address = "10.0.1.5/24", gateway = "10.0.1.1" }
)";

Config load(std::string_view text) {
    auto loaded = parse_config(text, "t.toml");
    BOOST_REQUIRE(test::errors_of(loaded) == "");
    return std::move(loaded->config);
}

Config load_with_firewall(const std::string& text) { return load(std::string{test::firewall_line} + text); }

std::string names_of(const Config& config) {
    std::string names;
    for (const auto& rule : config.nat_rules) names += (names.empty() ? "" : " ") + to_string(rule.name);
    for (const auto& rule : config.network_rules.rules()) names += ' ' + rule.collection + '/' + rule.name;
    return names;
}

std::string nat_collection(const std::string& head, const std::vector<std::string>& rules) {
    std::string text = "[[nat_rule_collection]]\n" + head + "\n";
    for (const auto& rule : rules) {
        text += "[[nat_rule_collection.rule]]\nname = \"" + rule +
                "\"\nprotocols = [\"TCP\"]\nsource_addresses = [\"*\"]\ndestination_addresses = [\"203.0.113.10\"]\n"
                "destination_ports = [22]\ntranslated_address = \"10.1.0.4\"\ntranslated_port = 22\n";
    }
    return text;
}

std::string network_collection(const std::string& head, const std::vector<std::string>& rules) {
    std::string text = "[[network_rule_collection]]\naction = \"Deny\"\n" + head + "\n";
    for (const auto& rule : rules) {
        text += "[[network_rule_collection.rule]]\nname = \"" + rule +
                "\"\nprotocols = [\"Any\"]\nsource_addresses = [\"*\"]\ndestination_addresses = [\"VirtualNetwork\"]\n"
                "destination_ports = [\"*\"]\n";
    }
    return text;
}

}  // namespace load_test

BOOST_AUTO_TEST_SUITE(load_test)

BOOST_AUTO_TEST_CASE(the_example_of_the_design_loads) {
    const auto config = load(example);
    BOOST_TEST(config.firewall.name == "lab-fw");
    BOOST_TEST((config.firewall.tier == gateway::config::Tier::standard));
    BOOST_TEST(to_string(config.firewall.public_ips.at(0)) == "203.0.113.10");
    BOOST_TEST(to_string(config.firewall.private_ip.value()) == "10.0.1.4");
    BOOST_TEST(to_string(config.firewall.instance_ip) == "10.0.1.5");
    BOOST_TEST(!config.firewall.network_deny_overrides);

    const auto& rule = config.nat_rules.at(0);
    BOOST_TEST(to_string(rule.name) == "inbound/ssh-web01");
    BOOST_TEST((rule.protocols == std::vector{Protocol::tcp}));
    BOOST_TEST((rule.sources == std::vector{captures::base::AddressRange::any()}));
    BOOST_TEST(to_string(rule.destination) == "203.0.113.10");
    BOOST_TEST(to_string(rule.destination_ports.at(0)) == "50022");
    BOOST_TEST(to_string(rule.translated) == "10.1.0.4:22");
    BOOST_TEST(config.nat_rule_places.at(0).line == 25U);

    const auto& jit = config.jit_policies.at(0).machines.at(0).ports.at(0);
    BOOST_TEST(jit.number == 22);
    BOOST_TEST((jit.protocol == Protocol::tcp));
    BOOST_TEST((jit.max_duration == std::chrono::hours{3}));
    BOOST_TEST(config.principals.at(0).token_sha256.substr(0, 8) == "9f86d081");
    BOOST_TEST(config.role_assignments.at(0).role == "JIT Requester");
    BOOST_TEST(config.nsg("WEB-NSG")->flush_connection());
}

BOOST_AUTO_TEST_CASE(the_example_of_the_design_has_no_warnings) {
    BOOST_TEST(test::text_of(parse_config(example, "t.toml")->warnings) == "");
}

BOOST_AUTO_TEST_CASE(names_are_found_in_any_case_and_ids_are_azures) {
    const auto config = load(example);
    const std::string group = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab/providers";
    BOOST_TEST(config.machine("WEB01") == &config.machines.at(0));
    BOOST_TEST(config.machine("web02") == nullptr);
    BOOST_TEST(config.machine(captures::base::Ipv4Address::parse("10.1.0.4").value()) == &config.machines.at(0));
    BOOST_TEST(config.policy_of("Web01") == &config.jit_policies.at(0));
    BOOST_TEST(config.policy_of("db01") == nullptr);
    BOOST_TEST(config.nsg("other") == nullptr);
    BOOST_TEST(config.firewall.resource_id() == group + "/Microsoft.Network/azureFirewalls/lab-fw");
    BOOST_TEST(config.machine_id("web01") == group + "/Microsoft.Compute/virtualMachines/web01");
    BOOST_TEST(config.policy_id("default") ==
               group + "/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/default");
}

BOOST_AUTO_TEST_CASE(what_is_left_out_has_defaults) {
    const auto config = load_with_firewall(
        std::string{test::machines_line} +
        "[[jit_policy]]\n[[jit_policy.virtual_machine]]\nname = \"DB01\"\n"
        "ports = [ { number = \"3389\", allowed_source_address_prefix = \"198.51.100.0/24\" } ]\n");
    BOOST_TEST(config.firewall.name == "firewall");
    BOOST_TEST(config.firewall.location == "westeurope");
    BOOST_TEST(config.machines.at(1).os == "linux");
    const auto& policy = config.jit_policies.at(0);
    BOOST_TEST(policy.name == "default");
    BOOST_TEST((policy.on_expiry == policy::OnExpiry::keep));
    BOOST_TEST(!policy.justification_required);
    const auto& port = policy.machines.at(0).ports.at(0);
    BOOST_TEST(port.number == 3389);
    BOOST_TEST(!port.protocol);
    BOOST_TEST((port.max_duration == std::chrono::hours{3}));
    BOOST_TEST(!config.timeouts.tcp_idle);
    BOOST_TEST(config.limits.flows == 1U << 20);
    BOOST_TEST(!config.service_tags.virtual_network.empty());
}

/// The worked example of azure/firewall: rule-processing.
BOOST_AUTO_TEST_CASE(rules_are_in_azures_order_of_evaluation) {
    const auto group = [](const std::string& name, int priority, bool parent) {
        return "[[rule_collection_group]]\nname = \"" + name + "\"\npriority = " + std::to_string(priority) +
               "\nfirewall_policy = \"" + (parent ? "Base" : "Child") + "\"\nparent = " + (parent ? "true" : "false") +
               '\n';
    };
    const auto head = [](const std::string& name, int priority, const std::string& in) {
        return "name = \"" + name + "\"\npriority = " + std::to_string(priority) + "\nrule_collection_group = \"" + in +
               "\"";
    };
    const auto config = load_with_firewall(nat_collection(head("ChDNATRC3", 3000, "ChildRCG2"), {"a"}) +
                                           network_collection(head("ChNetRC2", 1100, "ChildRCG2"), {"a"}) +
                                           network_collection(head("ChNetRC1", 700, "ChildRCG1"), {"a"}) +
                                           network_collection(head("NetworkRC2", 1300, "BaseRCG2"), {"a"}) +
                                           network_collection(head("NetworkRC1", 800, "BaseRCG1"), {"b", "a"}) +
                                           nat_collection(head("DNATRC3", 610, "BaseRCG1"), {"b", "a"}) +
                                           nat_collection(head("DNATRC1", 600, "BaseRCG1"), {"z", "y"}) +
                                           group("ChildRCG2", 650, false) + group("ChildRCG1", 300, false) +
                                           group("BaseRCG2", 300, true) + group("BaseRCG1", 200, true));
    BOOST_TEST(names_of(config) ==
               "DNATRC1/z DNATRC1/y DNATRC3/b DNATRC3/a ChDNATRC3/a "
               "NetworkRC1/b NetworkRC1/a NetworkRC2/a ChNetRC1/a ChNetRC2/a");
    BOOST_TEST(config.nat_rules[0].name.group == "BaseRCG1");
    BOOST_TEST(config.nat_rules[0].name.policy == "Base");
    BOOST_TEST(config.network_rules.rules()[4].group == "ChildRCG2");
    BOOST_TEST(config.nat_rule_places[4].line < config.nat_rule_places[0].line);  // places follow their rules
}

BOOST_AUTO_TEST_CASE(classic_collections_go_by_priority_and_ties_by_the_order_of_the_file) {
    const auto config = load_with_firewall(nat_collection("name = \"late\"\npriority = 300", {"a"}) +
                                           nat_collection("name = \"tie1\"\npriority = 200", {"a"}) +
                                           nat_collection("name = \"tie2\"\npriority = 200", {"b", "a"}) +
                                           nat_collection("name = \"early\"\npriority = 100", {"a"}));
    BOOST_TEST(names_of(config) == "early/a tie1/a tie2/b tie2/a late/a");
}

BOOST_AUTO_TEST_CASE(sources_are_the_union_of_addresses_and_ip_groups) {
    const auto config = load_with_firewall(R"(
[[ip_group]]
name = "office"
ip_addresses = ["198.51.100.0/30", "192.0.2.1-192.0.2.3"]
[[nat_rule_collection]]
name = "c"
priority = 100
rule = [ { name = "r", protocols = ["udp", "Any"], source_addresses = ["192.0.2.9"], source_ip_groups = ["Office"], destination_addresses = ["10.0.1.4"], destination_ports = ["63999"], translated_address = "10.9.9.9", translated_port = "65535", description = "private DNAT" } ]
)");
    const auto& rule = config.nat_rules.at(0);
    BOOST_TEST(rule.sources.size() == 3U);
    BOOST_TEST(to_string(rule.sources[0]) == "198.51.100.0-198.51.100.3");
    BOOST_TEST(to_string(rule.sources[1]) == "192.0.2.1-192.0.2.3");
    BOOST_TEST(to_string(rule.sources[2]) == "192.0.2.9");
    BOOST_TEST((rule.protocols == std::vector{Protocol::tcp, Protocol::udp}));
}

BOOST_AUTO_TEST_CASE(several_destination_ports_are_mapped_to_one_on_demand) {
    const auto config = load(R"(
[firewall]
public_ips = ["203.0.113.10"]
instance_ip = "10.0.1.5"
multiple_destination_ports = true
network_deny_overrides = true
[[nat_rule_collection]]
name = "c"
priority = 100
rule = [ { name = "r", protocols = ["TCP"], source_addresses = ["*"], destination_addresses = ["203.0.113.10"], destination_ports = ["80-90", 443], translated_address = "10.9.9.9", translated_port = 8080 } ]
)");
    BOOST_TEST(config.nat_rules.at(0).destination_ports.size() == 2U);
    BOOST_TEST(to_string(config.nat_rules.at(0).destination_ports[0]) == "80-90");
    BOOST_TEST(config.firewall.network_deny_overrides);
}

BOOST_AUTO_TEST_CASE(security_rules_keep_what_can_decide_and_resolve_tags) {
    const auto config = load_with_firewall(R"(
[service_tags]
VirtualNetwork = ["10.1.0.0/16"]
[[network_security_group]]
name = "n"
[[network_security_group.security_rule]]
name = "in"
priority = 100
direction = "Inbound"
access = "Allow"
protocol = "Tcp"
source_address_prefix = "VirtualNetwork"
source_port_range = "*"
destination_address_prefixes = ["10.1.0.4", "10.1.0.5"]
destination_port_ranges = [22, "80-90"]
[[network_security_group.security_rule]]
name = "out"
priority = 100
direction = "Outbound"
access = "Deny"
protocol = "*"
source_address_prefix = "*"
source_port_range = "*"
destination_address_prefix = "Internet"
destination_port_range = "*"
[[network_security_group.security_rule]]
name = "ping"
priority = 101
direction = "Inbound"
access = "Deny"
protocol = "ICMP"
source_address_prefix = "*"
source_address_prefixes = []
source_port_range = "*"
destination_address_prefix = "*"
destination_port_range = "*"
)");
    const auto& rules = config.nsgs.at(0).rules();
    BOOST_TEST(rules.size() == 4U);  // and Azure's three
    BOOST_TEST(rules[0].name == "in");
    BOOST_TEST(to_string(rules[0].sources.at(0)) == "10.1.0.0-10.1.255.255");
    BOOST_TEST(rules[0].destinations.size() == 2U);
    BOOST_TEST(to_string(rules[0].destination_ports.at(1)) == "80-90");
    BOOST_TEST(rules[1].name == "AllowVnetInBound");
}

BOOST_AUTO_TEST_CASE(timeouts_limits_and_custom_roles_are_read) {
    const auto config = load_with_firewall(R"(
[timeouts]
tcp_idle = "PT15M"
tcp_idle_east_west = "300s"
tcp_transitory = "4m"
udp_idle = "1500ms"
fragment = "30s"
[limits]
flows = 1000
fragmented_datagrams = 10
held_fragments = 1
[[role]]
name = "Auditor"
actions = ["Microsoft.Security/*/read"]
not_actions = ["*"]
[[principal]]
name = "ana"
[[role_assignment]]
principal = "ANA"
role = "auditor"
scope = "/subscriptions/00000000-0000-0000-0000-000000000000"
)");
    BOOST_TEST((config.timeouts.tcp_idle == std::chrono::minutes{15}));
    BOOST_TEST((config.timeouts.tcp_idle_east_west == std::chrono::minutes{5}));
    BOOST_TEST((config.timeouts.tcp_transitory == std::chrono::minutes{4}));
    BOOST_TEST((config.timeouts.udp_idle == std::chrono::milliseconds{1500}));
    BOOST_TEST((config.timeouts.fragment == std::chrono::seconds{30}));
    BOOST_TEST(config.limits.flows == 1000U);
    BOOST_TEST(config.limits.fragmented_datagrams == 10U);
    BOOST_TEST(config.limits.held_fragments == 1U);
    BOOST_TEST(config.roles.at(0).not_actions.size() == 1U);
    BOOST_TEST(config.role_assignments.size() == 1U);
    BOOST_TEST(config.principals.at(0).token_sha256 == "");
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_rules_load) {
    std::string text{test::firewall_line};
    text += "[[nat_rule_collection]]\nname = \"c\"\npriority = 100\nrule = [\n";
    for (int i = 0; i < 100'000; ++i) {
        text += "{name=\"r" + std::to_string(i) + "\",protocols=[\"TCP\"],source_addresses=[\"198.51." +
                std::to_string(i / 256 % 256) + '.' + std::to_string(i % 256) +
                "\"],destination_addresses=[\"203.0.113.10\"],destination_ports=[" + std::to_string(i / 50 + 1) +
                "],translated_address=\"10.1.0.4\",translated_port=80},\n";
    }
    const auto config = load(text + "]\n");
    BOOST_TEST(config.nat_rules.size() == 100'000U);
    BOOST_TEST(config.nat_rules.back().name.rule == "r99999");
}

BOOST_AUTO_TEST_CASE(the_examples_of_the_documentation_load_without_a_warning) {
    const auto* const root = std::getenv("PORTCULLIS_SOURCE_DIR");
    std::ifstream file{std::filesystem::path{root == nullptr ? "." : root} / "docs/configuration.md"};
    std::string page{std::istreambuf_iterator<char>{file}, {}};
    const auto next_block = [&page] {
        const auto begin = page.find("```toml\n");
        const auto end = page.find("\n```\n", begin);
        BOOST_REQUIRE(end != std::string::npos);
        auto block = page.substr(begin + 8, end - begin - 7);
        page.erase(0, end + 5);
        return block;
    };
    const auto lab = parse_config(next_block(), "lab.toml");
    BOOST_REQUIRE(test::errors_of(lab) == "");
    BOOST_TEST(test::text_of(lab->warnings) == "");
    const auto day = gateway::replay::parse_scenario(next_block(), "day.toml");
    BOOST_REQUIRE(test::errors_of(day) == "");
    BOOST_TEST(test::text_of(check_scenario(*day, lab->config)) == "");
    BOOST_TEST(day->events.size() + day->flows.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_file_is_loaded_by_its_path_and_findings_name_it) {
    const support::ScratchFolder scratch;
    const auto& folder = scratch.path();
    const auto path = (folder / "lab.toml").string();
    std::ofstream{path} << example;
    BOOST_TEST(gateway::config_file::load_config(path).has_value());
    std::ofstream{path} << test::firewall_line << "colour = 1\n";
    const auto loaded = gateway::config_file::load_config(path);
    BOOST_REQUIRE(!loaded.has_value());
    BOOST_TEST(to_string(loaded.error().at(0)).find(path + ":2:1: error: configuration: unknown key \"colour\"") == 0U);
    std::filesystem::remove_all(folder);
    BOOST_TEST(!gateway::config_file::load_config(path).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
