#include "gateway/control_plane/control_plane.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "gateway/config_file/load.hpp"
#include "tests/support/service_lab.hpp"

namespace control_plane_test {

using namespace std::chrono_literals;
using gateway::control_plane::PolicyDraft;
using policy::Status;
using policy::StatusReason;
using support::noon;
using support::service_lab_toml;
using support::ServiceLab;

constexpr captures::base::Ipv4Address firewall{0xcb00710a};  // 203.0.113.10

template <class T>
std::string code_of(const gateway::control_plane::Answer<T>& answer) {
    return answer ? "" : std::to_string(answer.error().status) + ' ' + answer.error().code;
}

PolicyDraft draft_for(const std::string& machine, std::uint16_t port) {
    policy::JitPort rule;
    rule.number = port;
    rule.allowed_sources = {{{0}, 0}};
    PolicyDraft draft;
    draft.machines.push_back({ServiceLab::machine_id(machine), {rule}});
    return draft;
}

}  // namespace control_plane_test

BOOST_FIXTURE_TEST_SUITE(control_plane_test, ServiceLab)

BOOST_AUTO_TEST_CASE(an_approved_requester_learns_where_to_connect) {
    const auto request = initiate("requester", "web01", 22);
    BOOST_REQUIRE(request);
    BOOST_REQUIRE(request->records.size() == 1U);
    BOOST_TEST(request->requestor == "requester@lab.example");
    BOOST_TEST(request->justification == "patching");

    const auto told = control->connections(caller("requester"), "web01", {}, noon);
    BOOST_REQUIRE(told);
    BOOST_REQUIRE(told->size() == 1U);
    BOOST_TEST((told->front().connection->listener == captures::base::Endpoint{firewall, 50022}));
    BOOST_TEST(told->front().connection->rule == "inbound/ssh-web01");
    BOOST_TEST(connect_command(*told->front().connection, 22) == "ssh -p 50022 USER@203.0.113.10");
}

BOOST_AUTO_TEST_CASE(nobody_else_learns_it_and_cannot_tell_it_from_a_machine_that_does_not_exist) {
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    const auto unknown = control->connections(caller("second"), "web99", {}, noon);
    const auto hidden = control->connections(caller("second"), "web01", {}, noon);
    BOOST_TEST(code_of(hidden) == "404 ResourceNotFound");
    auto expected = unknown.error();
    expected.message.replace(expected.message.find("web99"), 5, "web01");
    BOOST_TEST((hidden.error() == expected));
}

