#include "policy/access_windows.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

namespace access_windows_test {

using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::base::Prefix;
using captures::base::Protocol;
using captures::base::Time;
using policy::AccessWindows;
using policy::Window;
using policy::WindowId;
using namespace std::chrono_literals;

constexpr Time noon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h};
const Endpoint ssh{{0x0a010004}, 22};
const Endpoint rdp{{0x0a010004}, 3389};

Ipv4Address ip(std::string_view text) { return Ipv4Address::parse(text).value(); }

Window window(WindowId id, std::string_view source, Time end = noon + 1h) {
    return {
        .id = id, .target = ssh, .protocol = {}, .sources = {Prefix::parse(source).value()}, .start = noon, .end = end};
}

/// 0: no window lets the source in.
WindowId found(const AccessWindows& windows, std::string_view source, Time now = noon, Endpoint target = ssh,
               Protocol protocol = Protocol::tcp) {
    return windows.find(target, protocol, ip(source), now).value_or(0);
}

/// What the theory of operation promises, done in the plainest way.
class NaiveWindows {
public:
    void open(const Window& window) { windows_.push_back(window); }
    void close(WindowId id) {
        std::erase_if(windows_, [id](const Window& one) { return one.id == id; });
    }
    [[nodiscard]] WindowId find(Endpoint target, Protocol protocol, Ipv4Address source, Time now) const {
        const Window* best = nullptr;
        for (const auto& one : windows_) {
            const bool admits = one.target == target && one.protocol.value_or(protocol) == protocol &&
                                one.start <= now && now < one.end &&
                                std::ranges::any_of(one.sources,
                                                    [&](const Prefix& prefix) { return prefix.contains(source); });
            const bool better = best == nullptr || one.end > best->end || (one.end == best->end && one.id > best->id);
            if (admits && better) best = &one;
        }
        return best == nullptr ? 0 : best->id;
    }
    [[nodiscard]] const std::vector<Window>& all() const { return windows_; }

private:
    std::vector<Window> windows_;
};

}  // namespace access_windows_test

BOOST_AUTO_TEST_SUITE(access_windows_test)

BOOST_AUTO_TEST_CASE(only_what_is_guarded_is_closed) {
    AccessWindows windows;
    BOOST_TEST(!windows.guarded(ssh, Protocol::tcp));
    windows.guard(ssh, Protocol::tcp);
    windows.guard(ssh, Protocol::tcp);
    BOOST_TEST(windows.guarded(ssh, Protocol::tcp));
    BOOST_TEST(!windows.guarded(ssh, Protocol::udp));
    BOOST_TEST(!windows.guarded(rdp, Protocol::tcp));
    BOOST_TEST(!windows.guarded({ip("10.1.0.5"), 22}, Protocol::tcp));
    windows.guard(rdp, {});
    BOOST_TEST(windows.guarded(rdp, Protocol::tcp));
    BOOST_TEST(windows.guarded(rdp, Protocol::udp));
    BOOST_TEST(found(windows, "198.51.100.7") == 0U);
}

BOOST_AUTO_TEST_CASE(guarding_again_keeps_the_windows) {
    AccessWindows windows;
    windows.open(window(1, "198.51.100.7"));
    windows.guard(ssh, {});
    BOOST_TEST(found(windows, "198.51.100.7") == 1U);
    windows.close(window(1, "198.51.100.7"));
    BOOST_TEST(found(windows, "198.51.100.7") == 0U);
}

BOOST_AUTO_TEST_CASE(a_window_is_open_from_its_start_until_just_before_its_end) {
    AccessWindows windows;
    windows.open(window(7, "198.51.100.7"));
    BOOST_TEST(found(windows, "198.51.100.7", noon - 1ns) == 0U);
    BOOST_TEST(found(windows, "198.51.100.7", noon) == 7U);
    BOOST_TEST(found(windows, "198.51.100.7", noon + 1h - 1ns) == 7U);
    BOOST_TEST(found(windows, "198.51.100.7", noon + 1h) == 0U);
    BOOST_TEST(windows.guarded(ssh, Protocol::tcp));
}

BOOST_AUTO_TEST_CASE(a_window_lets_in_its_sources_only) {
    struct Row {
        std::string_view prefix;
        std::string_view source;
        bool in;
    };
    for (const auto& row : {
             Row{"198.51.100.7", "198.51.100.7", true},
             Row{"198.51.100.7", "198.51.100.6", false},
             Row{"198.51.100.7", "198.51.100.8", false},
             Row{"198.51.100.0/24", "198.51.100.0", true},
             Row{"198.51.100.0/24", "198.51.100.255", true},
             Row{"198.51.100.0/24", "198.51.99.255", false},
             Row{"198.51.100.0/24", "198.51.101.0", false},
             Row{"198.51.100.6/31", "198.51.100.7", true},
             Row{"198.51.100.6/31", "198.51.100.8", false},
             Row{"128.0.0.0/1", "128.0.0.0", true},
             Row{"128.0.0.0/1", "127.255.255.255", false},
             Row{"*", "0.0.0.0", true},
             Row{"*", "255.255.255.255", true},
         }) {
        AccessWindows windows;
        windows.open(window(1, row.prefix));
        BOOST_TEST((found(windows, row.source) == 1U) == row.in, row.source << " through " << row.prefix);
    }
}

