#include "captures/base/time.hpp"

#include <cstdint>
#include <limits>
#include <ostream>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace time_test {

using namespace std::chrono_literals;

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t morning = 1'769'851'800'000'000'000;  // 2026-01-31T09:30:00Z, by date(1)

captures::base::Time at(std::int64_t nanoseconds) {
    return captures::base::Time{captures::base::Duration{nanoseconds}};
}

struct TimeCase {
    std::string_view text;
    std::int64_t nanoseconds;
};
std::ostream& operator<<(std::ostream& out, const TimeCase& row) { return out << row.text; }

const std::vector<TimeCase> times{
    {"2026-01-31T09:30:00Z", morning},
    {"2026-01-31T09:30:00.000000001Z", morning + 1},
    {"2026-01-31T09:30:00.5Z", morning + 500'000'000},
    {"2026-01-31T09:30:00.1234567Z", morning + 123'456'700},
    {"2026-01-31t09:30:00z", morning},
    {"2026-01-31T10:30:00+01:00", morning},
    {"2026-01-31T00:00:00-09:30", morning},
    {"2026-01-31T09:30:00-00:00", morning},
    {"2026-02-01T09:29:00+23:59", morning},
    {"1970-01-01T00:00:00Z", 0},
    {"1969-12-31T23:59:59.999999999Z", -1},
    {"2024-02-29T00:00:00Z", 1'709'164'800'000'000'000},
    {"2000-02-29T00:00:00Z", 951'782'400'000'000'000},
    {"2262-04-11T23:47:16.854775807Z", most},
    {"1677-09-21T00:12:43.145224192Z", least},
};

const std::vector<std::string_view> no_times{
    "",
    "2026-01-31",
    "2026-01-31T09:30Z",
    "2026-01-31T09:30:00",
    "2026-01-31 09:30:00Z",
    "2026-1-31T09:30:00Z",
    "26-01-31T09:30:00Z",
    "+026-01-31T09:30:00Z",
    "2026-01-31T09:30:00.Z",
    "2026-01-31T09:30:00.0000000001Z",
    "2026-01-31T09:30:00,5Z",
    "2026-01-31T09:30:00Zulu",
    "2026-01-31T09:30:00Z ",
    " 2026-01-31T09:30:00Z",
    "2026-01-31T09:30:00+1:00",
    "2026-01-31T09:30:00+0100",
    "2026-01-31T09:30:00+24:00",
    "2026-01-31T09:30:00+01:60",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-13-10T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-32T00:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T23:60:00Z",
    "2026-01-31T23:59:60Z",
    "2262-04-11T23:47:16.854775808Z",
    "1677-09-21T00:12:43.145224191Z",
    "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
};

struct DurationCase {
    std::string_view text;
    captures::base::Duration duration;
};
std::ostream& operator<<(std::ostream& out, const DurationCase& row) { return out << row.text; }

const std::vector<DurationCase> durations{
    {"PT3H", 3h},
    {"PT1H30M", 90min},
    {"P1D", 24h},
    {"P1DT12H", 36h},
    {"PT90M", 90min},
    {"PT0S", 0s},
    {"PT0.5S", 500ms},
    {"PT1M0.000000001S", 60s + 1ns},
    {"P2DT3H4M5.25S", 51h + 4min + 5250ms},
    {"90s", 90s},
    {"40m", 40min},
    {"3h", 3h},
    {"1d", 24h},
    {"250ms", 250ms},
    {"0s", 0s},
    {"106751d", 24h * 106751},
    {"PT9223372036.854775807S", captures::base::Duration::max()},
};

const std::vector<std::string_view> no_durations{
    "",
    "P",
    "PT",
    "P1",
    "PT1",
    "P1DT",
    "P1H",
    "PT1D",
    "P1W",
    "P1Y",
    "P1M",
    "PT1M1H",
    "PT1H1H",
    "T1H",
    "PT-1H",
    "-PT1H",
    "PT1.5H",
    "PT.5S",
    "PT1.S",
    "PT1HT1M",
    "pt1h",
    "PT1h",
    "PT1H ",
    "1",
    "s",
    "-1s",
    "+1s",
    "1.5h",
    "1h30m",
    "1 s",
    "1S",
    "1w",
    "1us",
    "1ms ",
    "106752d",
    "P106752D",
    "P99999999999999999999D",
    "PT9223372036.854775808S",
    "99999999999999999999s",
    "PT0.0000000001S",
};

}  // namespace time_test

