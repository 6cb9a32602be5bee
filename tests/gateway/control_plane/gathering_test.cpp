// Requests that share a sync: nothing of them has happened before it, all of them after it, and none where it fails.

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

    /// A request that was sent, and what became of it.
    struct Sent {
        std::optional<gateway::control_plane::Answer<gateway::control_plane::RequestView>> answer;

        [[nodiscard]] const gateway::control_plane::RequestView& view() const {
            BOOST_REQUIRE((answer && *answer));
            return **answer;
        }
    };
    std::shared_ptr<Sent> send(const std::string& who, const std::string& machine, std::uint16_t port,
                               captures::base::Time now = noon, const std::string& client_request = {}) {
        auto by = caller(who);
        by.client_request_id = client_request;
        auto sent = std::make_shared<Sent>();
        control->plane().requests().initiate(by, "default", asks(machine, port, 5min), now,
                                             [sent](auto answer) { sent->answer = std::move(answer); });
        return sent;
    }

    /// Holds the disk until `release`: what is sent meanwhile waits for it.
    void hold() {
        auto held = std::make_shared<std::promise<void>>();
        before_sync = [this, held, is_first = true](const std::string&) mutable {
            if (!std::exchange(is_first, false)) return;
            held->set_value();
            released.get_future().wait();
        };
        control->plane().audit().note_reading(caller("admin"), "held", {}, noon);
        control->plane().flush(noon);
        held->get_future().wait();
    }
    void release() {
        released.set_value();
        control->finish();
    }

    std::size_t open() const { return control->numbers().open_windows; }

    std::promise<void> released;

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
    hold();
    const auto before = syncs.load();
    const auto web = send("requester", "web01", 22);
    const auto db = send("second", "db01", 3389);
    const auto app = send("requester", "app01", 3389);
    BOOST_TEST(open() == 0U);
    for (const auto& one : {web, db, app}) BOOST_TEST(!one->answer.has_value());
    BOOST_TEST(!control->connections(caller("second"), "db01", {}, noon).has_value());

    release();
    BOOST_TEST(syncs.load() == before + 1);
    BOOST_TEST(open() == 3U);
    for (const auto& one : {web, app}) {
        const auto now = control->request(caller("requester"), one->view().id, noon);
        BOOST_REQUIRE(now.has_value());
        BOOST_TEST(now->records.front().id == one->view().records.front().id);
        BOOST_TEST((now->records.front().listener == one->view().records.front().listener));
    }
    start(noon + 1s);
    BOOST_TEST(open() == 3U);
    BOOST_TEST(activity(noon + 1s).ends_with(" Accepted Accepted Accepted "));
}

BOOST_AUTO_TEST_CASE(what_waits_gets_ids_and_mapped_ports_of_its_own) {
    hold();
    const auto db = send("requester", "db01", 3389);
    const auto app = send("requester", "app01", 3389);
    release();
    const auto& first = db->view().records.front();
    const auto& second = app->view().records.front();
    BOOST_TEST(first.id + 1 == second.id);
    BOOST_REQUIRE((first.listener && second.listener));
    BOOST_TEST((*first.listener != *second.listener));
    const auto later = initiate("second", "db01", 3389);
    BOOST_REQUIRE(later);
    BOOST_TEST(later->records.front().id == second.id + 1);
    BOOST_TEST((later->records.front().listener == first.listener));
}

BOOST_AUTO_TEST_CASE(where_the_sync_fails_none_of_it_has_happened_and_it_can_be_asked_for_again) {
    hold();
    const auto web = send("requester", "web01", 22);
    const auto app = send("second", "app01", 3389);
    fails_to_sync = true;
    release();
    for (const auto& one : {web, app}) {
        BOOST_REQUIRE(one->answer.has_value());
        BOOST_REQUIRE(!*one->answer);
        BOOST_TEST(one->answer->error().status == 503);
    }
    BOOST_TEST(open() == 0U);
    BOOST_TEST(!initiate("second", "app01", 3389).has_value());
    fails_to_sync = false;
    BOOST_TEST(open() == 0U);
    const auto again = initiate("second", "app01", 3389);
    BOOST_REQUIRE(again);
    BOOST_TEST(open() == 1U);
    BOOST_TEST(again->records.front().listener->port == 50000);  // nobody has it
    start(noon + 1s);
    BOOST_TEST(open() == 1U);
}

