// What is left of a store whose process was killed at any moment.

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

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

/// The last number that a child acknowledged before it was killed, `delay` after it had acknowledged so many;
/// `first - 1` where there is none.
policy::WindowId kill_after(policy::WindowId acknowledged, std::chrono::microseconds delay, const std::string& url,
                            policy::WindowId first) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe(ends.data()) == 0);
    const auto child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        ::close(ends[0]);
        commit_for_ever(url, first, ends[1]);
    }
    ::close(ends[1]);
    auto last = first - 1;
    policy::WindowId id = 0;
    while (last < first - 1 + acknowledged && ::read(ends[0], &id, sizeof id) == sizeof id) last = id;
    std::this_thread::sleep_for(delay);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_TEST(WIFSIGNALED(status));
    while (::read(ends[0], &id, sizeof id) == sizeof id) last = id;
    ::close(ends[0]);
    return last;
}

}  // namespace store_crash_test

BOOST_AUTO_TEST_SUITE(store_crash_test)

BOOST_AUTO_TEST_CASE(a_kill_at_any_moment_loses_nothing_acknowledged_and_leaves_no_half) {
    const tests::TemporaryDirectory directory;
    std::mt19937 random{20260131};
    std::uniform_int_distribution<policy::WindowId> commits{0, 10};
    std::uniform_int_distribution<int> microseconds{0, 30'000};
    policy::WindowId written = 0;
    for (int cycle = 0; cycle < 40; ++cycle) {
        BOOST_TEST_INFO_SCOPE("cycle " << cycle);
        const auto acknowledged = kill_after(commits(random), std::chrono::microseconds{microseconds(random)},
                                             directory.url(), written + 1);
        auto opened = Store::open(directory.url());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), tests::message_of(opened));
        auto& store = **opened;
        const auto snapshot = store.load(captures::base::Time::min());
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
    BOOST_TEST(written > 10U);
}

BOOST_AUTO_TEST_CASE(in_quiet_moments_the_log_is_copied_and_nothing_is_lost) {
    const tests::TemporaryDirectory directory;
    const auto log = directory.file().string() + "-wal";
    const auto opened = Store::open(directory.url());
    BOOST_REQUIRE_MESSAGE(opened.has_value(), tests::message_of(opened));
    const auto& store = *opened;
    const auto commit = [&](policy::WindowId id) {
        auto sample = tests::sample_commit(id);
        BOOST_REQUIRE(store->commit(sample).has_value());
    };
    const auto before = std::filesystem::file_size(directory.file());
    for (policy::WindowId id = 1; id <= 100; ++id) commit(id);
    BOOST_TEST(std::filesystem::file_size(directory.file()) == before);
    store->maintain();
    BOOST_TEST(std::filesystem::file_size(directory.file()) > before);
    commit(101);

    // As a crash would leave them.
    const tests::TemporaryDirectory crashed;
    std::filesystem::copy(directory.file(), crashed.file());
    std::filesystem::copy(log, crashed.file().string() + "-wal");
    const auto found = Store::open(crashed.url());
    BOOST_REQUIRE_MESSAGE(found.has_value(), tests::message_of(found));
    const auto snapshot = (*found)->load(captures::base::Time::min());
    BOOST_REQUIRE(snapshot.has_value());
    BOOST_TEST(snapshot->records.size() == 101U);
}

BOOST_AUTO_TEST_SUITE_END()
