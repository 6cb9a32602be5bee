#include "gateway/access/access.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/access_lab.hpp"

namespace access_test {

using namespace support::access_lab;

}  // namespace access_test

BOOST_AUTO_TEST_SUITE(access_test)

BOOST_FIXTURE_TEST_CASE(ports_of_policies_are_guarded_from_the_start, Lab) {
    BOOST_TEST(access.windows().guarded(web_ssh, Protocol::tcp));
    BOOST_TEST(!access.windows().guarded(web_ssh, Protocol::udp));
    BOOST_TEST(access.windows().guarded({web_ssh.address, 3389}, Protocol::udp));
    BOOST_TEST(access.windows().guarded(db_ssh, Protocol::tcp));
    BOOST_TEST((!access.windows().guarded({{0x0a010006}, 22}, Protocol::tcp)));  // web02 is in no policy
    BOOST_TEST(found(access, noon) == 0U);
    BOOST_TEST(!access.next_expiry().has_value());
    BOOST_TEST(access.expire(noon).empty());
}

BOOST_FIXTURE_TEST_CASE(an_approved_request_opens_its_window_at_once, Lab) {
    auto asked = asks("Operator@Lab.Example", 22, 1h, "198.51.100.0/24", "WEB01");
    asked.justification = "patching";
    BOOST_TEST((access.request(asked, noon).value() == Ids{1}));
    BOOST_TEST(found(access, noon, "198.51.100.255") == 1U);
    BOOST_TEST(found(access, noon, "198.51.101.0") == 0U);
    BOOST_TEST(found(access, noon + 1h) == 0U);
    BOOST_TEST(status(access, 1) == "Initiated UserRequested");
    const auto& record = *access.record(1);
    BOOST_TEST(record.requestor == operator_1);  // as the configuration writes them
    BOOST_TEST(record.machine == "web01");
    BOOST_TEST(record.policy == "default");
    BOOST_TEST(record.justification == "patching");
    BOOST_TEST(record.port == 22);
    BOOST_TEST((record.protocol == Protocol::tcp));
    BOOST_TEST((record.start == noon));
    BOOST_TEST((record.end == noon + 1h));
    BOOST_TEST((access.next_expiry() == noon + 1h));
}

