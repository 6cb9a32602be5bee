#include "captures/base/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace captures::base {

namespace {

constexpr std::int64_t billion = 1'000'000'000;

/// Reads text from its front.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_(text) {}

    [[nodiscard]] bool at_end() const noexcept { return text_.empty(); }
    bool accept(char letter) noexcept;
    /// Exactly `count` digits.
    std::optional<int> digits(int count) noexcept;
    /// As many digits as there are, at least one; nothing if they are too large a number.
    std::optional<std::int64_t> number() noexcept;
    /// 1..9 digits of a second's fraction, as nanoseconds.
    std::optional<std::int64_t> fraction() noexcept;
    [[nodiscard]] std::string_view rest() const noexcept { return text_; }

private:
    std::string_view text_;
};

std::optional<std::int64_t> nanoseconds(std::int64_t seconds, std::int64_t fraction) noexcept;
std::optional<Duration> parse_iso8601(Cursor cursor) noexcept;
std::string trimmed_fraction(std::uint64_t nanoseconds);
/// With zeros before it; it is not negative.
void append_padded(std::string& text, std::int64_t value, std::size_t width);

}  // namespace

std::optional<Time> parse_time(std::string_view text) {
    Cursor cursor{text};
    const auto year = cursor.digits(4);
    if (!year || !cursor.accept('-')) return {};
    const auto month = cursor.digits(2);
    if (!month || !cursor.accept('-')) return {};
    const auto day = cursor.digits(2);
    if (!day || !(cursor.accept('T') || cursor.accept('t'))) return {};
    const auto hour = cursor.digits(2);
    if (!hour || !cursor.accept(':')) return {};
    const auto minute = cursor.digits(2);
    if (!minute || !cursor.accept(':')) return {};
    const auto second = cursor.digits(2);
    if (!second || *hour > 23 || *minute > 59 || *second > 59) return {};
    const auto fraction = cursor.accept('.') ? cursor.fraction() : std::optional<std::int64_t>{0};
    if (!fraction) return {};

    std::chrono::minutes offset{0};
    if (!cursor.accept('Z') && !cursor.accept('z')) {
        const bool west = cursor.accept('-');
        if (!west && !cursor.accept('+')) return {};
        const auto hours = cursor.digits(2);
        if (!hours || !cursor.accept(':')) return {};
        const auto minutes = cursor.digits(2);
        if (!minutes || *hours > 23 || *minutes > 59) return {};
        offset = std::chrono::minutes{(*hours * 60 + *minutes) * (west ? -1 : 1)};
    }
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!cursor.at_end() || !date.ok()) return {};
    const std::chrono::sys_seconds whole = std::chrono::sys_days{date} + std::chrono::hours{*hour} +
                                           std::chrono::minutes{*minute} + std::chrono::seconds{*second} - offset;
    const auto count = nanoseconds(whole.time_since_epoch().count(), *fraction);
    if (!count) return {};
    return Time{Duration{*count}};
}

std::optional<Duration> parse_duration(std::string_view text) {
    Cursor cursor{text};
    if (cursor.accept('P')) return parse_iso8601(cursor);
    struct Unit {
        std::string_view name;
        std::int64_t nanoseconds;
    };
    static constexpr std::array<Unit, 5> units{
        {{"ms", 1'000'000}, {"s", billion}, {"m", 60 * billion}, {"h", 3600 * billion}, {"d", 86400 * billion}}};
    const auto count = cursor.number();
    if (!count) return {};
    const auto* const unit = std::ranges::find(units, cursor.rest(), &Unit::name);
    std::int64_t total = 0;
    if (unit == units.end() || __builtin_mul_overflow(*count, unit->nanoseconds, &total)) return {};
    return Duration{total};
}

std::string to_rfc3339(Time time, int digits) {
    // By hand: floor<> would overflow in the first second that Time can hold.
    std::int64_t seconds = time.time_since_epoch().count() / billion;
    std::int64_t fraction = time.time_since_epoch().count() % billion;
    if (fraction < 0) {
        fraction += billion;
        --seconds;
    }
    const std::chrono::sys_seconds whole{std::chrono::seconds{seconds}};
    const auto midnight = std::chrono::floor<std::chrono::days>(whole);
    const std::chrono::year_month_day date{midnight};
    const std::chrono::hh_mm_ss clock{whole - midnight};
    std::string text;
    text.reserve(sizeof "1970-01-01T00:00:00.000000000Z");
    append_padded(text, static_cast<int>(date.year()), 4);
    append_padded(text += '-', static_cast<unsigned>(date.month()), 2);
    append_padded(text += '-', static_cast<unsigned>(date.day()), 2);
    append_padded(text += 'T', clock.hours().count(), 2);
    append_padded(text += ':', clock.minutes().count(), 2);
    append_padded(text += ':', clock.seconds().count(), 2);
    const auto kept = static_cast<std::size_t>(std::clamp(digits, 0, 9));
    if (kept > 0) {
        append_padded(text += '.', fraction, 9);
        text.resize(text.size() - (9 - kept));
    }
    text += 'Z';
    return text;
}

