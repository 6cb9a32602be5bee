// The write-ahead log is copied into the file when nobody waits, or it is long: nothing is lost by it.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <unistd.h>

#include "gateway/store/database_file.hpp"
#include "gateway/store/store.hpp"
#include "tests/support/faulty_disk.hpp"
#include "tests/support/store_files.hpp"

namespace store_checkpoint_test {

using gateway::store::Store;
using gateway::store::StoreError;
using tests::in_child;

using Kind = StoreError::Kind;
using Limits = gateway::store::DatabaseFile;

constexpr std::uintmax_t page = 4096;
constexpr std::uintmax_t frame = page + 24;  // what a page takes in the log

std::unique_ptr<Store> opened(const std::string& url) {
    auto made = Store::open(url);
    BOOST_REQUIRE_MESSAGE(made.has_value(), tests::message_of(made));
    return std::move(*made);
}

bool eventually(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{2};
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
}

/// A store on a disk that fails when told to, and what was committed to it.
struct Lab : support::FaultyDisk {
    Lab() = default;
    Lab(const Lab&) = delete;
    Lab& operator=(const Lab&) = delete;
    ~Lab() { store.reset(); }

    /// Of some `pages` pages; the last one's number is `last`.
    tl::expected<void, StoreError> commit(std::size_t pages) {
        auto commit = tests::sample_commit(last + 1);
        commit.records.front().justification = std::string(pages * page, 'x');
        auto done = store->commit(commit);
        if (done) ++last;
        return done;
    }
    void require_commits(int count, std::size_t pages) {
        for (int n = 0; n < count; ++n) {
            const auto done = commit(pages);
            BOOST_REQUIRE_MESSAGE(done.has_value(), tests::message_of(done));
        }
    }
    /// So many that the log is worth copying.
    void make_a_long_log() { require_commits(Limits::enough_pages / 500 + 1, 500); }

    [[nodiscard]] std::filesystem::path log() const { return directory.file().string() + "-wal"; }
    [[nodiscard]] std::uintmax_t file_size() const { return std::filesystem::file_size(directory.file()); }
    [[nodiscard]] std::uintmax_t log_size() const { return std::filesystem::file_size(log()); }

    void reopen() {
        store.reset();
        store = opened(directory.url());
    }
    /// Before what the disk calls ends.
    void close() {
        store.reset();
        before_sync_of_copy = after_sync_of_copy = nullptr;
    }
    void check_whole(Store& found) const {
        const auto snapshot = found.load(captures::base::Time::min());
        BOOST_REQUIRE(snapshot.has_value());
        BOOST_TEST(snapshot->last_id == last);
        BOOST_TEST(snapshot->records.size() == last);
        gateway::store::EventFilter all;
        all.limit = 1'000'000;
        const auto events = found.events(all);
        BOOST_REQUIRE(events.has_value());
        BOOST_TEST(events->size() == last);
        BOOST_TEST(!policy::first_break(*events, 1, policy::first_hash()));
    }
    /// As if the machine had lost its power: the log as it is, and the file as `file` has it.
    void check_after_power_loss(const std::filesystem::path& file) const {
        const tests::TemporaryDirectory crashed;
        std::filesystem::copy(file, crashed.file());
        std::filesystem::copy(log(), crashed.file().string() + "-wal");
        const auto found = opened(crashed.url());
        check_whole(*found);
    }

    tests::TemporaryDirectory directory;
    std::unique_ptr<Store> store;
    policy::WindowId last = 0;
};

}  // namespace store_checkpoint_test

BOOST_FIXTURE_TEST_SUITE(store_checkpoint_test, Lab)

BOOST_AUTO_TEST_CASE(the_log_stays_short_under_commits_that_never_pause) {
    store = opened(directory.url());
    std::uintmax_t longest = 0;
    for (int n = 0; n < 50; ++n) {
        require_commits(5, 90);
        longest = std::max(longest, log_size());
    }
    BOOST_TEST(longest >= Limits::enough_pages * frame);
    BOOST_TEST(longest < Limits::enough_pages * (2 * frame));
    BOOST_TEST(file_size() > Limits::enough_pages * page);
    reopen();
    check_whole(*store);
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_with_the_power_wherever_the_copy_is) {
    const tests::TemporaryDirectory safe;
    std::mutex copying;
    store = opened(directory.url());
    store.reset();
    after_sync_of_copy = [&](const std::string& name) {
        if (name != directory.file()) return;
        const std::lock_guard lock{copying};
        std::filesystem::copy_file(directory.file(), safe.file(), std::filesystem::copy_options::overwrite_existing);
    };
    after_sync_of_copy(directory.file());
    store = opened(directory.url());
    for (int moment = 0; moment < 4; ++moment) {
        BOOST_TEST_INFO_SCOPE("moment " << moment);
        require_commits(3, 800 + static_cast<std::size_t>(moment));
        const std::lock_guard lock{copying};  // the copy may end, but no commit begins the log anew meanwhile
        check_after_power_loss(safe.file());
    }
    BOOST_TEST(file_size() > Limits::enough_pages * page);
    close();
}