BOOST_AUTO_TEST_CASE(a_window_is_for_one_port_of_one_machine) {
    AccessWindows windows;
    windows.open(window(1, "*"));
    BOOST_TEST(found(windows, "198.51.100.7", noon, ssh) == 1U);
    BOOST_TEST(found(windows, "198.51.100.7", noon, rdp) == 0U);
    BOOST_TEST(found(windows, "198.51.100.7", noon, {ip("10.1.0.5"), 22}) == 0U);
}

BOOST_AUTO_TEST_CASE(a_window_is_for_its_protocol_or_for_both) {
    AccessWindows windows;
    auto tcp_only = window(1, "198.51.100.7");
    tcp_only.protocol = Protocol::tcp;
    windows.open(tcp_only);
    BOOST_TEST(found(windows, "198.51.100.7", noon, ssh, Protocol::tcp) == 1U);
    BOOST_TEST(found(windows, "198.51.100.7", noon, ssh, Protocol::udp) == 0U);
    BOOST_TEST(!windows.guarded(ssh, Protocol::udp));
    windows.open(window(2, "198.51.100.8"));
    BOOST_TEST(found(windows, "198.51.100.8", noon, ssh, Protocol::tcp) == 2U);
    BOOST_TEST(found(windows, "198.51.100.8", noon, ssh, Protocol::udp) == 2U);
    windows.close(window(2, "198.51.100.8"));
    BOOST_TEST(found(windows, "198.51.100.8", noon, ssh, Protocol::tcp) == 0U);
    BOOST_TEST(found(windows, "198.51.100.8", noon, ssh, Protocol::udp) == 0U);
}

BOOST_AUTO_TEST_CASE(of_several_windows_the_one_that_lasts_longest_is_named) {
    AccessWindows windows;
    windows.open(window(1, "198.51.100.7", noon + 1h));
    windows.open(window(2, "198.51.100.0/24", noon + 3h));
    windows.open(window(3, "*", noon + 2h));
    BOOST_TEST(found(windows, "198.51.100.7") == 2U);
    BOOST_TEST(found(windows, "192.0.2.1") == 3U);
    windows.close(window(2, "198.51.100.0/24"));
    BOOST_TEST(found(windows, "198.51.100.7") == 3U);
    windows.open(window(4, "198.51.100.7", noon + 2h));
    BOOST_TEST(found(windows, "198.51.100.7") == 4U);  // as long, but newer
    windows.open(window(5, "198.51.100.7", noon + 90min));
    BOOST_TEST(found(windows, "198.51.100.7") == 4U);
}

BOOST_AUTO_TEST_CASE(a_later_window_does_not_hide_one_that_has_begun) {
    AccessWindows windows;
    auto future = window(1, "198.51.100.7", noon + 5h);
    future.start = noon + 2h;
    windows.open(future);
    windows.open(window(2, "198.51.100.7", noon + 3h));
    BOOST_TEST(found(windows, "198.51.100.7", noon) == 2U);
    BOOST_TEST(found(windows, "198.51.100.7", noon + 2h) == 1U);
    BOOST_TEST(found(windows, "198.51.100.7", noon + 4h) == 1U);
}

BOOST_AUTO_TEST_CASE(closing_takes_all_sources_of_one_window_and_nothing_else) {
    AccessWindows windows;
    auto wide = window(1, "198.51.100.7");
    wide.sources = {Prefix::parse("198.51.100.7").value(), Prefix::parse("192.0.2.0/24").value(),
                    Prefix::parse("198.51.100.7").value()};  // named twice
    windows.open(wide);
    windows.open(window(2, "198.51.100.7", noon + 10min));
    windows.close(window(99, "198.51.100.7"));
    BOOST_TEST(found(windows, "198.51.100.7") == 1U);
    windows.close(wide);
    BOOST_TEST(found(windows, "192.0.2.5") == 0U);
    BOOST_TEST(found(windows, "198.51.100.7") == 2U);
    windows.close(wide);
    BOOST_TEST(found(windows, "198.51.100.7") == 2U);
    windows.close(window(2, "198.51.100.7"));
    BOOST_TEST(found(windows, "198.51.100.7") == 0U);
    BOOST_TEST(windows.guarded(ssh, Protocol::tcp));
}

BOOST_AUTO_TEST_CASE(clearing_forgets_windows_and_guards) {
    AccessWindows windows;
    windows.open(window(1, "198.51.100.7"));
    windows.clear();
    BOOST_TEST(!windows.guarded(ssh, Protocol::tcp));
    windows.guard(ssh, Protocol::tcp);
    BOOST_TEST(found(windows, "198.51.100.7") == 0U);
}

