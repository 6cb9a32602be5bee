#include "gateway/access.hpp"

#include <boost/test/unit_test.hpp>
#include <random>

using captures::Duration;
using captures::Endpoint;
using captures::Ipv4Address;
using captures::Prefix;
using captures::Protocol;
using captures::Time;
using gateway::Access;
using gateway::Config;
using gateway::WindowEnd;
using policy::AccessRequest;
using policy::JitPort;
using policy::OnExpiry;
using policy::Refusal;
using policy::Status;
using policy::StatusReason;
using policy::WindowId;
using namespace std::chrono_literals;

namespace refusal_code = policy::refusal_code;

namespace {

const Time noon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h};
const Endpoint web_ssh{{0x0a010004}, 22};
const Endpoint web_dns{{0x0a010004}, 53};
const Endpoint db_ssh{{0x0a010005}, 22};
const std::string group = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab";
const std::string web01_id = group + "/providers/Microsoft.Compute/virtualMachines/web01";

const std::string operator_1 = "operator@lab.example";
const std::string operator_2 = "second@lab.example";
const std::string reader = "reader@lab.example";
const std::string admin = "admin@lab.example";
const std::string nobody = "nobody@lab.example";  // configured, but without any role

std::vector<Prefix> anywhere() { return {Prefix{{0}, 0}}; }

/// web01 and db01 in the policy, web02 in none; operators may ask for all machines, the administrator for everything.
Config lab() {
    Config config;
    config.firewall.subscription = "20ff7fc3-e762-44dd-bd96-b71116dcdc23";
    config.firewall.resource_group = "lab";
    for (const auto* const name : {"web01", "db01", "web02"}) {
        gateway::VirtualMachine machine;
        machine.name = name;
        machine.private_ip = {0x0a010004 + static_cast<std::uint32_t>(config.machines.size())};
        config.machines.push_back(std::move(machine));
    }
    config.jit_policies = {{.machines = {{"web01",
                                          {{22, Protocol::tcp, anywhere(), 3h},
                                           {3389, {}, {Prefix::parse("198.51.100.0/24").value()}, 1h},
                                           {53, Protocol::tcp, anywhere(), 3h},
                                           {53, Protocol::udp, anywhere(), 2h}}},
                                         {"db01", {{22, Protocol::tcp, anywhere(), 3h}}}}}};
    for (const auto& name : {operator_1, operator_2, reader, admin, nobody}) config.principals.push_back({name, {}});
    config.role_assignments = {{operator_1, "JIT Requester", group},
                               {operator_2, "JIT Requester", group},
                               {reader, "Reader", group},
                               {admin, "Security Admin", group}};
    return config;
}

AccessRequest asks(std::string_view by, std::uint16_t port = 22, Duration duration = 1h,
                   std::string_view source = "198.51.100.7", std::string_view machine = "web01") {
    AccessRequest request;
    request.requestor = by;
    request.machine = machine;
    request.ports = {{.number = port, .sources = {std::string{source}}, .duration = duration, .end_time = {}}};
    return request;
}

AccessRequest asks_for(std::string_view machine) { return asks(operator_1, 22, 1h, "198.51.100.7", machine); }

WindowId found(const Access& access, Time now, std::string_view source = "198.51.100.7", Endpoint target = web_ssh,
               Protocol protocol = Protocol::tcp) {
    return access.windows().find(target, protocol, Ipv4Address::parse(source).value(), now).value_or(0);
}

std::string status(const Access& access, WindowId id) {
    const auto* record = access.record(id);
    BOOST_REQUIRE(record != nullptr);
    std::string text{to_string(record->status)};
    return text + ' ' + std::string{to_string(record->status_reason)};
}

/// The empty refusal where there is none.
template <class Result>
Refusal refusal_of(const Result& result) {
    return result ? Refusal{} : result.error();
}

struct Lab {
    Config config = lab();
    Access access{config};
};

