#include <boost/test/unit_test.hpp>

#include "gateway/config/config.hpp"
#include "gateway/config_file/load.hpp"
#include "tests/support/config_text.hpp"

namespace read_access_mistakes_test {

using gateway::config_file::parse_config;
using test::Mistake;

/// Each of the texts, after `before`, must have the one mistake that is named.
void check(std::string_view before, const std::vector<Mistake>& mistakes) {
    for (const auto& mistake : mistakes) {
        const auto loaded = parse_config(std::string{before} + std::string{mistake.text} + '\n', "t.toml");
        BOOST_TEST(test::difference(loaded ? gateway::config::Findings{} : loaded.error(), mistake) == "");
    }
}

}  // namespace read_access_mistakes_test

BOOST_AUTO_TEST_SUITE(read_access_mistakes_test)

BOOST_AUTO_TEST_CASE(jit_policies_keep_azures_limits) {
    const std::string before = std::string{test::firewall_line} + std::string{test::machines_line} +
                               "[[jit_policy]]\n[[jit_policy.virtual_machine]]\nname = \"web01\"\nports = [\n";
    check(before,
          {
              {"{ number = 22 } ]", "7:1", "needs allowed_source_address_prefix or allowed_source_address_prefixes"},
              {"{ allowed_source_address_prefix = \"*\" } ]", "7:1", "needs the key \"number\""},
              {"{ number = 0, allowed_source_address_prefix = \"*\" } ]", "7:12", "from 1 to 65535"},
              {"{ number = 65536, allowed_source_address_prefix = \"*\" } ]", "7:12", "from 1 to 65535"},
              {"{ number = 22, protocol = \"Any\", allowed_source_address_prefix = \"*\" } ]", "7:27",
               "write TCP, UDP or *"},
              {"{ number = 22, allowed_source_address_prefix = \"10.0.0.1-10.0.0.9\" } ]", "7:48", "is not a prefix"},
              {"{ number = 22, allowed_source_address_prefix = \"2001:db8::1\" } ]", "7:48", "is IPv6"},
              {"{ number = 22, allowed_source_address_prefixes = [] } ]", "7:50", "is empty, so that nobody could ask"},
              {"{ number = 22, allowed_source_address_prefix = \"*\", allowed_source_address_prefixes = [\"*\"] } ]",
               "7:87", "give one of them"},
              {"{ number = 22, allowed_source_address_prefix = \"*\", max_request_access_duration = \"PT4M59S\" } ]",
               "7:83", "give 5 minutes (PT5M) to 1 day (P1D)"},
              {"{ number = 22, allowed_source_address_prefix = \"*\", max_request_access_duration = \"P1DT1S\" } ]",
               "7:83", "give 5 minutes (PT5M) to 1 day (P1D)"},
              {"{ number = 22, allowed_source_address_prefix = \"*\", max_request_access_duration = \"3\" } ]", "7:83",
               "is not a duration"},
              {"{ number = 22, protocol = \"TCP\", allowed_source_address_prefix = \"*\" },\n"
               "{ number = 22, protocol = \"*\", allowed_source_address_prefix = \"*\" } ]",
               "8:12", "port 22 of this machine is listed before"},
              {"]", "6:9", "names none; give at least one port"},
              {"{ number = 22, allowed_source_address_prefix = \"*\" } ]\n[[jit_policy.virtual_machine]]\nname = "
               "\"WEB01\"\n"
               "ports = [ { number = 23, allowed_source_address_prefix = \"*\" } ]",
               "9:8", "machine \"WEB01\" is under a policy already"},
              {"{ number = 22, allowed_source_address_prefix = \"*\" } ]\n[[jit_policy]]\nname = \"Default\"", "9:8",
               "there is another policy \"Default\""},
              {"{ number = 22, allowed_source_address_prefix = \"*\" } ]\n[[jit_policy]]\nname = \"p\"\non_expiry = "
               "\"close\"",
               "10:13", "write keep (established connections go on) or cut"},
          });
    // TCP and UDP on the same number do not overlap.
    BOOST_TEST(parse_config(before + "{ number = 22, protocol = \"TCP\", allowed_source_address_prefix = \"*\" },\n"
                                     "{ number = 22, protocol = \"UDP\", allowed_source_address_prefix = \"*\" } ]\n",
                            "t.toml")
                   .has_value());
}