BOOST_AUTO_TEST_CASE(a_second_request_on_the_machine_waits_for_the_first_and_replaces_its_window) {
    hold();
    const auto older = send("requester", "web01", 22);
    const auto newer = send("requester", "web01", 22, noon + 1s);
    release();
    BOOST_TEST(newer->view().id != older->view().id);
    BOOST_TEST(open() == 1U);
    const auto now = control->request(caller("requester"), older->view().id, noon + 1s);
    BOOST_REQUIRE(now.has_value());
    BOOST_TEST((now->records.front().status_reason == policy::StatusReason::newer_request_initiated));
}

BOOST_AUTO_TEST_CASE(a_second_request_on_the_machine_of_one_that_fails_is_judged_by_what_is_there) {
    hold();
    bool failed = false;
    control->plane().requests().initiate(caller("requester"), "default", asks("db01", 3389), noon, [&](auto answer) {
        failed = !answer;
        fails_to_sync = false;  // before the second is decided
    });
    const auto second = send("second", "db01", 3389, noon + 1s);
    fails_to_sync = true;
    release();
    BOOST_TEST(failed);
    BOOST_TEST(open() == 1U);
    start(noon + 2s);
    BOOST_TEST(open() == 1U);
    BOOST_TEST((initiate("second", "db01", 3389, noon + 3s)->records.front().listener ==
                second->view().records.front().listener));
}

BOOST_AUTO_TEST_CASE(a_repetition_is_the_same_request_though_the_first_still_waits) {
    hold();
    const auto first = send("requester", "web01", 22, noon, "client-id");
    const auto second = send("requester", "web01", 22, noon, "client-id");
    release();
    BOOST_TEST(first->view().id == second->view().id);
    BOOST_TEST(open() == 1U);
}

BOOST_AUTO_TEST_CASE(what_changes_windows_waits_for_what_was_asked_before) {
    hold();
    const auto web = send("requester", "web01", 22);
    const auto db = send("requester", "db01", 22);
    const auto app = send("requester", "app01", 22);
    std::optional<gateway::control_plane::Answer<std::vector<policy::AccessRecord>>> revoked;
    control->plane().requests().revoke(caller("requester"), "web01", 22, false, noon + 1s,
                                       [&](auto answer) { revoked = std::move(answer); });
    std::optional<gateway::control_plane::Answer<gateway::control_plane::ConnectionView>> extended;
    control->plane().requests().extend(caller("requester"), "db01", 22, 1h, noon + 1s,
                                       [&](auto answer) { extended = std::move(answer); });
    std::optional<gateway::control_plane::Answer<gateway::control_plane::PolicyView>> disabled;
    control->plane().policies().disable(caller("admin"), "app01", noon + 1s,
                                        [&](auto answer) { disabled = std::move(answer); });
    const auto later = send("second", "db01", 22, noon + 2s);  // after the change of policies
    BOOST_TEST((!revoked && !extended && !disabled));
    release();
    BOOST_REQUIRE((revoked && *revoked && extended && *extended && disabled && *disabled && later->answer));
    BOOST_TEST((*revoked)->front().request == web->view().id);
    BOOST_TEST((*extended)->record.request == db->view().id);
    const auto ended = control->request(caller("requester"), app->view().id, noon + 5s);
    BOOST_REQUIRE(ended);
    BOOST_TEST((ended->records.front().status == policy::Status::revoked));
    BOOST_TEST(open() == 2U);
}

BOOST_AUTO_TEST_CASE(expiry_comes_after_what_was_asked_before_it) {
    BOOST_REQUIRE(initiate("requester", "web01", 22, noon, 5min));
    BOOST_REQUIRE(initiate("second", "db01", 22, noon, 5min));
    hold();
    const auto newer = send("requester", "web01", 22, noon + 4min);
    control->plane().tick(noon + 5min);
    BOOST_TEST(control->numbers().expired == 1U);  // that on the machine of which nothing is being written
    release();
    BOOST_TEST(newer->view().records.size() == 1U);
    BOOST_TEST(open() == 1U);
    BOOST_TEST(control->numbers().expired == 1U);
    control->tick(noon + 9min);
    BOOST_TEST(open() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