using Ids = std::vector<WindowId>;
using Ends = std::vector<WindowEnd>;

}  // namespace

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
             Row{"unknown principal", asks("mallory"), refusal_code::not_authorized},
             Row{"no role", asks(nobody), refusal_code::not_authorized},
             Row{"only a reader", asks(reader), refusal_code::not_authorized},
             Row{"no role, and a bad shape", shapeless_stranger, refusal_code::not_authorized},
             Row{"no role, and no such machine", asks(nobody, 22, 1h, "*", "web99"), refusal_code::not_authorized},
             Row{"bad shape", shapeless, refusal_code::invalid_input},
             Row{"bad shape, and no such machine", shapeless_nowhere, refusal_code::invalid_input},
             Row{"no such machine", asks_for("web99"), refusal_code::policy_not_found},
             Row{"no policy", asks_for("web02"), refusal_code::policy_not_found},
             Row{"no machine named", asks_for(""), refusal_code::policy_not_found},
             Row{"port not in the policy", asks(operator_1, 23), refusal_code::not_a_subset},
             Row{"source outside", asks(operator_1, 3389, 1h, "192.0.2.1"), refusal_code::not_a_subset},
             Row{"too long", asks(operator_1, 22, 4h), refusal_code::not_a_subset},
             Row{"too short", asks(operator_1, 22, 4min), refusal_code::invalid_input},
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
                   web01_id +
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
    BOOST_TEST(refusal_of(access.request(asks_for("db01"), noon)).code == refusal_code::not_authorized);
    BOOST_TEST(refusal_of(access.request(asks_for("web010"), noon)).code == refusal_code::not_authorized);
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
    BOOST_TEST(refusal_of(access.request(asks(operator_1, 22, 9h), noon + 1min)).code == refusal_code::not_a_subset);
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

BOOST_FIXTURE_TEST_CASE(an_extension_moves_the_end_of_ones_own_window, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    BOOST_TEST((access.request(asks(operator_2, 22, 1h, "198.51.100.8"), noon).value() == Ids{2}));
    BOOST_TEST(access.extend("OPERATOR@LAB.EXAMPLE", "WEB01", 22, 2h, noon + 30min).value() == 1U);
    BOOST_TEST((access.record(1)->end == noon + 2h + 30min));
    BOOST_TEST((access.expire(noon + 1h) == Ends{{2, false}}));
    BOOST_TEST(found(access, noon + 2h + 30min - 1ns) == 1U);
    BOOST_TEST(found(access, noon + 2h + 30min) == 0U);
    BOOST_TEST((access.next_expiry() == noon + 2h + 30min));
    BOOST_TEST((access.expire(noon + 2h + 30min) == Ends{{1, false}}));
}

BOOST_FIXTURE_TEST_CASE(an_extension_may_bring_the_end_nearer, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    BOOST_TEST(access.extend(operator_1, "web01", 22, 1min, noon + 1min).value() == 1U);
    BOOST_TEST((access.next_expiry() == noon + 2min));
    BOOST_TEST(found(access, noon + 2min) == 0U);
    BOOST_TEST((access.expire(noon + 1h) == Ends{{1, false}}));
}

BOOST_FIXTURE_TEST_CASE(an_extension_is_refused_with_its_reason, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    struct Row {
        std::string_view what;
        std::string_view by;
        std::string_view machine;
        std::uint16_t port;
        Duration duration;
        Time now;
        std::string_view code;
    };
    for (const auto& row : {
             Row{"unknown principal", "mallory", "web01", 22, 1h, noon, refusal_code::not_authorized},
             Row{"only a reader", reader, "web01", 22, 1h, noon, refusal_code::not_authorized},
             Row{"no such machine", operator_1, "web99", 22, 1h, noon, refusal_code::policy_not_found},
             Row{"no policy", operator_1, "web02", 22, 1h, noon, refusal_code::policy_not_found},
             Row{"nothing open", operator_1, "db01", 22, 1h, noon, refusal_code::request_not_found},
             Row{"nothing open on that port", operator_1, "web01", 3389, 1h, noon, refusal_code::request_not_found},
             Row{"somebody else's", operator_2, "web01", 22, 1h, noon, refusal_code::request_not_found},
             Row{"somebody else's, even to an administrator", admin, "web01", 22, 1h, noon,
                 refusal_code::request_not_found},
             Row{"longer in all than the policy", operator_1, "web01", 22, 3h, noon + 1ns, refusal_code::not_a_subset},
             Row{"for ever", operator_1, "web01", 22, Duration::max(), noon, refusal_code::not_a_subset},
             Row{"for no time", operator_1, "web01", 22, 0ns, noon, refusal_code::invalid_input},
             Row{"backwards", operator_1, "web01", 22, Duration::min(), noon, refusal_code::invalid_input},
             Row{"over, though not expired yet", operator_1, "web01", 22, 1h, noon + 1h,
                 refusal_code::request_not_found},
         }) {
        BOOST_TEST_CONTEXT(row.what) {
            const auto refusal = refusal_of(access.extend(row.by, row.machine, row.port, row.duration, row.now));
            BOOST_TEST(refusal.code == row.code);
            BOOST_TEST((access.record(1)->end == noon + 1h));
            BOOST_TEST((access.next_expiry() == noon + 1h));
        }
    }
    BOOST_TEST(refusal_of(access.extend(operator_2, "web01", 22, 1h, noon)).message ==
               "Nothing is open for 'second@lab.example' on port 22 of machine 'web01', so there is nothing to extend: "
               "request access anew.");
}

