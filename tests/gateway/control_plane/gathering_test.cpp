// Requests that share a sync: nothing of them has happened before it, all of them after it, and none where it fails.

#include <string>

#include "tests/support/faulty_disk.hpp"
#include "tests/support/service_lab.hpp"

namespace gathering_test {

using namespace std::chrono_literals;
using support::noon;
using support::ServiceLab;

struct GatheringLab : support::FaultyDisk, ServiceLab {
    GatheringLab() {
        // app01 gets ports that no rule maps.
        gateway::control_plane::PolicyDraft draft;
        for (const auto* const name : {"web01", "db01", "app01"}) {
            draft.machines.push_back({machine_id(name), {port(22), port(3389)}});
        }
        BOOST_REQUIRE(control->put_policy(caller("admin"), "default", draft, noon).has_value());
    }

    static policy::JitPort port(std::uint16_t number) { return {number, {}, {{{0}, 0}}, 3h}; }

    auto waiting(const std::string& who, const std::string& machine, std::uint16_t port,
                 captures::base::Time now = noon, const std::string& client_request = {}) {
        auto request = asks(machine, port, 5min);
        request.can_wait = true;
        auto by = caller(who);
        by.client_request_id = client_request;
        auto view = control->initiate(by, "default", request, now);
        BOOST_REQUIRE(view.has_value());
        return *view;
    }

    std::size_t open() const { return control->numbers().open_windows; }

    std::string activity(captures::base::Time now) {
        const auto log = control->activity(caller("admin"), {}, now);
        BOOST_REQUIRE(log);
        std::string told;
        for (const auto& event : *log) told += event.status + ' ';
        return told;
    }
};

}  // namespace gathering_test

BOOST_FIXTURE_TEST_SUITE(gathering_test, GatheringLab)

BOOST_AUTO_TEST_CASE(what_waits_has_not_happened_and_one_sync_makes_all_of_it_so) {
    const auto before = syncs.load();
    const auto web = waiting("requester", "web01", 22);
    const auto db = waiting("second", "db01", 3389);
    const auto app = waiting("requester", "app01", 3389);
    BOOST_TEST(syncs.load() == before);
    BOOST_TEST(open() == 0U);
    BOOST_TEST(!control->request(caller("requester"), web.id, noon).has_value());
    BOOST_TEST(!control->connections(caller("second"), "db01", {}, noon).has_value());

    BOOST_TEST(db.settle());
    BOOST_TEST(syncs.load() == before + 1);
    BOOST_TEST(web.settle());
    BOOST_TEST(app.settle());
    BOOST_TEST(syncs.load() == before + 1);
    BOOST_TEST(open() == 3U);
    for (const auto* const view : {&web, &app}) {
        const auto now = control->request(caller("requester"), view->id, noon);
        BOOST_REQUIRE(now.has_value());
        BOOST_TEST(now->records.front().id == view->records.front().id);
        BOOST_TEST((now->records.front().listener == view->records.front().listener));
    }
    start(noon + 1s);
    BOOST_TEST(open() == 3U);
    BOOST_TEST(activity(noon + 1s).ends_with(" Accepted Accepted Accepted "));
}

BOOST_AUTO_TEST_CASE(what_waits_gets_ids_and_mapped_ports_of_its_own) {
    const auto db = waiting("requester", "db01", 3389);
    const auto app = waiting("requester", "app01", 3389);
    const auto& first = db.records.front();
    const auto& second = app.records.front();
    BOOST_TEST(first.id + 1 == second.id);
    BOOST_REQUIRE((first.listener && second.listener));
    BOOST_TEST((*first.listener != *second.listener));
    BOOST_TEST(app.settle());
    const auto later = initiate("second", "db01", 3389);
    BOOST_REQUIRE(later);
    BOOST_TEST(later->records.front().id == second.id + 1);
    BOOST_TEST((later->records.front().listener == first.listener));
}

BOOST_AUTO_TEST_CASE(where_the_sync_fails_none_of_it_has_happened_and_it_can_be_asked_for_again) {
    const auto web = waiting("requester", "web01", 22);
    const auto app = waiting("second", "app01", 3389);
    fails_to_sync = true;
    BOOST_TEST(!web.settle());
    BOOST_TEST(open() == 0U);
    BOOST_TEST(!initiate("second", "app01", 3389).has_value());
    fails_to_sync = false;
    BOOST_TEST(!app.settle());  // with the first, for good
    BOOST_TEST(open() == 0U);
    const auto again = initiate("second", "app01", 3389);
    BOOST_REQUIRE(again);
    BOOST_TEST(open() == 1U);
    BOOST_TEST((again->records.front().listener == app.records.front().listener));
    start(noon + 1s);
    BOOST_TEST(open() == 1U);
    BOOST_TEST(!control->request(caller("requester"), web.id, noon + 1s).has_value());
}

BOOST_AUTO_TEST_CASE(a_second_request_on_the_machine_settles_the_first_and_replaces_its_window) {
    const auto older = waiting("requester", "web01", 22);
    const auto newer = waiting("requester", "web01", 22, noon + 1s);
    BOOST_TEST(open() == 1U);
    BOOST_TEST(newer.settle());
    BOOST_TEST(older.settle());
    BOOST_TEST(open() == 1U);
    const auto now = control->request(caller("requester"), older.id, noon + 1s);
    BOOST_REQUIRE(now.has_value());
    BOOST_TEST((now->records.front().status_reason == policy::StatusReason::newer_request_initiated));
}

BOOST_AUTO_TEST_CASE(a_repetition_is_the_same_request_though_the_first_still_waits) {
    const auto first = waiting("requester", "web01", 22, noon, "client-id");
    const auto second = waiting("requester", "web01", 22, noon, "client-id");
    BOOST_TEST(first.id == second.id);
    BOOST_TEST(!second.settle);
    BOOST_TEST(first.settle());
    BOOST_TEST(open() == 1U);
}

BOOST_AUTO_TEST_CASE(what_changes_windows_settles_first) {
    const auto web = waiting("requester", "web01", 22);
    const auto revoked = control->revoke(caller("requester"), "web01", 22, false, noon + 1s);
    BOOST_REQUIRE(revoked);
    BOOST_TEST(revoked->front().request == web.id);

    const auto db = waiting("requester", "db01", 22, noon + 2s);
    BOOST_TEST(control->extend(caller("requester"), "db01", 22, 1h, noon + 3s).has_value());
    BOOST_TEST(open() == 1U);

    const auto app = waiting("requester", "app01", 22, noon + 4s);
    BOOST_TEST(control->disable(caller("admin"), "app01", noon + 5s).has_value());
    const auto ended = control->request(caller("requester"), app.id, noon + 5s);
    BOOST_REQUIRE(ended);
    BOOST_TEST((ended->records.front().status == policy::Status::revoked));
    BOOST_TEST((db.settle() && app.settle() && web.settle()));
}

BOOST_AUTO_TEST_CASE(expiry_comes_after_what_was_asked_before_it) {
    BOOST_REQUIRE(initiate("requester", "web01", 22, noon, 5min));
    const auto newer = waiting("requester", "web01", 22, noon + 4min);
    control->tick(noon + 5min);
    BOOST_TEST(newer.settle());
    BOOST_TEST(open() == 1U);
    BOOST_TEST(control->numbers().expired == 0U);
    control->tick(noon + 9min);
    BOOST_TEST(open() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