BOOST_AUTO_TEST_CASE(names_of_a_policy_and_its_machine_have_56_characters_together) {
    const auto errors = [](std::size_t policy, std::size_t machine) {
        const std::string name(machine, 'm');
        const auto loaded = parse_config(std::string{test::firewall_line} + "[[virtual_machine]]\nname = \"" + name +
                                             "\"\nprivate_ip = \"10.1.0.4\"\n[[jit_policy]]\nname = \"" +
                                             std::string(policy, 'p') +
                                             "\"\n[[jit_policy.virtual_machine]]\nname = \"" + name +
                                             "\"\nports = [ { number = 22, allowed_source_address_prefix = \"*\" } ]\n",
                                         "t.toml");
        return loaded ? std::string{} : test::text_of(loaded.error());
    };
    BOOST_TEST(errors(6, 50) == "");
    BOOST_TEST(errors(7, 50).find("t.toml:8:8: error: JIT machine: name: the names of policy and machine have 57") ==
               0U);
}

BOOST_AUTO_TEST_CASE(principals_roles_and_assignments_must_fit_together) {
    check(test::firewall_line,
          {
              {"[[principal]]", "2:1", "needs the key \"name\""},
              {"[[principal]]\nname = \"a b\"", "3:8", "is no good name"},
              {"[[principal]]\nname = \"a\"\n[[principal]]\nname = \"A\"", "5:8", "there is another principal \"A\""},
              {"[[principal]]\nname = \"a\"\ntoken_sha256 = \"abc\"", "4:16",
               "is no SHA-256 digest; give its 64 hex digits"},
              {"[[role]]\nname = \"r\"", "2:1", "needs the key \"actions\""},
              {"[[role]]\nname = \"r\"\nactions = []", "4:11", "names none"},
              {"[[role]]\nname = \"r\"\nactions = [\"read\"]", "4:12", "\"read\" is not an action"},
              {"[[role]]\nname = \"reader\"\nactions = [\"*\"]", "3:8", "\"reader\" is built in"},
              {"[[role]]\nname = \"r\"\nactions = [\"*\"]\n[[role]]\nname = \"R\"\nactions = [\"*\"]", "6:8",
               "there is another role \"R\""},
          });
    check(std::string{test::firewall_line} + "[[principal]]\nname = \"ana@lab.example\"\n[[role_assignment]]\n",
          {
              {"role = \"Reader\"\nscope = \"/subscriptions/x\"", "4:1", "needs the key \"principal\""},
              {"principal = \"ana@lab.exampel\"\nrole = \"Reader\"\nscope = \"/subscriptions/x\"", "5:13",
               "there is no principal \"ana@lab.exampel\"; did you mean \"ana@lab.example\"?"},
              {"principal = \"ana@lab.example\"\nrole = \"JIT Requestor\"\nscope = \"/subscriptions/x\"", "6:8",
               "there is no role \"JIT Requestor\"; did you mean \"JIT Requester\"?"},
              {"principal = \"ana@lab.example\"\nrole = \"Reader\"\nscope = \"subscriptions/x\"", "7:9",
               "is not a scope"},
          });
    const std::string digest(64, 'a');
    const auto twice = parse_config(std::string{test::firewall_line} +
                                        "[[principal]]\nname = \"a\"\ntoken_sha256 = \"" + digest +
                                        "\"\n[[principal]]\nname = \"b\"\ntoken_sha256 = \"" + digest + "\"\n",
                                    "t.toml");
    BOOST_REQUIRE(!twice.has_value());
    BOOST_TEST(test::text_of(twice.error()).find("t.toml:7:16: error: principal: token_sha256: another principal") ==
               0U);
}

