#include "gateway/config/changes.hpp"

#include <boost/algorithm/string/replace.hpp>

#include "gateway/config_file/load.hpp"
#include "tests/support/service_lab.hpp"

namespace changes_test {

using gateway::config::changes_between;

gateway::config::Config config_of(const std::string& toml) {
    auto loaded = gateway::config_file::parse_config(toml, "lab.toml");
    BOOST_REQUIRE_MESSAGE(loaded, (loaded ? std::string{} : gateway::config::to_string(loaded.error().front())));
    return std::move(loaded->config);
}

/// The lines for a person, when `from` becomes `to` in the service's lab.
std::string changes(const std::string& from, const std::string& to) {
    const std::string before = support::service_lab_toml;
    const auto after = boost::replace_first_copy(before, from, to);
    BOOST_REQUIRE_MESSAGE(before != after, from << " is not in the lab");
    std::string text;
    for (const auto& change : changes_between(config_of(before), config_of(after))) text += to_string(change) + '\n';
    return text;
}

}  // namespace changes_test

BOOST_AUTO_TEST_SUITE(changes_test)

BOOST_AUTO_TEST_CASE(the_same_configuration_further_down_its_file_is_no_change) {
    BOOST_TEST(changes("[firewall]", "# a comment\n\n[firewall]") == "");
}

BOOST_AUTO_TEST_CASE(what_changes_is_named) {
    struct Row {
        const char* from;
        const char* to;
        const char* changes;
    };
    for (const auto& row : {
             Row{"name = \"ssh-web01\"", "name = \"ssh-web\"",
                 "NAT rule inbound/ssh-web: added\nNAT rule inbound/ssh-web01: removed\n"},
             Row{"destination_ports = [\"50022\"]", "destination_ports = [\"50023\"]",
                 "NAT rule inbound/ssh-web01: changed\n"},
             Row{"private_ip = \"10.1.0.6\"", "private_ip = \"10.1.0.6\"\nos = \"windows\"",
                 "virtual machine app01: changed\n"},
             Row{"max_request_access_duration = \"PT3H\"", "max_request_access_duration = \"PT2H\"",
                 "JIT policy default: changed\n"},
             Row{"ccbd6a5c8599", "ccbd6a5c8590", "principal requester@lab.example: changed\n"},
             Row{"public_ips = [\"203.0.113.10\"]", "public_ips = [\"203.0.113.10\", \"203.0.113.11\"]",
                 "[firewall]: changed\n"},
             Row{"[firewall]", "[timeouts]\nudp_idle = \"30s\"\n[firewall]", "[timeouts]: changed\n"},
         }) {
        BOOST_TEST(changes(row.from, row.to) == row.changes);
    }
    const auto role = changes("role = \"Reader\"", "role = \"Owner\"");
    BOOST_TEST(role.find("role assignment Owner of reader@lab.example") == 0U);
    BOOST_TEST(role.find("role assignment Reader of reader@lab.example") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(rules_in_another_order_are_reordered_and_not_changed) {
    auto before = config_of(support::service_lab_toml);
    auto after = before;
    std::swap(after.nat_rules.front(), after.nat_rules.back());
    const auto found = changes_between(before, after);
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST(to_string(found.front()) == "NAT rule: reordered");
    after.nat_rules.erase(after.nat_rules.begin());
    BOOST_TEST(changes_between(before, after).size() == 1U);  // removed, and the order of what is left is the same
}

BOOST_AUTO_TEST_SUITE_END()