BOOST_AUTO_TEST_SUITE(time_test)

BOOST_DATA_TEST_CASE(rfc_3339_is_read_to_the_nanosecond, times) {
    const auto time = captures::base::parse_time(sample.text);
    BOOST_REQUIRE(time);
    BOOST_CHECK_EQUAL(time->time_since_epoch().count(), sample.nanoseconds);
}

BOOST_DATA_TEST_CASE(what_is_not_a_time_is_refused, no_times) { BOOST_CHECK(!captures::base::parse_time(sample)); }

BOOST_DATA_TEST_CASE(durations_are_read_in_both_notations, durations) {
    const auto duration = captures::base::parse_duration(sample.text);
    BOOST_REQUIRE(duration);
    BOOST_CHECK_EQUAL(duration->count(), sample.duration.count());
}

BOOST_DATA_TEST_CASE(what_is_not_a_duration_is_refused, no_durations) {
    BOOST_CHECK(!captures::base::parse_duration(sample));
}

BOOST_AUTO_TEST_CASE(a_time_is_written_with_the_digits_asked_for_cut_not_rounded) {
    const captures::base::Time time = at(morning + 999'999'999);
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(time), "2026-01-31T09:30:00.999999999Z");
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(time, 7), "2026-01-31T09:30:00.9999999Z");
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(time, 1), "2026-01-31T09:30:00.9Z");
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(time, 0), "2026-01-31T09:30:00Z");
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(at(morning + 1'000), 6), "2026-01-31T09:30:00.000001Z");
}

BOOST_AUTO_TEST_CASE(times_before_1970_and_the_ends_of_the_range_are_written) {
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(at(-1)), "1969-12-31T23:59:59.999999999Z");
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(at(-1'000'000'000)), "1969-12-31T23:59:59.000000000Z");
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(at(least)), "1677-09-21T00:12:43.145224192Z");
    BOOST_CHECK_EQUAL(captures::base::to_rfc3339(at(most)), "2262-04-11T23:47:16.854775807Z");
}

BOOST_AUTO_TEST_CASE(what_was_written_is_read_back) {
    std::uint64_t random = 88172645463325252ULL;
    for (int round = 0; round < 2000; ++round) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        const captures::base::Time time = at(static_cast<std::int64_t>(random));
        BOOST_REQUIRE(captures::base::parse_time(captures::base::to_rfc3339(time)) == time);
        const captures::base::Duration duration{static_cast<std::int64_t>(random >> 1 >> random % 60)};
        BOOST_REQUIRE(captures::base::parse_duration(captures::base::to_iso8601(duration)) == duration);
    }
}

BOOST_AUTO_TEST_CASE(a_duration_is_written_as_short_as_possible) {
    BOOST_CHECK_EQUAL(captures::base::to_iso8601(3h), "PT3H");
    BOOST_CHECK_EQUAL(captures::base::to_iso8601(90min), "PT1H30M");
    BOOST_CHECK_EQUAL(captures::base::to_iso8601(24h), "P1D");
    BOOST_CHECK_EQUAL(captures::base::to_iso8601(25h + 5s), "P1DT1H5S");
    BOOST_CHECK_EQUAL(captures::base::to_iso8601(500ms), "PT0.5S");
    BOOST_CHECK_EQUAL(captures::base::to_iso8601(1ns), "PT0.000000001S");
    BOOST_CHECK_EQUAL(captures::base::to_iso8601(0s), "PT0S");
    BOOST_CHECK_EQUAL(captures::base::to_iso8601(-90s), "-PT1M30S");
    BOOST_CHECK_EQUAL(captures::base::to_iso8601(captures::base::Duration::min()), "-P106751DT23H47M16.854775808S");
}

BOOST_AUTO_TEST_SUITE_END()