std::string to_iso8601(Duration duration) {
    const bool negative = duration < Duration::zero();
    const auto count = static_cast<std::uint64_t>(duration.count());
    const std::uint64_t total = negative ? std::uint64_t{0} - count : count;
    const std::uint64_t fraction = total % billion;
    const std::uint64_t seconds = total / billion % 60;
    const std::uint64_t minutes = total / (60 * billion) % 60;
    const std::uint64_t hours = total / (3600 * billion) % 24;
    const std::uint64_t days = total / (86400 * billion);

    std::string clock;
    if (hours > 0) clock += std::to_string(hours) + 'H';
    if (minutes > 0) clock += std::to_string(minutes) + 'M';
    if (seconds > 0 || fraction > 0) clock += std::to_string(seconds) + trimmed_fraction(fraction) + 'S';
    if (total == 0) clock = "0S";
    std::string text = negative ? "-P" : "P";
    if (days > 0) text += std::to_string(days) + 'D';
    if (!clock.empty()) text += 'T' + clock;
    return text;
}

namespace {

/// Nothing where Time cannot hold it.
std::optional<std::int64_t> nanoseconds(std::int64_t seconds, std::int64_t fraction) noexcept {
    // So that both terms have the same sign: the sum fits where an intermediate result would not.
    if (seconds < 0 && fraction > 0) {
        ++seconds;
        fraction -= billion;
    }
    std::int64_t total = 0;
    if (__builtin_mul_overflow(seconds, billion, &total) || __builtin_add_overflow(total, fraction, &total)) return {};
    return total;
}

/// What follows the `P`: components in falling order, each once, at least one, and one after each `T`.
std::optional<Duration> parse_iso8601(Cursor cursor) noexcept {
    struct Component {
        char letter;
        bool clock;
        std::int64_t seconds;
    };
    static constexpr std::array<Component, 4> components{
        {{'D', false, 86400}, {'H', true, 3600}, {'M', true, 60}, {'S', true, 1}}};
    std::int64_t total = 0;
    bool in_clock = false;
    const Component* next = components.data();
    const Component* const end = next + components.size();
    do {
        if (!in_clock && cursor.accept('T')) in_clock = true;
        const auto count = cursor.number();
        const bool has_fraction = cursor.accept('.');
        const auto fraction = has_fraction ? cursor.fraction() : std::optional<std::int64_t>{0};
        if (!count || !fraction) return {};
        while (next != end && (next->clock != in_clock || !cursor.accept(next->letter))) ++next;
        if (next == end || (has_fraction && next->letter != 'S')) return {};
        std::int64_t seconds = 0;
        if (__builtin_mul_overflow(*count, next->seconds, &seconds)) return {};
        const auto part = nanoseconds(seconds, *fraction);
        if (!part || __builtin_add_overflow(total, *part, &total)) return {};
        ++next;
    } while (!cursor.at_end());
    return Duration{total};
}

std::string trimmed_fraction(std::uint64_t nanoseconds) {
    if (nanoseconds == 0) return {};
    std::string digits{'.'};
    append_padded(digits, static_cast<std::int64_t>(nanoseconds), 9);
    digits.erase(digits.find_last_not_of('0') + 1);
    return digits;
}

void append_padded(std::string& text, std::int64_t value, std::size_t width) {
    std::array<char, std::numeric_limits<std::int64_t>::digits10 + 1> digits{};
    const auto* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    const auto count = static_cast<std::size_t>(end - digits.data());
    if (count < width) text.append(width - count, '0');
    text.append(digits.data(), count);
}

bool Cursor::accept(char letter) noexcept {
    if (text_.empty() || text_.front() != letter) return false;
    text_.remove_prefix(1);
    return true;
}

std::optional<int> Cursor::digits(int count) noexcept {
    int value = 0;
    for (; count > 0; --count) {
        if (text_.empty() || text_.front() < '0' || text_.front() > '9') return {};
        value = value * 10 + (text_.front() - '0');
        text_.remove_prefix(1);
    }
    return value;
}

std::optional<std::int64_t> Cursor::number() noexcept {
    if (text_.empty() || text_.front() < '0' || text_.front() > '9') return {};
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc{}) return {};
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
}

std::optional<std::int64_t> Cursor::fraction() noexcept {
    std::int64_t value = 0;
    int count = 0;
    for (auto digit = digits(1); digit; digit = digits(1), ++count) {
        if (count == 9) return {};
        value = value * 10 + *digit;
    }
    if (count == 0) return {};
    for (; count < 9; ++count) value *= 10;
    return value;
}

}  // namespace

}  // namespace captures::base
