#include <boost/test/unit_test.hpp>
#include <random>

#include "gateway/access/access.hpp"
#include "tests/support/access_lab.hpp"

namespace access_changes_test {

using namespace support::access_lab;

}  // namespace access_changes_test

BOOST_AUTO_TEST_SUITE(access_changes_test)

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
    BOOST_TEST(access.extend(operator_1, "web01", 22, 5min, noon + 1min).value() == 1U);
    BOOST_TEST((access.next_expiry() == noon + 6min));
    BOOST_TEST(found(access, noon + 6min) == 0U);
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
             Row{"unknown principal", "mallory", "web01", 22, 1h, noon, policy::refusal_code::not_authorized},
             Row{"only a reader", reader, "web01", 22, 1h, noon, policy::refusal_code::not_authorized},
             Row{"no such machine", operator_1, "web99", 22, 1h, noon, policy::refusal_code::policy_not_found},
             Row{"no policy", operator_1, "web02", 22, 1h, noon, policy::refusal_code::policy_not_found},
             Row{"nothing open", operator_1, "db01", 22, 1h, noon, policy::refusal_code::request_not_found},
             Row{"nothing open on that port", operator_1, "web01", 3389, 1h, noon,
                 policy::refusal_code::request_not_found},
             Row{"somebody else's", operator_2, "web01", 22, 1h, noon, policy::refusal_code::request_not_found},
             Row{"somebody else's, even to an administrator", admin, "web01", 22, 1h, noon,
                 policy::refusal_code::request_not_found},
             Row{"longer in all than the policy", operator_1, "web01", 22, 3h, noon + 1ns,
                 policy::refusal_code::not_a_subset},
             Row{"for ever", operator_1, "web01", 22, Duration::max(), noon, policy::refusal_code::not_a_subset},
             Row{"for no time", operator_1, "web01", 22, 0ns, noon, policy::refusal_code::invalid_input},
             Row{"for less than any request", operator_1, "web01", 22, 5min - 1ns, noon,
                 policy::refusal_code::invalid_input},
             Row{"backwards", operator_1, "web01", 22, Duration::min(), noon, policy::refusal_code::invalid_input},
             Row{"over, though not expired yet", operator_1, "web01", 22, 1h, noon + 1h,
                 policy::refusal_code::request_not_found},
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
    BOOST_TEST(refusal_of(access.extend(operator_1, "web01", 53, 3h, noon)).code == policy::refusal_code::not_a_subset);
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
             Row{"unknown principal", "mallory", "web01", 22, noon, policy::refusal_code::not_authorized},
             Row{"only a reader", reader, "web01", 22, noon, policy::refusal_code::not_authorized},
             Row{"no role, no such machine", nobody, "web99", 22, noon, policy::refusal_code::not_authorized},
             Row{"no such machine", operator_1, "web99", 22, noon, policy::refusal_code::policy_not_found},
             Row{"somebody else's", operator_2, "web01", 22, noon, policy::refusal_code::request_not_found},
             Row{"another port", operator_1, "web01", 23, noon, policy::refusal_code::request_not_found},
             Row{"a machine in no policy", operator_1, "web02", 22, noon, policy::refusal_code::request_not_found},
             Row{"over, though not expired yet", admin, "web01", 22, noon + 1h,
                 policy::refusal_code::request_not_found},
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
    BOOST_TEST(refusal_of(access.request(asks(nobody), noon)).code == policy::refusal_code::not_authorized);
    BOOST_TEST((access.revoke(nobody, "web01", 22, false, noon).value() == Ends{{1, false}}));
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

BOOST_FIXTURE_TEST_CASE(policies_end_the_windows_that_they_no_longer_grant, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    BOOST_TEST((access.request(asks(operator_2, 3389), noon).value() == Ids{2}));
    BOOST_TEST((access.request(asks_for("db01"), noon).value() == Ids{3}));
    const auto ended_by = [&](const auto& change) {
        auto policies = lab().jit_policies;
        change(policies);
        return access.plan_policies(policies, noon + 1min).ends;
    };
    BOOST_TEST((ended_by([](auto&) {}) == Ends{}));
    BOOST_TEST((ended_by([](auto& policies) { policies[0].name = "DEFAULT"; }) == Ends{}));
    BOOST_TEST((ended_by([](auto& policies) { policies.clear(); }) == Ends{{3, false}, {1, false}, {2, false}}));
    BOOST_TEST((ended_by([](auto& policies) { policies[0].machines.pop_back(); }) == Ends{{3, false}}));
    BOOST_TEST((ended_by([](auto& policies) { policies[0].machines[0].ports[0].number = 23; }) == Ends{{1, false}}));
    BOOST_TEST((ended_by([](auto& policies) { policies[0].machines[0].ports[1].protocol = Protocol::udp; }) ==
                Ends{{2, false}}));
    access.commit(access.plan_policies({}, noon + 1min));
    BOOST_TEST(status(access, 1) == "Revoked UserRequested");
    BOOST_TEST(access.open_count() == 0U);
    BOOST_TEST(!access.next_expiry());
}