BOOST_FIXTURE_TEST_CASE(both_protocols_of_a_port_listed_twice_are_opened_extended_and_revoked_together, Lab) {
    BOOST_TEST((access.request(asks(operator_1, 53), noon).value() == Ids{1, 2}));
    BOOST_TEST(found(access, noon, "198.51.100.7", web_dns, Protocol::tcp) == 1U);
    BOOST_TEST(found(access, noon, "198.51.100.7", web_dns, Protocol::udp) == 2U);
    BOOST_TEST(refusal_of(access.extend(operator_1, "web01", 53, 3h, noon)).code == refusal_code::not_a_subset);
    BOOST_TEST((access.record(1)->end == noon + 1h));  // TCP could have been, UDP could not
    BOOST_TEST(access.extend(operator_1, "web01", 53, 2h, noon).value() == 1U);
    BOOST_TEST((access.record(1)->end == noon + 2h));
    BOOST_TEST((access.record(2)->end == noon + 2h));
    BOOST_TEST((access.request(asks(operator_1, 53), noon + 1h).value() == Ids{3, 4}));
    BOOST_TEST(status(access, 1) == "Revoked NewerRequestInitiated");
    BOOST_TEST(status(access, 2) == "Revoked NewerRequestInitiated");
    BOOST_TEST((access.revoke(operator_1, "web01", 53, false, noon + 1h).value() == Ends{{3, false}, {4, false}}));
}

BOOST_FIXTURE_TEST_CASE(requestors_revoke_their_own_windows, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    BOOST_TEST((access.request(asks(operator_2, 22, 1h, "198.51.100.8"), noon).value() == Ids{2}));
    BOOST_TEST((access.revoke("Operator@LAB.example", "WEB01", 22, true, noon + 5min).value() == Ends{{1, true}}));
    BOOST_TEST(status(access, 1) == "Revoked UserRequested");
    BOOST_TEST((access.record(1)->end == noon + 5min));
    BOOST_TEST(found(access, noon + 5min, "198.51.100.7") == 0U);
    BOOST_TEST(found(access, noon + 5min, "198.51.100.8") == 2U);
    BOOST_TEST((access.expire(noon + 1h) == Ends{{2, false}}));  // the revoked one does not end again
}

BOOST_FIXTURE_TEST_CASE(who_may_write_policies_revokes_anybodys_windows_in_order_of_approval, Lab) {
    BOOST_TEST((access.request(asks(operator_2), noon).value() == Ids{1}));
    BOOST_TEST((access.request(asks(operator_1, 22, 1h, "198.51.100.8"), noon).value() == Ids{2}));
    BOOST_TEST((access.request(asks(admin, 22, 1h, "198.51.100.9"), noon).value() == Ids{3}));
    BOOST_TEST((access.request(asks(operator_1, 22, 1h, "198.51.100.8", "db01"), noon).value() == Ids{4}));
    BOOST_TEST((access.request(asks(operator_1, 3389), noon).value() == Ids{5}));
    BOOST_TEST(
        (access.revoke(admin, "web01", 22, false, noon + 1min).value() == Ends{{1, false}, {2, false}, {3, false}}));
    BOOST_TEST(status(access, 4) == "Initiated UserRequested");
    BOOST_TEST(status(access, 5) == "Initiated UserRequested");
}

