#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace captures::base {

/// UTC with the resolution of the finest capture format, 1677 to 2262. Time is always an argument in this
/// project: no library below `gateway` reads a clock.
using Time = std::chrono::sys_time<std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;

/// RFC 3339 in UTC with 0..9 fractional digits, e.g. `2026-01-31T09:30:00.000000001Z`; offsets (`+01:00`) are
/// converted.
[[nodiscard]] std::optional<Time> parse_time(std::string_view text);

/// An ISO 8601 duration of days and time (`PT3H`, `P1D`, `PT1H30M`, `PT0.5S`) or the short form that scenarios
/// use (`90s`, `40m`, `3h`, `1d`, `250ms`). Never negative.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

/// RFC 3339 in UTC with `digits` (0..9) fractional digits, cut, not rounded.
[[nodiscard]] std::string to_rfc3339(Time time, int digits = 9);

/// ISO 8601, as short as possible: `PT3H`, `PT1H30M`, `P1D`.
[[nodiscard]] std::string to_iso8601(Duration duration);

}  // namespace captures::base