BOOST_AUTO_TEST_CASE(a_mapped_port_leads_nowhere_without_a_window_that_guards_it) {
    auto config = lab();
    config.firewall.public_ips = {{0xcb00710a}};
    config.jit.mapped_ports = captures::base::PortRange{50000, 50001};
    Access access{config};
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    const auto listener = access.record(1)->listener.value();
    const auto leads = [&](Protocol protocol) {
        return access.doors().mapped_rules().match({{{{0xc6336407}, 40000}, listener, protocol}}).rule.has_value();
    };
    BOOST_TEST(leads(Protocol::tcp));
    BOOST_TEST(!leads(Protocol::udp));
    auto changed = config;
    changed.jit_policies.clear();
    access.use(changed);
    BOOST_TEST(!leads(Protocol::tcp));
    BOOST_TEST(access.state().mapped_rules.size() == 1U);
}

BOOST_AUTO_TEST_CASE(no_more_ports_are_mapped_than_rule_tables_have_room_for) {
    auto config = lab();
    config.firewall.public_ips = {{0xcb00710a}, {0xcb00710b}, {0xcb00710c}};
    config.jit.mapped_ports = captures::base::PortRange{50000, 50001};
    std::vector<policy::MappedPort> mapped;
    for (std::uint16_t port = 1; port <= 50'000; ++port) {
        for (const auto address : {0xcb00710aU, 0xcb00710bU}) {
            mapped.push_back({address == 0xcb00710aU ? "gone01" : "gone02", port, {{address}, port}});
        }
    }
    Access access{config};
    access.restore({}, 0, mapped);
    const auto refusal = refusal_of(access.request(asks(operator_1), noon));
    BOOST_TEST(refusal.code == policy::refusal_code::no_mapped_port);
    BOOST_TEST(refusal.message.find("100000 ports of machines have one") != std::string::npos, refusal.message);
    mapped.pop_back();
    Access other{config};
    other.restore({}, 0, mapped);
    BOOST_TEST(other.request(asks(operator_1), noon).has_value());
}

BOOST_FIXTURE_TEST_CASE(windows_of_a_machine_that_is_gone_still_end, Lab) {
    BOOST_TEST((access.request(asks(operator_1), noon).value() == Ids{1}));
    BOOST_TEST((access.request(asks(operator_2), noon).value() == Ids{2}));
    auto changed = lab();
    changed.machines.erase(changed.machines.begin());
    access.use(changed);
    BOOST_TEST(!access.windows().guarded(web_ssh, Protocol::tcp));
    BOOST_TEST((access.revoke(operator_1, "web01", 22, false, noon).value() == Ends{{1, false}}));
    BOOST_TEST(refusal_of(access.extend(operator_2, "web01", 22, 2h, noon)).code ==
               policy::refusal_code::policy_not_found);
    BOOST_TEST((access.expire(noon + 1h) == Ends{{2, false}}));
}

BOOST_FIXTURE_TEST_CASE(a_new_configuration_changes_who_may_ask, Lab) {
    auto changed = lab();
    changed.role_assignments = {{nobody, "Owner", "/"}};
    access.use(changed);
    BOOST_TEST(refusal_of(access.request(asks(operator_1), noon)).code == policy::refusal_code::not_authorized);
    BOOST_TEST((access.request(asks(nobody), noon).value() == Ids{1}));
}

BOOST_FIXTURE_TEST_CASE(through_random_use_windows_records_and_expiries_say_the_same, Lab) {
    std::mt19937 random{20260131};  // NOLINT(cert-msc51-cpp): the same every time
    const auto below = [&random](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
    const char* const people[]{operator_1, operator_2, admin};
    const std::string machines[]{"web01", "db01"};
    const Endpoint targets[]{web_ssh, db_ssh};
    auto now = noon;
    std::size_t opened = 0;
    for (int round = 0; round < 5000; ++round) {
        now += std::chrono::minutes{below(10)};
        const auto which = below(2);
        const auto* const who = people[below(3)];
        const auto source = captures::base::to_string(Ipv4Address{0xc6336400 + below(4)});
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