BOOST_AUTO_TEST_CASE(security_rules_are_checked_as_azure_does) {
    const std::string before = std::string{test::firewall_line} + "[[network_security_group]]\nname = \"n\"\n";
    constexpr std::string_view rule = "[[network_security_group.security_rule]]\n";
    const auto with = [&](std::string_view priority, std::string_view rest) {
        return std::string{rule} + "name = \"r\"\npriority = " + std::string{priority} + '\n' + std::string{rest};
    };
    const std::string sides =
        "source_address_prefix = \"*\"\nsource_port_range = \"*\"\ndestination_address_prefix = \"*\"\n";
    const std::string all = "direction = \"Inbound\"\naccess = \"Allow\"\nprotocol = \"*\"\n" + sides;
    const std::vector<std::string> texts{
        with("99", all + "destination_port_range = \"*\""),
        with("4097", all + "destination_port_range = \"*\""),
        with("100", all),
        with("100", all + "destination_port_range = \"*\"\ndestination_port_ranges = [22]"),
        with("100", all + "destination_port_range = \"x\""),
        with("100",
             "direction = \"in\"\naccess = \"Allow\"\nprotocol = \"*\"\n" + sides + "destination_port_range = \"*\""),
        with("100",
             "direction = \"Inbound\"\naccess = \"Ok\"\nprotocol = \"*\"\n" + sides + "destination_port_range = \"*\""),
        with("100", "direction = \"Inbound\"\naccess = \"Deny\"\nprotocol = \"Any\"\n" + sides +
                        "destination_port_range = \"*\""),
        with("100", all + "destination_port_range = \"*\"\n" + std::string{rule} + "name = \"s\"\npriority = 100\n" +
                        all + "destination_port_range = \"*\""),
        with("100", all + "destination_port_range = \"*\"\n" + std::string{rule} + "name = \"R\"\npriority = 101\n" +
                        all + "destination_port_range = \"*\""),
    };
    check(before, {
                      {texts[0], "6:12", "from 100 to 4096"},
                      {texts[1], "6:12", "from 100 to 4096"},
                      {texts[2], "4:1", "needs destination_port_range or destination_port_ranges"},
                      {texts[3], "14:27", "give one of them"},
                      {texts[4], "13:26", "\"x\" is not a port"},
                      {texts[5], "7:13", "write Inbound or Outbound"},
                      {texts[6], "8:10", "write Allow or Deny"},
                      {texts[7], "9:12", "write Tcp, Udp, Icmp, Esp, Ah or *"},
                      {texts[8], "16:12", "priorities are unique"},
                      {texts[9], "15:8", "there is another rule \"R\" in this group"},
                  });
    check(test::firewall_line,
          {
              {"[[network_security_group]]\nname = \"n\"\n[[network_security_group]]\nname = \"N\"", "5:8",
               "there is another group \"N\""},
              {"[service_tags]\nVirtualNetwork = [\"10.0.0.0/40\"]", "3:19", "is not a source"},
              {"[service_tags]\nStorage = [\"10.0.0.0/8\"]", "3:1", "unknown key \"Storage\""},
          });
}

BOOST_AUTO_TEST_CASE(timeouts_and_limits_are_bounded) {
    check(test::firewall_line, {
                                   {"[timeouts]\ntcp_idle = \"0s\"", "3:12", "give 1ms to 7d"},
                                   {"[timeouts]\ntcp_idle = \"8d\"", "3:12", "give 1ms to 7d"},
                                   {"[timeouts]\ntcp_idle = \"99999999d\"", "3:12", "is not a duration"},
                                   {"[timeouts]\ntcp_idle = \"9999d\"", "3:12", "is more than ten years"},
                                   {"[timeouts]\nudp_idle = 240", "3:12", "must be a text in quotes"},
                                   {"[timeouts]\ntcp_idel = \"1s\"", "3:1", "did you mean \"tcp_idle\"?"},
                                   {"[limits]\nflows = 0", "3:9", "from 1 to 33554432"},
                                   {"[limits]\nflows = 33554433", "3:9", "from 1 to 33554432"},
                                   {"[limits]\nheld_fragments = 0", "3:18", "from 1 to 65536"},
                               });
}

BOOST_AUTO_TEST_SUITE_END()