BOOST_AUTO_TEST_CASE(who_may_read_connections_learns_all_of_them) {
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    BOOST_REQUIRE(initiate("second", "db01", 3389));
    BOOST_TEST(control->connections(caller("reader"), {}, {}, noon)->size() == 2U);
    BOOST_TEST(control->connections(caller("reader"), "app01", {}, noon)->empty());
    BOOST_TEST(control->connections(caller("second"), {}, {}, noon)->size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_port_that_no_rule_maps_gets_a_port_of_the_firewall_and_gets_it_again) {
    const auto first = initiate("requester", "db01", 3389);
    BOOST_REQUIRE(first);
    const auto listener = first->records.front().listener;
    BOOST_TEST((listener == captures::base::Endpoint{firewall, 50000}));
    BOOST_REQUIRE(control->revoke(caller("requester"), "db01", 3389, false, noon + 1min));
    start(noon + 2min);
    BOOST_TEST((initiate("second", "db01", 3389, noon + 3min)->records.front().listener == listener));
}

BOOST_AUTO_TEST_CASE(a_mapped_port_is_never_one_that_a_rule_listens_on) {
    std::string toml = support::service_lab_toml;
    toml.replace(toml.find("\"50122\""), 7, "\"50000\"");
    start(noon, toml);
    BOOST_TEST(initiate("requester", "db01", 3389)->records.front().listener->port == 50001);
}

BOOST_AUTO_TEST_CASE(a_refusal_says_what_broke_it_and_opens_nothing) {
    BOOST_TEST(code_of(initiate("nobody", "web01", 22)) == "403 AuthorizationFailed");
    BOOST_TEST(code_of(initiate("one", "db01", 3389)) == "403 AuthorizationFailed");
    BOOST_TEST(code_of(initiate("requester", "web01", 23)) == "400 RequestNotSubsetOfPolicy");
    BOOST_TEST(code_of(initiate("requester", "web01", 22, noon, 4h)) == "400 RequestNotSubsetOfPolicy");
    BOOST_TEST(code_of(initiate("requester", "app01", 22)) == "400 RequestNotSubsetOfPolicy");
    BOOST_TEST(code_of(control->initiate(caller("requester"), "other", asks("web01", 22), noon)) ==
               "404 PolicyNotFound");
    BOOST_TEST(code_of(control->initiate(caller("requester"), "default", {}, noon)) == "400 InvalidInitiateInput");
    BOOST_TEST(control->numbers().open_windows == 0U);
    BOOST_TEST(control->numbers().refused == 7U);
}

BOOST_AUTO_TEST_CASE(several_machines_are_approved_together_or_not_at_all) {
    auto both = asks("web01", 22);
    both.machines.push_back(asks("db01", 3389, 2h).machines.front());  // longer than db01's policy allows
    BOOST_TEST(code_of(control->initiate(caller("requester"), "default", both, noon)) ==
               "400 RequestNotSubsetOfPolicy");
    BOOST_TEST(control->numbers().open_windows == 0U);
    both.machines.back() = asks("db01", 3389).machines.front();
    BOOST_TEST(control->initiate(caller("requester"), "default", both, noon)->records.size() == 2U);
    both.machines.push_back(both.machines.front());
    BOOST_TEST(code_of(control->initiate(caller("requester"), "default", both, noon)) == "400 InvalidInitiateInput");
}

BOOST_AUTO_TEST_CASE(a_request_that_its_client_repeats_opens_one_window_even_across_a_restart) {
    auto who = caller("requester");
    who.client_request_id = "b6a6b3a0-0000-4000-8000-000000000001";
    const auto first = control->initiate(who, "default", asks("web01", 22), noon);
    const auto second = control->initiate(who, "default", asks("web01", 22), noon + 1s);
    BOOST_TEST(first->id == second->id);
    start(noon + 2s);
    BOOST_TEST(control->initiate(who, "default", asks("web01", 22), noon + 3s)->id == first->id);
    BOOST_TEST(control->numbers().open_windows == 1U);
    auto other = asks("web01", 22);
    other.fingerprint = "another body";
    BOOST_TEST(control->initiate(who, "default", other, noon + 4s)->id != first->id);
}

BOOST_AUTO_TEST_CASE(a_newer_request_of_the_same_requestor_replaces_the_older_one) {
    const auto first = initiate("requester", "web01", 22);
    BOOST_REQUIRE(initiate("requester", "web01", 22, noon + 1min));
    const auto now = control->request(caller("requester"), first->id, noon + 1min);
    BOOST_TEST((now->records.front().status == Status::revoked));
    BOOST_TEST((now->records.front().status_reason == StatusReason::newer_request_initiated));
    BOOST_TEST(control->numbers().open_windows == 1U);
}

BOOST_AUTO_TEST_CASE(windows_survive_a_restart_and_those_that_ended_meanwhile_are_expired) {
    const auto hour = initiate("requester", "web01", 22);
    const auto minutes = initiate("second", "web01", 22, noon, 5min);
    start(noon + 30min);
    BOOST_TEST(control->numbers().open_windows == 1U);
    BOOST_TEST(control->connections(caller("requester"), "web01", {}, noon + 30min)->size() == 1U);
    const auto ended = control->request(caller("second"), minutes->id, noon + 30min)->records.front();
    BOOST_TEST((ended.status == Status::revoked));
    BOOST_TEST((ended.status_reason == StatusReason::expired));
    BOOST_TEST((ended.end == noon + 5min));
    const auto expired = [](const policy::AuditEvent& event) { return event.sub_status == "Expired"; };
    BOOST_TEST(std::ranges::count_if(*control->activity(caller("admin"), {}, noon + 30min), expired) == 1);
}

BOOST_AUTO_TEST_CASE(a_window_ends_at_its_time_and_not_before) {
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    BOOST_TEST((control->next_expiry() == noon + 1h));
    control->tick(noon + 1h - 1ns);
    BOOST_TEST(control->numbers().open_windows == 1U);
    control->tick(noon + 1h);
    BOOST_TEST(control->numbers().open_windows == 0U);
    BOOST_TEST(code_of(control->connections(caller("requester"), "web01", {}, noon + 1h)) == "404 ResourceNotFound");
}

BOOST_AUTO_TEST_CASE(extending_and_revoking_are_the_requestors_and_the_administrators) {
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    BOOST_TEST(code_of(control->extend(caller("second"), "web01", 22, 1h, noon)) == "404 AccessRequestNotFound");
    const auto extended = control->extend(caller("requester"), "web01", 22, 2h, noon + 10min);
    BOOST_REQUIRE(extended);
    BOOST_TEST((extended->record.end == noon + 2h + 10min));
    BOOST_TEST(code_of(control->extend(caller("requester"), "web01", 22, 3h, noon + 10min)) ==
               "400 RequestNotSubsetOfPolicy");
    BOOST_TEST(code_of(control->revoke(caller("second"), "web01", 22, false, noon + 10min)) ==
               "404 AccessRequestNotFound");
    const auto ended = control->revoke(caller("admin"), "web01", 22, true, noon + 20min);
    BOOST_REQUIRE(ended);
    BOOST_TEST((ended->front().status_reason == StatusReason::user_requested));
    BOOST_TEST(control->numbers().open_windows == 0U);
}

BOOST_AUTO_TEST_CASE(a_policy_that_is_set_replaces_the_files_and_ends_windows_that_it_no_longer_grants) {
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    BOOST_REQUIRE(initiate("requester", "db01", 3389));
    const auto set = control->put_policy(caller("admin"), "DEFAULT", draft_for("web01", 22), noon);
    BOOST_REQUIRE(set);
    BOOST_TEST(set->provisioning_state == "Updating");
    BOOST_TEST(set->policy.name == "default");
    BOOST_TEST(control->numbers().open_windows == 1U);
    start(noon + 1s);
    BOOST_TEST(control->policy(caller("admin"), "default", noon)->policy.machines.size() == 1U);
    BOOST_TEST(control->policy(caller("admin"), "default", noon)->provisioning_state == "Succeeded");
}

BOOST_AUTO_TEST_CASE(a_deleted_policy_stays_deleted_and_its_windows_end) {
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    BOOST_TEST(code_of(control->delete_policy(caller("requester"), "default", noon)) == "403 AuthorizationFailed");
    BOOST_TEST(control->delete_policy(caller("admin"), "default", noon).value());
    BOOST_TEST(!control->delete_policy(caller("admin"), "default", noon).value());
    BOOST_TEST(control->numbers().open_windows == 0U);
    start(noon + 1s);
    BOOST_TEST(code_of(control->policy(caller("admin"), "default", noon)) == "404 PolicyNotFound");
}

BOOST_AUTO_TEST_CASE(a_policy_that_the_file_has_lost_ends_its_windows_at_a_reload_and_at_a_start) {
    const std::string with_policy = service_lab_toml;
    const auto begin = with_policy.find("[[jit_policy]]");
    const auto without = with_policy.substr(0, begin) + with_policy.substr(with_policy.find("[[principal]]"));
    const auto rest = [&](captures::base::Time now) {
        control->flush(now);
        const auto log = control->activity(caller("admin"), {}, now);
        BOOST_REQUIRE(log);
        std::string text;
        for (const auto& one : *log) text += one.operation + ' ' + one.sub_status + ' ' + one.detail + '\n';
        return text;
    };
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    const auto mapped = initiate("second", "db01", 3389);
    BOOST_REQUIRE(mapped);
    BOOST_REQUIRE(
        control->reload(gateway::config_file::parse_config(without, "lab.toml")->config, nullptr, noon + 1min));
    BOOST_TEST(control->numbers().open_windows == 0U);
    const auto told = control->request(caller("second"), mapped->id, noon + 1min);
    BOOST_REQUIRE(told);
    BOOST_TEST((told->records.front().status == Status::revoked));
    BOOST_TEST((told->records.front().status_reason == StatusReason::user_requested));
    const std::string event = "revoke/action UserRequested port 3389 from 198.51.100.7 until ";
    BOOST_TEST(rest(noon + 1min).find(event) != std::string::npos);
    BOOST_TEST(rest(noon + 1min).find("of second@lab.example: policy default no longer grants it") !=
               std::string::npos);

    start(noon + 2min);
    BOOST_TEST(control->numbers().open_windows == 0U);
    BOOST_REQUIRE(initiate("one", "web01", 22, noon + 3min));
    start(noon + 4min, without);
    BOOST_TEST(control->numbers().open_windows == 0U);
    BOOST_TEST(rest(noon + 4min).find("of one@lab.example: policy default no longer grants it") != std::string::npos);
    start(noon + 5min);
    BOOST_TEST(control->numbers().open_windows == 0U);
}

BOOST_AUTO_TEST_CASE(a_policy_that_cannot_be_is_refused) {
    const auto put = [&](const PolicyDraft& draft, const std::string& name = "default") {
        return code_of(control->put_policy(caller("admin"), name, draft, noon));
    };
    auto none = draft_for("web01", 22);
    none.machines.front().ports.clear();
    auto sourceless = draft_for("web01", 22);
    sourceless.machines.front().ports.front().allowed_sources.clear();
    auto long_one = draft_for("web01", 22);
    long_one.machines.front().ports.front().max_duration = 25h;
    auto twice = draft_for("web01", 22);
    twice.machines.front().ports.push_back(twice.machines.front().ports.front());
    auto machine_twice = draft_for("web01", 22);
    machine_twice.machines.push_back(machine_twice.machines.front());
    for (const auto& draft : {none, sourceless, long_one, twice, machine_twice, draft_for("web99", 22)}) {
        BOOST_TEST(put(draft) == "400 InvalidPolicy");
    }
    BOOST_TEST(put(draft_for("web01", 22), "second") == "409 MachineInOtherPolicy");
    BOOST_TEST(put(draft_for("app01", 22), std::string(52, 'p')) == "400 InvalidPolicy");
    BOOST_TEST(code_of(control->put_policy(caller("reader"), "default", draft_for("web01", 22), noon)) ==
               "403 AuthorizationFailed");
}

BOOST_AUTO_TEST_CASE(a_policy_shows_only_machines_and_requests_that_its_reader_may_see) {
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    BOOST_REQUIRE(initiate("second", "db01", 3389));
    const auto all = control->policy(caller("reader"), "default", noon);
    BOOST_TEST(all->policy.machines.size() == 2U);
    BOOST_TEST(all->requests.size() == 2U);
    const auto own = control->policy(caller("requester"), "default", noon);
    BOOST_TEST(own->policy.machines.size() == 2U);
    BOOST_TEST(own->requests.size() == 1U);
    BOOST_TEST((own->public_ips.front() == firewall));
    BOOST_TEST(!own->public_ips.back().has_value());
    const auto one = control->policy(caller("one"), "default", noon);
    BOOST_REQUIRE(one->policy.machines.size() == 1U);
    BOOST_TEST(one->policy.machines.front().name == "web01");
    BOOST_TEST(one->requests.empty());
    BOOST_TEST(code_of(control->policy(caller("nobody"), "default", noon)) == "403 AuthorizationFailed");
    BOOST_TEST(code_of(control->policy(caller("one"), "other", noon)) == "403 AuthorizationFailed");
    BOOST_TEST(code_of(control->list_policies(caller("nobody"), {}, noon)) == "403 AuthorizationFailed");
    BOOST_TEST(control->list_policies(caller("one"), {}, noon)->size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_machines_page_tells_states_reasons_and_the_last_week) {
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    BOOST_REQUIRE(initiate("requester", "web01", 22, noon + 1min));
    const auto page = control->machines(caller("reader"), noon + 2min);
    BOOST_REQUIRE(page->size() == 3U);
    const auto& app01 = (*page)[0];
    const auto& db01 = (*page)[1];
    const auto& web01 = (*page)[2];
    BOOST_TEST(to_string(app01.state) == "NotConfigured");
    BOOST_TEST(app01.severity == "High");
    BOOST_TEST(to_string(db01.state) == "Configured");
    BOOST_TEST(db01.last_user == "");
    BOOST_TEST(web01.approved_requests == 2U);
    BOOST_TEST((web01.last_access == noon + 1min));
    BOOST_TEST(web01.last_user == "requester@lab.example");
    BOOST_TEST(web01.connections.size() == 1U);
    BOOST_TEST((*control->machines(caller("second"), noon + 2min))[2].connections.empty());
    BOOST_TEST(control->machines(caller("one"), noon + 2min)->size() == 1U);
    BOOST_TEST(control->machines(caller("nobody"), noon + 2min)->empty());
}

BOOST_AUTO_TEST_CASE(a_machine_behind_neither_nsg_nor_firewall_rule_is_unsupported) {
    std::string toml = support::service_lab_toml;
    toml += "[[virtual_machine]]\nname = \"dark\"\nprivate_ip = \"10.1.0.9\"\n[jit]\nmapped_ports = \"\"\n";
    start(noon, toml);
    const auto page = control->machines(caller("reader"), noon);
    BOOST_TEST((*page)[1].name == "dark");
    BOOST_TEST(to_string((*page)[1].state) == "Unsupported");
    BOOST_TEST(to_string((*page)[2].state) == "Configured");
}

BOOST_AUTO_TEST_CASE(enabling_takes_the_default_port_of_the_operating_system) {
    const auto enabled = control->enable(caller("admin"), "app01", {}, noon);
    BOOST_REQUIRE(enabled);
    BOOST_TEST(enabled->policy.machines.size() == 3U);
    BOOST_TEST(enabled->policy.machine("app01")->ports.front().number == 22);
    BOOST_TEST(code_of(control->enable(caller("admin"), "app01", {}, noon)) == "409 AlreadyConfigured");
    BOOST_TEST(code_of(control->enable(caller("requester"), "app01", {}, noon)) == "403 AuthorizationFailed");
    BOOST_TEST(code_of(control->enable(caller("one"), "app01", {}, noon)) == "404 ResourceNotFound");
    BOOST_TEST(control->disable(caller("admin"), "db01", noon)->policy.machines.size() == 2U);
    BOOST_TEST(control->enable(caller("admin"), "db01", {}, noon)->policy.machine("db01")->ports.front().number ==
               3389);
}

BOOST_AUTO_TEST_CASE(the_activity_log_shows_everybody_their_own_and_readers_all) {
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    BOOST_REQUIRE(!initiate("second", "web01", 23));
    BOOST_REQUIRE(!initiate("one", "db01", 3389));
    const auto all = control->activity(caller("reader"), {}, noon);
    BOOST_REQUIRE(all->size() == 3U);
    BOOST_TEST((*all)[0].status == "Accepted");
    BOOST_TEST((*all)[1].status == "Failed");
    BOOST_TEST((*all)[1].sub_status == "RequestNotSubsetOfPolicy");
    BOOST_TEST(!policy::first_break(*all, 1, policy::first_hash()).has_value());
    const auto own = control->activity(caller("one"), {}, noon);
    BOOST_REQUIRE(own->size() == 1U);
    BOOST_TEST(own->front().machine == "");  // one@ may not see db01
    gateway::store::EventFilter others;
    others.caller = "requester@lab.example";
    BOOST_TEST(control->activity(caller("one"), others, noon)->empty());
    BOOST_TEST(code_of(control->audit_chain(caller("requester"), 0, 10, noon)) == "403 AuthorizationFailed");
    const auto chain = control->audit_chain(caller("admin"), 0, 10, noon);
    BOOST_REQUIRE(chain->size() == 4U);
    BOOST_TEST(chain->back().caller == "requester@lab.example");
    BOOST_TEST(chain->back().sub_status == "AuthorizationFailed");
}

BOOST_AUTO_TEST_CASE(look_ups_are_audited_within_a_second) {
    BOOST_REQUIRE(control->connections(caller("reader"), {}, {}, noon));
    BOOST_TEST(control->flush(noon));
    start(noon + 1s);
    BOOST_TEST(control->activity(caller("reader"), {}, noon)->front().operation ==
               "Microsoft.Security/locations/jitConnections/read");
}

BOOST_AUTO_TEST_CASE(no_look_up_is_refused_for_the_number_of_those_before_it_in_the_same_second) {
    BOOST_REQUIRE(initiate("requester", "web01", 22));
    for (int i = 0; i < 10'500; ++i) {
        const auto told = control->connections(caller("requester"), "web01", 22, noon);
        BOOST_REQUIRE_MESSAGE(told.has_value(), code_of(told));
    }
    control->tick(noon + 1s);
    BOOST_TEST(control->flush(noon + 1s));
    gateway::store::EventFilter all;
    all.limit = 20'000;
    all.most_bytes = SIZE_MAX;
    BOOST_TEST(control->activity(caller("admin"), all, noon + 1s)->size() == 10'501U);
}

BOOST_AUTO_TEST_CASE(a_full_disk_opens_no_door_and_windows_still_expire) {
    BOOST_REQUIRE(initiate("requester", "web01", 22, noon, 5min));
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit nothing{1, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &nothing);
    const auto refused = initiate("second", "web01", 22);
    const auto changed = control->put_policy(caller("admin"), "default", draft_for("web01", 22), noon);
    control->tick(noon + 5min);
    const auto open = control->numbers().open_windows;
    const bool works = control->numbers().store_works;
    setrlimit(RLIMIT_FSIZE, &before);

    BOOST_TEST(code_of(refused) == "503 StoreUnavailable");
    BOOST_TEST(code_of(changed) == "503 StoreUnavailable");
    BOOST_TEST(!works);
    BOOST_TEST(open == 0U);
    BOOST_TEST(control->flush(noon + 5min));  // the disk has room again: what is late is written
    BOOST_TEST(control->numbers().store_works);
    start(noon + 6min);
    BOOST_TEST(control->numbers().open_windows == 0U);
    const auto log = control->activity(caller("admin"), {}, noon).value();
    BOOST_TEST(log.at(log.size() - 2).sub_status == "Expired");
    BOOST_TEST(log.back().sub_status == "StoreUnavailable");  // the outage itself
}

BOOST_AUTO_TEST_SUITE_END()
