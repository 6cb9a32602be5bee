// What is left of a store whose process was killed at any moment.

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "gateway/store/store.hpp"
#include "tests/support/store_files.hpp"

namespace store_crash_test {

using gateway::store::Store;

/// Commits numbers from `first` on until it is killed, and tells `acknowledged` of each.
[[noreturn]] void commit_for_ever(const std::string& url, policy::WindowId first, int acknowledged) {
    auto store = Store::open(url);
    if (!store) ::_exit(1);
    for (auto id = first;; ++id) {
        auto commit = tests::sample_commit(id);
        if (!(*store)->commit(commit) || ::write(acknowledged, &id, sizeof id) != sizeof id) ::_exit(2);
    }
}

/// The last number that a child acknowledged before it was killed, after `delay`; `first - 1` where there is none.
policy::WindowId kill_after(std::chrono::microseconds delay, const std::string& url, policy::WindowId first) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe(ends.data()) == 0);
    const auto child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        ::close(ends[0]);
        commit_for_ever(url, first, ends[1]);
    }
    ::close(ends[1]);
    std::this_thread::sleep_for(delay);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_TEST(WIFSIGNALED(status));
    auto last = first - 1;
    for (policy::WindowId id = 0; ::read(ends[0], &id, sizeof id) == sizeof id;) last = id;
    ::close(ends[0]);
    return last;
}

}  // namespace store_crash_test

BOOST_AUTO_TEST_SUITE(store_crash_test)

BOOST_AUTO_TEST_CASE(a_kill_at_any_moment_loses_nothing_acknowledged_and_leaves_no_half) {
    const tests::TemporaryDirectory directory;
    std::mt19937 random{20260131};
    std::uniform_int_distribution<int> microseconds{0, 120'000};
    policy::WindowId written = 0;
    for (int cycle = 0; cycle < 40; ++cycle) {
        BOOST_TEST_INFO_SCOPE("cycle " << cycle);
        const auto acknowledged = kill_after(std::chrono::microseconds{microseconds(random)}, directory.url(),
                                             written + 1);
        auto opened = Store::open(directory.url());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), tests::message_of(opened));
        auto& store = **opened;
        const auto snapshot = store.load(captures::Time::min());
        BOOST_REQUIRE(snapshot.has_value());
        // All that was acknowledged, and at most the one that was being written.
        BOOST_TEST(snapshot->last_id >= acknowledged);
        BOOST_TEST(snapshot->last_id <= acknowledged + 1);
        written = snapshot->last_id;
        BOOST_TEST(snapshot->records.size() == written);
        BOOST_TEST(snapshot->requests.size() == written);
        BOOST_TEST(snapshot->mapped_ports.size() == written);
        BOOST_TEST(snapshot->policies.size() == (written == 0 ? 0U : 1U));
        if (written > 0) BOOST_TEST(snapshot->policies.at(0).by == std::to_string(written));
        gateway::store::EventFilter all;
        all.limit = 1'000'000;
        const auto events = store.events(all);
        BOOST_REQUIRE(events.has_value());
        BOOST_TEST(events->size() == written);
        BOOST_TEST(store.head().sequence == written);
        BOOST_TEST(!policy::first_break(*events, 1, policy::first_hash()));
    }
    BOOST_TEST(written > 40U);
}

BOOST_AUTO_TEST_SUITE_END()
