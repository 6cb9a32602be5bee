#include "policy/access_record.hpp"

#include <boost/test/unit_test.hpp>

namespace access_record_test {

using captures::base::Prefix;
using captures::base::Time;
using policy::AccessRecord;
using policy::JitPort;
using policy::StatusReason;
using namespace std::chrono_literals;

namespace refusal_code = policy::refusal_code;

constexpr Time noon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h};

std::vector<Prefix> prefixes(std::string_view text) { return {Prefix::parse(text).value()}; }

JitPort ssh_rule() { return {22, {}, prefixes("198.51.100.0/24"), 3h}; }

AccessRecord open_record() {
    AccessRecord record;
    record.id = 1;
    record.machine = "web01";
    record.port = 22;
    record.sources = prefixes("198.51.100.7");
    record.start = noon;
    record.end = noon + 1h;
    record.initiate();
    return record;
}

}  // namespace access_record_test

BOOST_AUTO_TEST_SUITE(access_record_test)

BOOST_AUTO_TEST_CASE(a_record_goes_from_initiating_to_initiated_to_revoked_and_no_further) {
    AccessRecord record;
    record.start = noon;
    record.end = noon + 1h;
    BOOST_TEST(to_string(record.status) == "Initiating");
    BOOST_TEST(to_string(record.status_reason) == "UserRequested");
    BOOST_TEST(!record.is_open(noon));
    record.initiate();
    BOOST_TEST(to_string(record.status) == "Initiated");
    BOOST_TEST(record.is_open(noon));
    record.revoke(noon + 10min, StatusReason::newer_request_initiated);
    BOOST_TEST(to_string(record.status) == "Revoked");
    BOOST_TEST(to_string(record.status_reason) == "NewerRequestInitiated");
    BOOST_TEST((record.end == noon + 10min));
    record.revoke(noon + 20min, StatusReason::user_requested);
    record.initiate();
    BOOST_TEST(to_string(record.status) == "Revoked");
    BOOST_TEST(to_string(record.status_reason) == "NewerRequestInitiated");
    BOOST_TEST((record.end == noon + 10min));
    BOOST_TEST(!record.is_open(noon + 5min));
}

BOOST_AUTO_TEST_CASE(a_record_that_expires_keeps_its_planned_end) {
    auto record = open_record();
    record.revoke(noon + 2h, StatusReason::expired);
    BOOST_TEST(to_string(record.status_reason) == "Expired");
    BOOST_TEST((record.end == noon + 1h));
}

BOOST_AUTO_TEST_CASE(a_record_is_open_from_its_start_until_just_before_its_end) {
    const auto record = open_record();
    BOOST_TEST(!record.is_open(noon - 1ns));
    BOOST_TEST(record.is_open(noon));
    BOOST_TEST(record.is_open(noon + 1h - 1ns));
    BOOST_TEST(!record.is_open(noon + 1h));
}

BOOST_AUTO_TEST_CASE(an_open_record_can_be_extended_within_the_policys_maximum_from_its_start) {
    const auto rule = ssh_rule();
    struct Limit {
        Time now;
        Time new_end;
        std::string_view code;  ///< empty: extended
    };
    for (const auto& row : {
             Limit{noon + 30min, noon + 3h, ""},
             Limit{noon + 30min, noon + 31min, ""},  // shorter is fine, too
             Limit{noon + 30min, noon + 3h + 1ns, refusal_code::not_a_subset},
             Limit{noon + 30min, Time::max(), refusal_code::not_a_subset},
             Limit{noon + 30min, noon + 30min, refusal_code::invalid_input},
             Limit{noon + 30min, noon, refusal_code::invalid_input},
             Limit{noon + 1h - 1ns, noon + 2h, ""},
             Limit{noon + 1h, noon + 2h, refusal_code::request_not_found},
         }) {
        auto record = open_record();
        const auto done = record.extend(row.now, row.new_end, rule);
        BOOST_TEST_CONTEXT((row.now - noon).count() << " to " << (row.new_end - noon).count()) {
            BOOST_TEST((done ? "" : done.error().code) == row.code);
            BOOST_TEST((record.end == (row.code.empty() ? row.new_end : noon + 1h)));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_extension_that_is_too_long_says_how_far_it_can_go) {
    auto record = open_record();
    const auto done = record.extend(noon, noon + 4h, ssh_rule());
    BOOST_REQUIRE(!done.has_value());
    BOOST_TEST(done.error().message ==
               "an end at 2026-01-31T16:00:00Z for port 22 of machine web01 is longer than the policy's PT3H after the "
               "start: it can be extended until 2026-01-31T15:00:00Z");
}

BOOST_AUTO_TEST_CASE(what_is_revoked_or_no_longer_allowed_is_not_extended) {
    auto rule = ssh_rule();
    auto record = open_record();
    rule.allowed_sources = prefixes("192.0.2.0/24");
    BOOST_TEST(record.extend(noon, noon + 2h, rule).error().message ==
               "source 198.51.100.7 for port 22 of machine web01 is no longer allowed by the policy");
    rule.allowed_sources = prefixes("*");
    record.revoke(noon + 1min, StatusReason::user_requested);
    BOOST_TEST(record.extend(noon + 2min, noon + 2h, rule).error().code == refusal_code::request_not_found);
    BOOST_TEST((record.end == noon + 1min));
}

BOOST_AUTO_TEST_SUITE_END()