BOOST_FIXTURE_TEST_CASE(a_revocation_is_refused_with_its_reason, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    struct Row {
        std::string_view what;
        std::string_view by;
        std::string_view machine;
        std::uint16_t port;
        Time now;
        std::string_view code;
    };
    for (const auto& row : {
             Row{"unknown principal", "mallory", "web01", 22, noon, refusal_code::not_authorized},
             Row{"only a reader", reader, "web01", 22, noon, refusal_code::not_authorized},
             Row{"no role, no such machine", nobody, "web99", 22, noon, refusal_code::not_authorized},
             Row{"no such machine", operator_1, "web99", 22, noon, refusal_code::policy_not_found},
             Row{"somebody else's", operator_2, "web01", 22, noon, refusal_code::request_not_found},
             Row{"another port", operator_1, "web01", 23, noon, refusal_code::request_not_found},
             Row{"a machine in no policy", operator_1, "web02", 22, noon, refusal_code::request_not_found},
             Row{"over, though not expired yet", admin, "web01", 22, noon + 1h, refusal_code::request_not_found},
         }) {
        BOOST_TEST_CONTEXT(row.what) {
            BOOST_TEST(refusal_of(access.revoke(row.by, row.machine, row.port, true, row.now)).code == row.code);
            BOOST_TEST(status(access, 1) == "Initiated UserRequested");
        }
    }
    BOOST_TEST(
        refusal_of(access.revoke(operator_2, "web01", 22, true, noon)).message ==
        "Nothing is open for 'second@lab.example' on port 22 of machine 'web01', so there is nothing to revoke.");
    BOOST_TEST(refusal_of(access.revoke(admin, "web01", 23, true, noon)).message ==
               "Nothing is open on port 23 of machine 'web01', so there is nothing to revoke.");
    BOOST_TEST(refusal_of(access.revoke(reader, "web01", 22, true, noon)).message.find("initiate/action") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(who_may_write_policies_but_not_request_can_still_revoke) {
    auto config = lab();
    config.roles = {{"Closer", {std::string{policy::action::jit_write}}, {}}};
    config.role_assignments.push_back({nobody, "Closer", group});
    Access access{config};
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    BOOST_TEST(refusal_of(access.request(asks(nobody), noon)).code == refusal_code::not_authorized);
    BOOST_TEST((access.revoke(nobody, "web01", 22, false, noon).value() == Ends{{1, false}}));
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

BOOST_FIXTURE_TEST_CASE(a_new_configuration_moves_guards_and_keeps_windows, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    auto changed = lab();
    changed.machines[0].private_ip = {0x0a010063};  // 10.1.0.99
    changed.jit_policies[0].machines.pop_back();    // db01 is no longer under just-in-time access
    changed.jit_policies[0].machines.push_back({"web02", {{22, {}, anywhere(), 3h}}});
    access.use(changed);
    BOOST_TEST(found(access, noon, "198.51.100.7", {{0x0a010063}, 22}) == 1U);
    BOOST_TEST(!access.windows().guarded(web_ssh, Protocol::tcp));
    BOOST_TEST(!access.windows().guarded(db_ssh, Protocol::tcp));
    BOOST_TEST((access.windows().guarded({{0x0a010006}, 22}, Protocol::udp)));
    BOOST_TEST((access.expire(noon + 1h) == Ends{{1, false}}));
    BOOST_TEST(found(access, noon + 30min, "198.51.100.7", {{0x0a010063}, 22}) == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_window_does_not_guard_a_port_that_the_policy_has_let_go, Lab) {
    BOOST_TEST((access.request(asks(operator_1, 3389), noon).value() == Ids{1}));  // TCP and UDP
    auto changed = lab();
    changed.jit_policies[0].machines[0].ports[1].protocol = Protocol::udp;
    const Endpoint rdp{web_ssh.address, 3389};
    access.use(changed);
    BOOST_TEST(!access.windows().guarded(rdp, Protocol::tcp));
    BOOST_TEST(found(access, noon, "198.51.100.7", rdp, Protocol::udp) == 1U);
    BOOST_TEST(refusal_of(access.extend(operator_1, "web01", 3389, 30min, noon)).message ==
               "port 3389 is no longer in the policy of machine web01");
    access.use(config);
    BOOST_TEST(found(access, noon, "198.51.100.7", rdp, Protocol::tcp) == 1U);
    access.use(changed);
    BOOST_TEST((access.revoke(operator_1, "web01", 3389, false, noon).value() == Ends{{1, false}}));
    BOOST_TEST(found(access, noon, "198.51.100.7", rdp, Protocol::udp) == 0U);
    access.use(config);
    BOOST_TEST(found(access, noon, "198.51.100.7", rdp, Protocol::tcp) == 0U);
}

BOOST_FIXTURE_TEST_CASE(windows_of_a_machine_that_is_gone_still_end, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    BOOST_TEST((access.request(asks(operator_2), noon).value() == Ids{2}));
    auto changed = lab();
    changed.machines.erase(changed.machines.begin());
    access.use(changed);
    BOOST_TEST(!access.windows().guarded(web_ssh, Protocol::tcp));
    BOOST_TEST((access.revoke(operator_1, "web01", 22, false, noon).value() == Ends{{1, false}}));
    BOOST_TEST(refusal_of(access.extend(operator_2, "web01", 22, 2h, noon)).code == refusal_code::policy_not_found);
    BOOST_TEST((access.expire(noon + 1h) == Ends{{2, false}}));
}

BOOST_FIXTURE_TEST_CASE(a_new_configuration_changes_who_may_ask, Lab) {
    auto changed = lab();
    changed.role_assignments = {{nobody, "Owner", "/"}};
    access.use(changed);
    BOOST_TEST(refusal_of(access.request(asks(operator_1), noon)).code == refusal_code::not_authorized);
    BOOST_TEST((access.request(asks(nobody), noon).value() == Ids{1}));
}

BOOST_FIXTURE_TEST_CASE(through_random_use_windows_records_and_expiries_say_the_same, Lab) {
    std::mt19937 random{20260131};
    const auto below = [&random](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
    const std::string people[]{operator_1, operator_2, admin};
    const std::string machines[]{"web01", "db01"};
    const Endpoint targets[]{web_ssh, db_ssh};
    auto now = noon;
    std::size_t opened = 0;
    for (int round = 0; round < 5000; ++round) {
        now += std::chrono::minutes{below(10)};
        const auto which = below(2);
        const auto& who = people[below(3)];
        const auto source = captures::to_string(Ipv4Address{0xc6336400 + below(4)});
        switch (below(5)) {
            case 0:
            case 1: {
                const auto duration = std::chrono::minutes{5 + below(175)};
                opened += access.request(asks(who, 22, duration, source, machines[which]), now).value().size();
                break;
            }
            case 2: {
                const auto done = access.extend(who, machines[which], 22, std::chrono::minutes{below(60)}, now);
                BOOST_TEST((!done || access.record(*done)->requestor == who));
                break;
            }
            case 3: {
                const auto done = access.revoke(who, machines[which], 22, below(2) == 0, now);
                if (done) {
                    for (const auto& end : *done) BOOST_TEST(!access.record(end.id)->is_open(now));
                }
                break;
            }
            default:
                for (const auto& end : access.expire(now)) BOOST_TEST(status(access, end.id) == "Revoked Expired");
                BOOST_TEST((!access.next_expiry() || *access.next_expiry() > now));
        }
        const auto asker = Ipv4Address::parse(source).value();
        WindowId expected = 0;
        std::optional<Time> next;
        for (const auto& record : access.records()) {
            if (record.status != Status::initiated) continue;
            if (!next || record.end < *next) next = record.end;
            const bool admits = record.is_open(now) && record.machine == machines[which] &&
                                record.sources.front().contains(asker);
            if (admits && (expected == 0 || record.end >= access.record(expected)->end)) expected = record.id;
        }
        BOOST_REQUIRE((access.next_expiry() == next));
        BOOST_REQUIRE_EQUAL(access.windows().find(targets[which], Protocol::tcp, asker, now).value_or(0), expected);
    }
    BOOST_TEST(access.records().size() == opened);
    BOOST_TEST(opened > 1000U);
}

BOOST_AUTO_TEST_SUITE_END()