BOOST_AUTO_TEST_CASE(a_copy_keeps_what_it_had) {
    AccessWindows windows;
    windows.open(window(1, "198.51.100.7"));
    const auto copy = windows;
    windows.close(window(1, "198.51.100.7"));
    windows.open(window(2, "198.51.100.8"));
    BOOST_TEST(found(copy, "198.51.100.7") == 1U);
    BOOST_TEST(found(copy, "198.51.100.8") == 0U);
    BOOST_TEST(found(windows, "198.51.100.7") == 0U);
    BOOST_TEST(found(windows, "198.51.100.8") == 2U);
}

BOOST_AUTO_TEST_CASE(announcing_changes_nothing) {
    AccessWindows windows;
    windows.prefetch(ssh, Protocol::tcp);
    windows.prefetch(ssh, Protocol::tcp, ip("198.51.100.7"));
    BOOST_TEST(!windows.guarded(ssh, Protocol::tcp));
    windows.open(window(1, "*"));
    windows.prefetch(ssh, Protocol::tcp, ip("198.51.100.7"));
    BOOST_TEST(found(windows, "198.51.100.7") == 1U);
}

BOOST_AUTO_TEST_CASE(looking_up_promises_not_to_throw) {
    const AccessWindows windows;
    static_assert(noexcept(windows.find(ssh, Protocol::tcp, Ipv4Address{}, noon)));
    static_assert(noexcept(windows.guarded(ssh, Protocol::tcp)));
    BOOST_TEST(!windows.find(ssh, Protocol::tcp, ip("198.51.100.7"), noon).has_value());
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_addresses_each_have_their_own_window_on_one_port) {
    constexpr std::uint32_t many = 100'000;
    AccessWindows windows;
    const auto nth = [](std::uint32_t n) {
        return Window{.id = n,
                      .target = ssh,
                      .protocol = Protocol::tcp,
                      .sources = {Prefix{{0xc6000000 + n}, 32}},
                      .start = noon,
                      .end = noon + 1h};
    };
    for (std::uint32_t n = 1; n <= many; ++n) windows.open(nth(n));
    WindowId right = 0;
    for (std::uint32_t n = 1; n <= many; ++n) {
        if (windows.find(ssh, Protocol::tcp, {0xc6000000 + n}, noon) == n) ++right;
    }
    BOOST_TEST(right == many);
    for (std::uint32_t n = 1; n <= many; n += 2) windows.close(nth(n));
    BOOST_TEST(!windows.find(ssh, Protocol::tcp, {0xc6000000 + 1}, noon).has_value());
    BOOST_TEST(windows.find(ssh, Protocol::tcp, {0xc6000000 + 2}, noon).value_or(0) == 2U);
}

BOOST_AUTO_TEST_CASE(a_naive_list_agrees_through_random_openings_closings_and_look_ups) {
    std::mt19937 random{20260131};  // NOLINT(cert-msc51-cpp): the same every time
    const auto below = [&random](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
    const Endpoint targets[]{ssh, rdp, {ip("10.1.0.5"), 22}};
    const std::optional<Protocol> protocols[]{{}, Protocol::tcp, Protocol::udp};
    const auto any_source = [&] { return Ipv4Address{0xc6336400 + below(64)}; };
    AccessWindows windows;
    NaiveWindows naive;
    WindowId last = 0;
    int admitted = 0;
    constexpr int rounds = 30'000;
    for (int round = 0; round < rounds; ++round) {
        if (below(3) == 0 && naive.all().size() < 60) {
            Window one{.id = ++last,
                       .target = targets[below(3)],
                       .protocol = protocols[below(3)],
                       .sources = {},
                       .start = noon + std::chrono::minutes{below(30)},
                       .end = {}};
            one.end = one.start + std::chrono::minutes{below(30)};
            for (auto more = below(3) + 1; more > 0; --more) {
                const auto length = static_cast<std::uint8_t>(below(8) == 0 ? 0 : 26 + below(7));
                one.sources.push_back({{any_source().value & Prefix::mask(length)}, length});
            }
            windows.open(one);
            naive.open(one);
        } else if (below(3) == 0 && !naive.all().empty()) {
            const auto one = naive.all()[below(static_cast<std::uint32_t>(naive.all().size()))];
            windows.close(one);
            naive.close(one.id);
        }
        const auto target = targets[below(3)];
        const auto protocol = below(2) == 0 ? Protocol::tcp : Protocol::udp;
        const auto source = any_source();
        const auto now = noon + std::chrono::minutes{below(60)};
        const auto expected = naive.find(target, protocol, source, now);
        admitted += expected == 0 ? 0 : 1;
        BOOST_REQUIRE_EQUAL(windows.find(target, protocol, source, now).value_or(0), expected);
    }
    BOOST_TEST(admitted > rounds / 10);  // both outcomes are tried
    BOOST_TEST(admitted < rounds * 9 / 10);
}

BOOST_AUTO_TEST_SUITE_END()
