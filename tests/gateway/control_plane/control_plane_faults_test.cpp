// A disk that takes no writes, or loses what it took, under a service that runs: 503, no door opens, open ones still
// close, and it goes on by itself once the disk does.

#include <cstdint>
#include <filesystem>
#include <string>

#include "policy/audit.hpp"
#include "tests/support/faulty_disk.hpp"
#include "tests/support/service_lab.hpp"

namespace control_plane_faults_test {

using namespace std::chrono_literals;
using support::noon;
using support::ServiceLab;

struct FaultyLab : support::FaultyDisk, ServiceLab {
    void check_outage_and_recovery(std::atomic<bool>& fault, const std::string& why) {
        BOOST_REQUIRE(initiate("requester", "web01", 22, noon, 5min));
        fault = true;
        const auto refused = initiate("second", "web01", 22, noon + 1min);
        BOOST_REQUIRE(!refused);
        BOOST_TEST(refused.error().status == 503);
        BOOST_TEST(refused.error().message.find(why) != std::string::npos, refused.error().message);
        BOOST_TEST(!control->revoke(caller("requester"), "web01", 22, false, noon + 1min));
        BOOST_TEST(control->numbers().open_windows == 1U);
        BOOST_TEST(!control->flush(noon + 2min));
        BOOST_TEST(!control->numbers().store_works);
        control->tick(noon + 5min);
        BOOST_TEST(control->numbers().open_windows == 0U);

        fault = false;
        BOOST_TEST(control->flush(noon + 6min));
        BOOST_TEST(control->numbers().store_works);
        BOOST_TEST(initiate("second", "web01", 22, noon + 6min).has_value());
        BOOST_TEST(control->numbers().open_windows == 1U);
        start(noon + 7min);
        BOOST_TEST(control->numbers().open_windows == 1U);
        const auto log = control->activity(caller("admin"), {}, noon + 7min);
        BOOST_REQUIRE(log);
        std::string told;
        for (const auto& event : *log) told += event.sub_status + event.status + ' ';
        BOOST_TEST(told == "Accepted StoreUnavailableFailed ExpiredSucceeded Accepted ");
        BOOST_TEST(log->at(1).detail.find(why) != std::string::npos, log->at(1).detail);
    }

    void look_up(std::uint64_t number) {
        auto who = caller("admin");
        who.client_request_id = std::to_string(number);
        BOOST_REQUIRE(control->connections(who, {}, {}, noon));
    }

    void check_told(std::uint64_t last) {
        const auto chain = control->audit_chain(caller("admin"), 0, 2 * last, noon + 3s);
        BOOST_REQUIRE(chain);
        BOOST_TEST(!policy::first_break(*chain, 1, policy::first_hash()));
        std::uint64_t told = 0;
        for (const auto& event : *chain) {
            if (!event.client_request_id.empty()) BOOST_TEST_REQUIRE(event.client_request_id == std::to_string(++told));
        }
        BOOST_TEST(told == last);
    }
};

/// More than are gathered before they are written aside.
constexpr std::uint64_t many = 1200;

}  // namespace control_plane_faults_test

BOOST_FIXTURE_TEST_SUITE(control_plane_faults_test, FaultyLab)

BOOST_AUTO_TEST_CASE(a_file_system_that_becomes_read_only_opens_no_door_and_recovers) {
    check_outage_and_recovery(fails_to_write, "read-only");
}

BOOST_AUTO_TEST_CASE(a_sync_that_fails_opens_no_door_and_recovers) {
    check_outage_and_recovery(fails_to_sync, "does not answer");
}

BOOST_AUTO_TEST_CASE(a_store_that_failed_is_tried_again_though_nobody_asks) {
    fails_to_sync = true;
    BOOST_TEST(!initiate("requester", "web01", 22));
    BOOST_TEST(!control->numbers().store_works);
    BOOST_TEST(!control->flush(noon + 1s));
    fails_to_sync = false;
    control->tick(noon + 2s);
    BOOST_TEST(control->flush(noon + 2s));
    BOOST_TEST(control->numbers().store_works);
}

BOOST_AUTO_TEST_CASE(what_was_answered_503_for_want_of_a_sync_is_not_there_after_a_crash) {
    fails_to_sync = true;
    BOOST_TEST(!initiate("requester", "web01", 22));
    fails_to_sync = false;
    BOOST_TEST(control->flush(noon + 1s));
    const support::ScratchFolder crashed;
    for (const auto* const name : {"store.db", "store.db-wal"}) {
        std::filesystem::copy(directory.path() / name, crashed.path() / name);
    }
    const auto store = gateway::store::Store::open("sqlite:" + crashed.file("store.db"));
    BOOST_REQUIRE(store);
    BOOST_TEST((*store)->load(captures::base::Time::min())->records.empty());
}

BOOST_AUTO_TEST_CASE(many_look_ups_are_all_told_and_in_their_order) {
    for (std::uint64_t n = 1; n <= many; ++n) look_up(n);
    BOOST_TEST(control->flush(noon + 1s));
    check_told(many);
}

BOOST_AUTO_TEST_CASE(look_ups_that_the_disk_did_not_take_are_written_when_it_does) {
    fails_to_sync = true;
    for (std::uint64_t n = 1; n <= many; ++n) look_up(n);
    BOOST_TEST(!control->flush(noon + 1s));
    BOOST_TEST(!control->numbers().store_works);
    fails_to_sync = false;
    BOOST_TEST(control->flush(noon + 2s));
    BOOST_TEST(control->numbers().store_works);
    check_told(many);
}

BOOST_AUTO_TEST_SUITE_END()
