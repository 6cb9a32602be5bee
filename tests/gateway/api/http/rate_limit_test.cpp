#include "gateway/api/http/rate_limit.hpp"

#include <boost/test/unit_test.hpp>

namespace rate_limit_test {

using namespace std::chrono_literals;
using gateway::api::http::RateLimit;

constexpr captures::base::Time start{std::chrono::seconds{1'800'000'000}};

int allowed(RateLimit& limit, const std::string& caller, captures::base::Time now, int asked) {
    int count = 0;
    for (int i = 0; i < asked; ++i) count += limit.allow(caller, now) ? 1 : 0;
    return count;
}

}  // namespace rate_limit_test

BOOST_AUTO_TEST_SUITE(rate_limit_test)

BOOST_AUTO_TEST_CASE(a_minutes_worth_may_come_at_once_and_no_more) {
    RateLimit limit{60};
    BOOST_TEST(allowed(limit, "ana", start, 100) == 60);
    BOOST_TEST(allowed(limit, "ana", start + 500ms, 10) == 0);
    BOOST_TEST(allowed(limit, "ana", start + 10s, 100) == 10);
    BOOST_TEST(allowed(limit, "ana", start + 1h, 100) == 60);
}

BOOST_AUTO_TEST_CASE(callers_do_not_use_up_each_others_requests) {
    RateLimit limit{2};
    BOOST_TEST(allowed(limit, "ana", start, 5) == 2);
    BOOST_TEST(allowed(limit, "ben", start, 5) == 2);
    BOOST_TEST(allowed(limit, gateway::api::http::peer_caller("198.51.100.7"), start, 5) == 2);
}

BOOST_AUTO_TEST_CASE(a_name_in_other_letters_is_the_same_caller) {
    RateLimit limit{1};
    BOOST_TEST(limit.allow("Ana@lab.example", start));
    BOOST_TEST(!limit.allow("ANA@LAB.EXAMPLE", start));
}

BOOST_AUTO_TEST_CASE(a_clock_that_jumps_back_neither_fills_nor_blocks) {
    RateLimit limit{60};
    BOOST_TEST(allowed(limit, "ana", start, 100) == 60);
    BOOST_TEST(!limit.allow("ana", start - 1h));
    BOOST_TEST(limit.allow("ana", start - 1h + 1s));
}

BOOST_AUTO_TEST_CASE(retry_after_is_the_time_for_one_request) {
    BOOST_TEST(RateLimit{1}.retry_after().count() == 60);
    BOOST_TEST(RateLimit{7}.retry_after().count() == 9);
    BOOST_TEST(RateLimit{1200}.retry_after().count() == 1);
}

BOOST_AUTO_TEST_CASE(very_many_callers_take_no_more_memory_and_share_what_is_left) {
    RateLimit limit{10};
    int through = 0;
    for (int i = 0; i < 20'000; ++i) through += limit.allow("peer " + std::to_string(i), start) ? 1 : 0;
    BOOST_TEST(limit.callers() == RateLimit::most_callers);
    BOOST_TEST(through == static_cast<int>(RateLimit::most_callers) + 10);
    BOOST_TEST(allowed(limit, "peer 17", start, 20) == 9);  // who was known before keeps the own bucket
}

BOOST_AUTO_TEST_CASE(callers_that_were_quiet_for_a_minute_make_room) {
    RateLimit limit{10};
    for (int i = 0; i < 20'000; ++i) static_cast<void>(limit.allow("peer " + std::to_string(i), start));
    BOOST_TEST(allowed(limit, "ana", start + 2min, 20) == 10);
    BOOST_TEST(limit.callers() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