BOOST_AUTO_TEST_CASE(a_copy_that_fails_fails_no_commit_and_is_tried_again) {
    store = opened(directory.url());
    const std::size_t at_first = writes_to_copy;
    copy_fails_to_write = true;
    make_a_long_log();
    require_commits(20, 50);
    BOOST_TEST(writes_to_copy.load() == at_first);
    copy_fails_to_write = false;
    BOOST_TEST(eventually([&] {
        require_commits(1, 20);
        return writes_to_copy > at_first + Limits::enough_pages;
    }));
    BOOST_TEST(log_size() < Limits::enough_pages * (2 * frame));
    reopen();
    check_whole(*store);
}

BOOST_AUTO_TEST_CASE(a_copy_that_failed_is_tried_again_when_nobody_commits) {
    store = opened(directory.url());
    const std::size_t at_first = writes_to_copy;
    copy_fails_to_write = true;
    make_a_long_log();
    copy_fails_to_write = false;
    BOOST_TEST(eventually([&] {
        store->maintain();
        return writes_to_copy > at_first + Limits::enough_pages;
    }));
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_copied_takes_commits_up_to_its_bound_and_again_once_it_can) {
    store = opened(directory.url());
    copy_fails_to_write = true;
    tl::expected<void, StoreError> done;
    while (last < 1000 && (done = commit(500))) {
    }
    BOOST_REQUIRE(!done);
    BOOST_TEST((done.error().kind == Kind::read_only));
    BOOST_TEST(done.error().message.find(directory.file().string()) != std::string::npos);
    BOOST_TEST(log_size() >= Limits::most_pages * frame);
    BOOST_TEST(log_size() < (Limits::most_pages + 1000) * frame);
    check_whole(*store);
    BOOST_TEST(!commit(1));

    copy_fails_to_write = false;
    require_commits(10, 1);
    reopen();
    check_whole(*store);
}

BOOST_AUTO_TEST_CASE(after_a_sync_of_the_file_failed_nothing_more_is_taken_and_nothing_is_lost) {
    const tests::TemporaryDirectory before;
    store = opened(directory.url());
    require_commits(1, 1);
    reopen();
    std::filesystem::copy_file(directory.file(), before.file());  // what was synced
    copy_fails_to_sync = true;
    tl::expected<void, StoreError> done;
    BOOST_TEST(eventually([&] { return !(done = commit(100)); }));
    BOOST_REQUIRE(!done);
    BOOST_TEST((done.error().kind == Kind::unavailable));
    BOOST_TEST(done.error().message.find("restart") != std::string::npos);
    copy_fails_to_sync = false;
    store->maintain();
    BOOST_TEST(!commit(1));
    check_whole(*store);
    check_after_power_loss(before.file());

    store.reset();
    BOOST_TEST(log_size() >= Limits::enough_pages * frame);
    check_after_power_loss(before.file());
    store = opened(directory.url());
    check_whole(*store);
    require_commits(1, 1);
}

BOOST_AUTO_TEST_CASE(a_process_that_is_killed_in_the_middle_of_a_copy_leaves_the_store_whole) {
    for (const bool is_synced : {false, true}) {
        BOOST_TEST_INFO_SCOPE("synced " << is_synced);
        const tests::TemporaryDirectory other;
        const auto code = in_child([&] {
            auto made = Store::open(other.url());
            if (!made) return 1;
            const auto die = [](const std::string&) { ::kill(::getpid(), SIGKILL); };
            (is_synced ? after_sync_of_copy : before_sync_of_copy) = die;
            for (policy::WindowId id = 1; id < 1000; ++id) {
                auto commit = tests::sample_commit(id);
                commit.records.front().justification = std::string(100 * page, 'x');
                if (!(*made)->commit(commit)) return 2;
            }
            return 3;
        });
        BOOST_TEST(code == 128 + SIGKILL);
        const auto found = opened(other.url());
        const auto snapshot = found->load(captures::base::Time::min());
        BOOST_REQUIRE(snapshot.has_value());
        BOOST_TEST(snapshot->last_id >= Limits::enough_pages / 110U);
        BOOST_TEST(snapshot->records.size() == snapshot->last_id);
        last = snapshot->last_id;
        check_whole(*found);
    }
}

BOOST_AUTO_TEST_SUITE_END()