BOOST_FIXTURE_TEST_CASE(a_request_is_judged_in_azures_order, Lab) {
    auto shapeless = asks(operator_1);
    shapeless.ports.clear();
    auto shapeless_stranger = shapeless;
    shapeless_stranger.requestor = nobody;
    auto shapeless_nowhere = shapeless;
    shapeless_nowhere.machine = "web99";
    struct Row {
        std::string_view what;
        AccessRequest request;
        std::string_view code;
    };
    for (const auto& row : {
             Row{"unknown principal", asks("mallory"), policy::refusal_code::not_authorized},
             Row{"no role", asks(nobody), policy::refusal_code::not_authorized},
             Row{"only a reader", asks(reader), policy::refusal_code::not_authorized},
             Row{"no role, and a bad shape", shapeless_stranger, policy::refusal_code::not_authorized},
             Row{"no role, and no such machine", asks(nobody, 22, 1h, "*", "web99"),
                 policy::refusal_code::not_authorized},
             Row{"bad shape", shapeless, policy::refusal_code::invalid_input},
             Row{"bad shape, and no such machine", shapeless_nowhere, policy::refusal_code::invalid_input},
             Row{"no such machine", asks_for("web99"), policy::refusal_code::policy_not_found},
             Row{"no policy", asks_for("web02"), policy::refusal_code::policy_not_found},
             Row{"no machine named", asks_for(""), policy::refusal_code::policy_not_found},
             Row{"port not in the policy", asks(operator_1, 23), policy::refusal_code::not_a_subset},
             Row{"source outside", asks(operator_1, 3389, 1h, "192.0.2.1"), policy::refusal_code::not_a_subset},
             Row{"too long", asks(operator_1, 22, 4h), policy::refusal_code::not_a_subset},
             Row{"too short", asks(operator_1, 22, 4min), policy::refusal_code::invalid_input},
         }) {
        BOOST_TEST_CONTEXT(row.what) {
            BOOST_TEST(refusal_of(access.request(row.request, noon)).code == row.code);
            BOOST_TEST(access.records().empty());
            BOOST_TEST(!access.next_expiry().has_value());
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_refusal_names_the_missing_action_and_the_scope_in_azures_words, Lab) {
    BOOST_TEST(refusal_of(access.request(asks(reader), noon)).message ==
               "The client 'reader@lab.example' with object id 'reader@lab.example' does not have authorization to "
               "perform action 'Microsoft.Security/locations/jitNetworkAccessPolicies/initiate/action' over scope '" +
                   std::string{web01_id} +
                   "' or the scope is invalid. If access was recently granted, please refresh your credentials.");
    BOOST_TEST(
        refusal_of(access.request(asks("mallory"), noon)).message.find("No principal of that name is configured.") !=
        std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_missing_machine_or_policy_is_named_with_how_to_mend_it, Lab) {
    BOOST_TEST(refusal_of(access.request(asks_for("web99"), noon)).message ==
               "Machine 'web99' does not exist, and so no Just-In-Time Network Access Policy for it: name a configured "
               "virtual machine.");
    BOOST_TEST(refusal_of(access.request(asks_for("web02"), noon)).message ==
               "A Just-In-Time Network Access Policy for machine 'web02' does not exist: its ports are not under "
               "just-in-time access until a jit_policy lists it.");
}

BOOST_AUTO_TEST_CASE(the_role_must_hold_at_the_machine_itself) {
    auto config = lab();
    config.role_assignments = {{operator_1, "JIT Requester", web01_id}, {operator_1, "Reader", group}};
    Access access{config};
    BOOST_TEST(refusal_of(access.request(asks_for("web01"), noon)).code == "");
    BOOST_TEST(refusal_of(access.request(asks_for("db01"), noon)).code == policy::refusal_code::not_authorized);
    BOOST_TEST(refusal_of(access.request(asks_for("web010"), noon)).code == policy::refusal_code::not_authorized);
}

BOOST_AUTO_TEST_CASE(a_role_does_not_make_a_principal) {
    auto config = lab();
    config.role_assignments.push_back({"mallory", "Owner", "/"});
    Access access{config};
    BOOST_TEST(refusal_of(access.request(asks("mallory"), noon)).code == policy::refusal_code::not_authorized);
}

BOOST_AUTO_TEST_CASE(a_custom_role_counts) {
    auto config = lab();
    config.roles = {{"Opener", {"Microsoft.Security/*/initiate/action"}, {}}};
    config.role_assignments = {{nobody, "opener", group}};
    Access access{config};
    BOOST_TEST(refusal_of(access.request(asks(nobody), noon)).code == "");
}

BOOST_FIXTURE_TEST_CASE(several_ports_open_all_or_none, Lab) {
    auto asked = asks(operator_1);
    asked.ports.push_back({.number = 3389, .sources = {"192.0.2.1"}, .duration = 1h, .end_time = {}});
    BOOST_TEST(refusal_of(access.request(asked, noon)).message ==
               "source 192.0.2.1 of port 3389 is outside 198.51.100.0/24");
    BOOST_TEST(access.records().empty());
    BOOST_TEST(found(access, noon) == 0U);
    asked.ports[1].sources = {"198.51.100.9"};
    BOOST_TEST((access.request(asked, noon).value() == Ids{1, 2}));
    BOOST_TEST(found(access, noon, "198.51.100.7") == 1U);
    BOOST_TEST(found(access, noon, "198.51.100.9", {web_ssh.address, 3389}, Protocol::udp) == 2U);
    BOOST_TEST(found(access, noon, "198.51.100.9") == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_refused_request_leaves_the_older_window_open, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    BOOST_TEST(refusal_of(access.request(asks(operator_1, 22, 9h), noon + 1min)).code ==
               policy::refusal_code::not_a_subset);
    BOOST_TEST(status(access, 1) == "Initiated UserRequested");
    BOOST_TEST(found(access, noon + 1min) == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_newer_request_replaces_the_same_requestors_window_on_that_machine_and_port_only, Lab) {
    BOOST_TEST((access.request(asks(operator_1, 22, 3h, "198.51.100.7"), noon).value() == Ids{1}));
    BOOST_TEST((access.request(asks(operator_2, 22, 1h, "198.51.100.8"), noon).value() == Ids{2}));
    BOOST_TEST((access.request(asks(operator_1, 3389, 1h, "198.51.100.7"), noon).value() == Ids{3}));
    BOOST_TEST((access.request(asks(operator_1, 22, 1h, "198.51.100.7", "db01"), noon).value() == Ids{4}));
    BOOST_TEST(
        (access.request(asks("OPERATOR@lab.example", 22, 30min, "198.51.100.9", "Web01"), noon + 10min).value() ==
         Ids{5}));
    BOOST_TEST(status(access, 1) == "Revoked NewerRequestInitiated");
    BOOST_TEST((access.record(1)->end == noon + 10min));
    for (const WindowId id : {2U, 3U, 4U, 5U}) BOOST_TEST(status(access, id) == "Initiated UserRequested");
    BOOST_TEST(found(access, noon + 10min, "198.51.100.7") == 0U);
    BOOST_TEST(found(access, noon + 10min, "198.51.100.8") == 2U);
    BOOST_TEST(found(access, noon + 10min, "198.51.100.9") == 5U);
    BOOST_TEST(found(access, noon + 10min, "198.51.100.7", db_ssh) == 4U);
    BOOST_TEST((access.next_expiry() == noon + 40min));
    BOOST_TEST((access.expire(noon + 3h) == Ends{{5, false}, {2, false}, {3, false}, {4, false}}));
}

BOOST_FIXTURE_TEST_CASE(a_window_that_is_over_expires_even_if_a_newer_request_comes_first, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    BOOST_TEST((access.request(asks(operator_1), noon + 1h).value() == Ids{2}));
    BOOST_TEST(status(access, 1) == "Initiated UserRequested");
    BOOST_TEST((access.expire(noon + 1h) == Ends{{1, false}}));
    BOOST_TEST(status(access, 1) == "Revoked Expired");
    BOOST_TEST(found(access, noon + 1h) == 2U);
}

BOOST_FIXTURE_TEST_CASE(windows_expire_in_order_of_end_then_of_approval, Lab) {
    BOOST_TEST((access.request(asks(operator_1, 22, 2h), noon).value() == Ids{1}));
    BOOST_TEST((access.request(asks(operator_2, 22, 1h), noon).value() == Ids{2}));
    BOOST_TEST((access.request(asks(admin, 22, 1h), noon).value() == Ids{3}));
    BOOST_TEST((access.request(asks(operator_1, 3389, 5min), noon).value() == Ids{4}));
    BOOST_TEST((access.next_expiry() == noon + 5min));
    BOOST_TEST(access.expire(noon + 5min - 1ns).empty());
    BOOST_TEST((access.expire(noon + 5min) == Ends{{4, false}}));
    BOOST_TEST((access.next_expiry() == noon + 1h));
    BOOST_TEST((access.expire(noon + 5h) == Ends{{2, false}, {3, false}, {1, false}}));
    BOOST_TEST(!access.next_expiry().has_value());
    BOOST_TEST(access.expire(noon + 5h).empty());
    BOOST_TEST(status(access, 1) == "Revoked Expired");
    BOOST_TEST((access.record(1)->end == noon + 2h));
    BOOST_TEST(found(access, noon + 30min) == 0U);  // gone, not merely over
}

BOOST_AUTO_TEST_CASE(expiry_cuts_where_the_policy_said_so_at_approval) {
    auto config = lab();
    config.jit_policies[0].on_expiry = OnExpiry::cut;
    Access access{config};
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    config.jit_policies[0].on_expiry = OnExpiry::keep;
    access.use(config);
    BOOST_TEST((access.request(asks(operator_2), noon).value() == Ids{2}));
    BOOST_TEST((access.expire(noon + 1h) == Ends{{1, true}, {2, false}}));
}

BOOST_FIXTURE_TEST_CASE(records_are_found_by_id_and_kept, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    BOOST_TEST((access.revoke(operator_1, "web01", 22, false, noon).value() == Ends{{1, false}}));
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{2}));
    BOOST_TEST(access.records().size() == 2U);
    BOOST_TEST(access.record(1) == access.records().data());
    BOOST_TEST(access.record(0) == nullptr);
    BOOST_TEST(access.record(3) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
