#include "gateway/service/service_clock.hpp"

#include <boost/test/unit_test.hpp>

namespace service_clock_test {

using captures::base::Time;
using gateway::service::ServiceClock;
using namespace std::chrono_literals;

constexpr Time noon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h};

}  // namespace service_clock_test

BOOST_AUTO_TEST_SUITE(service_clock_test)

BOOST_AUTO_TEST_CASE(it_shows_wall_time) {
    ServiceClock clock;
    BOOST_TEST((clock.at(noon, 5s) == noon));
    BOOST_TEST((clock.at(noon + 10s, 15s) == noon + 10s));
}

BOOST_AUTO_TEST_CASE(a_step_ahead_is_followed) {
    ServiceClock clock;
    static_cast<void>(clock.at(noon, 5s));
    BOOST_TEST((clock.at(noon + 1h, 6s) == noon + 1h));
    BOOST_TEST((clock.at(noon + 1h + 2s, 8s) == noon + 1h + 2s));
}

BOOST_AUTO_TEST_CASE(a_step_back_gives_no_window_more_time) {
    ServiceClock clock;
    static_cast<void>(clock.at(noon, 5s));
    BOOST_TEST((clock.at(noon - 1h, 6s) == noon + 1s));
    BOOST_TEST((clock.at(noon - 1h + 30min, 30min + 5s) == noon + 30min));
}

BOOST_AUTO_TEST_CASE(a_step_ahead_that_is_taken_back_stays) {
    ServiceClock clock;
    static_cast<void>(clock.at(noon, 5s));
    static_cast<void>(clock.at(noon + 1h, 6s));
    BOOST_TEST((clock.at(noon + 2s, 7s) == noon + 1h + 1s));
}

BOOST_AUTO_TEST_SUITE_END()
