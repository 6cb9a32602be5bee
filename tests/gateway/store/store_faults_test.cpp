// A store whose file, disk or neighbour fails it: refused with a reason, nothing half done, usable afterwards.

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "gateway/store/schema.hpp"
#include "gateway/store/store.hpp"
#include "tests/support/skips.hpp"
#include "tests/support/store_files.hpp"

namespace store_faults_test {

using gateway::store::Commit;
using gateway::store::Store;
using gateway::store::StoreError;
using tests::in_child;
using tests::sample_commit;

using Kind = StoreError::Kind;

/// Exit code of a child that could not make what it needs.
constexpr int cannot = 77;

std::unique_ptr<Store> open(const std::string& url) {
    auto opened = Store::open(url);
    BOOST_REQUIRE_MESSAGE(opened.has_value(), tests::message_of(opened));
    return std::move(*opened);
}

/// A store of some pages, closed: 50 records, each with its event.
void fill(const std::string& url) {
    const auto store = open(url);
    auto commit = sample_commit(1);
    for (policy::WindowId id = 2; id <= 50; ++id) {
        commit.records.push_back(tests::sample_record(id));
        commit.events.push_back(tests::sample_event(id));
    }
    const auto done = store->commit(commit);
    BOOST_REQUIRE_MESSAGE(done.has_value(), tests::message_of(done));
}

void check_refused(const tests::TemporaryDirectory& directory, Kind kind) {
    const auto refused = Store::open(directory.url());
    BOOST_REQUIRE(!refused);
    BOOST_TEST_INFO_SCOPE(refused.error().message);
    BOOST_TEST((refused.error().kind == kind));
    BOOST_TEST(refused.error().message.find(directory.file().string()) != std::string::npos);
}

void overwrite(const std::filesystem::path& file, std::streamoff at, const std::string& bytes) {
    std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
    stream.seekp(at);
    stream << bytes;
    BOOST_REQUIRE(stream.good());
}

/// A commit that needs `pages` pages of 4 KiB.
Commit large_commit(policy::WindowId id, std::size_t pages) {
    auto commit = sample_commit(id);
    commit.records.front().justification = std::string(pages * 4096, 'x');
    return commit;
}

/// All that a store has, in short: to see that nothing has changed.
std::string contents(Store& store) {
    const auto snapshot = store.load(captures::base::Time::min());
    const auto events = store.events({});
    if (!snapshot || !events) return "cannot be read";
    return std::to_string(snapshot->records.size()) + ' ' + std::to_string(snapshot->last_id) + ' ' +
           std::to_string(snapshot->policies.size()) + ' ' + std::to_string(snapshot->mapped_ports.size()) + ' ' +
           std::to_string(snapshot->requests.size()) + ' ' + std::to_string(events->size()) + ' ' +
           std::to_string(store.head().sequence) + ' ' + store.head().hash +
           (policy::first_break(*events, 1, policy::first_hash()) ? " broken" : "");
}

/// A mount namespace of this process's own, where nothing that is mounted is seen outside.
bool own_mounts() {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool skipped(int code, const char* need) {
    if (code != cannot) return false;
    support::tell_skipped(std::string{"needs "} + need);
    return true;
}

/// Commits ever more until it is refused, makes room, and goes on. 0, or the number of what was not so.
int fill_the_disk(const std::string& url, const std::function<void()>& make_room) {
    auto opened = Store::open(url);
    if (!opened) return 1;
    auto& store = **opened;
    policy::WindowId id = 1;
    tl::expected<void, StoreError> done;
    std::string before;
    for (; id < 1000; ++id) {
        before = contents(store);
        auto commit = large_commit(id, 16);
        const auto given = commit.events;
        done = store.commit(commit);
        if (!done && commit.events != given) return 2;
        if (!done) break;
    }
    if (done) return 3;
    if (done.error().kind != Kind::full) return 4;
    if (done.error().message.find("portcullis.db") == std::string::npos) return 5;
    if (contents(store) != before) return 6;
    // Again, larger than SQLite's cache, so that it spills before the end.
    auto larger = large_commit(id, 4096);
    if (store.commit(larger)) return 7;
    if (contents(store) != before) return 8;
    make_room();
    auto commit = sample_commit(id);
    if (!store.commit(commit)) return 9;
    const auto after = contents(store);
    if (after == before || after.ends_with("broken")) return 10;
    opened->reset();
    opened = Store::open(url);
    if (!opened) return 11;
    return contents(**opened) == after ? 0 : 12;
}

struct Fixture {
    tests::TemporaryDirectory directory;
};

}  // namespace store_faults_test

BOOST_FIXTURE_TEST_SUITE(store_faults_test, Fixture)

BOOST_AUTO_TEST_CASE(a_refused_commit_leaves_no_trace_and_succeeds_once_its_file_is_back) {
    const auto store = open(directory.url());
    auto first = sample_commit(1);
    BOOST_REQUIRE(store->commit(first).has_value());
    const auto before = contents(*store);

    const auto moved = directory.path() / "moved.db";
    std::filesystem::rename(directory.file(), moved);
    auto second = sample_commit(2);
    const auto given = second.events;
    const auto refused = store->commit(second);
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().kind == Kind::unavailable));
    BOOST_TEST((second.events == given));
    BOOST_TEST(contents(*store) == before);

    std::filesystem::rename(moved, directory.file());
    const auto done = store->commit(second);
    BOOST_TEST(done.has_value(), tests::message_of(done));
    BOOST_TEST(second.events.front().sequence == 2U);
}

BOOST_AUTO_TEST_CASE(a_commit_that_fails_at_its_last_row_leaves_no_trace) {
    fill(directory.url());
    soci::session{soci::sqlite3, "db=" + directory.file().string()}
        << "create trigger refuses before insert on events when new.detail = 'refuse me' "
           "begin select raise(abort, 'as asked'); end";
    const auto store = open(directory.url());
    const auto before = contents(*store);
    auto refused = sample_commit(51);
    refused.events.push_back(tests::sample_event(0));
    refused.events.back().detail = "refuse me";
    const auto given = refused.events;
    const auto done = store->commit(refused);
    BOOST_REQUIRE(!done);
    BOOST_TEST((done.error().kind == Kind::unavailable));
    BOOST_TEST(done.error().message.find("as asked") != std::string::npos);
    BOOST_TEST((refused.events == given));
    BOOST_TEST(contents(*store) == before);

    refused.events.pop_back();
    const auto again = store->commit(refused);
    BOOST_TEST(again.has_value(), tests::message_of(again));
    BOOST_TEST(refused.events.front().sequence == 51U);
}

BOOST_AUTO_TEST_CASE(a_second_store_in_the_process_is_refused_and_the_first_keeps_its_lock) {
    auto store = open(directory.url());
    check_refused(directory, Kind::in_use);
    check_refused(directory, Kind::in_use);
    BOOST_TEST(in_child([&] { return Store::open(directory.url()) ? 0 : 1; }) == 1);
    store.reset();
    open(directory.url());
}

BOOST_AUTO_TEST_CASE(another_program_can_neither_read_nor_write_the_file) {
    fill(directory.url());
    for (const auto* const statement : {"select count(*) from events", "delete from events"}) {
        BOOST_TEST_INFO_SCOPE(statement);
        std::array<int, 2> opened{};
        BOOST_REQUIRE(::pipe(opened.data()) == 0);
        const auto other = ::fork();  // before SQLite has the file open: what it knows of its locks would be inherited
        BOOST_REQUIRE(other >= 0);
        if (other == 0) {
            char ready = 0;
            if (::read(opened[0], &ready, 1) != 1) ::_exit(cannot);
            try {
                soci::session{soci::sqlite3, "db=" + directory.file().string()} << statement;
            } catch (const soci::sqlite3_soci_error& error) {
                ::_exit(error.result() == SQLITE_BUSY ? 0 : 1);
            }
            ::_exit(2);
        }
        const auto store = open(directory.url());
        BOOST_REQUIRE(::write(opened[1], "y", 1) == 1);
        int status = 0;
        ::waitpid(other, &status, 0);
        BOOST_TEST(WIFEXITED(status));
        BOOST_TEST(WEXITSTATUS(status) == 0);
        BOOST_TEST(store->head().sequence == 50U);
        ::close(opened[0]);
        ::close(opened[1]);
    }
}

BOOST_AUTO_TEST_CASE(a_second_process_is_refused_until_the_first_was_killed) {
    fill(directory.url());
    std::array<int, 2> ready{};
    BOOST_REQUIRE(::pipe(ready.data()) == 0);
    const auto holder = ::fork();
    BOOST_REQUIRE(holder >= 0);
    if (holder == 0) {
        const auto store = Store::open(directory.url());
        if (::write(ready[1], store ? "y" : "n", 1) == 1) ::pause();
        ::_exit(0);
    }
    char answer = 0;
    BOOST_REQUIRE(::read(ready[0], &answer, 1) == 1);
    BOOST_TEST(answer == 'y');
    check_refused(directory, Kind::in_use);
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
    BOOST_TEST(open(directory.url())->head().sequence == 50U);
    ::close(ready[0]);
    ::close(ready[1]);
}

BOOST_AUTO_TEST_CASE(a_full_file_system_is_told_and_room_makes_it_work_again) {
    const int code = in_child([&] {
        if (!own_mounts()) return cannot;
        if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=2m") != 0) return cannot;
        return fill_the_disk(directory.url(),
                             [&] { ::mount("tmpfs", directory.path().c_str(), "tmpfs", MS_REMOUNT, "size=64m"); });
    });
    if (!skipped(code, "the right to mount")) BOOST_TEST(code == 0);
}

BOOST_AUTO_TEST_CASE(a_file_at_its_limit_is_told_as_a_full_disk) {
    const int code = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        rlimit limit{};
        ::getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = 1U << 20U;
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return cannot;
        return fill_the_disk(directory.url(), [&] {
            limit.rlim_cur = limit.rlim_max;
            ::setrlimit(RLIMIT_FSIZE, &limit);
        });
    });
    if (!skipped(code, "RLIMIT_FSIZE")) BOOST_TEST(code == 0);
}

BOOST_AUTO_TEST_CASE(a_full_file_system_takes_no_new_store) {
    const int code = in_child([&] {
        if (!own_mounts()) return cannot;
        if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=16k") != 0) return cannot;
        const auto refused = Store::open(directory.url());
        return !refused && refused.error().kind == Kind::full ? 0 : 1;
    });
    if (!skipped(code, "the right to mount")) BOOST_TEST(code == 0);
}

BOOST_AUTO_TEST_CASE(a_read_only_file_system_is_told) {
    fill(directory.url());
    const int code = in_child([&] {
        const auto* path = directory.path().c_str();
        if (!own_mounts() || ::mount(path, path, nullptr, MS_BIND, nullptr) != 0) return cannot;
        if (::mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0) return cannot;
        const auto refused = Store::open(directory.url());
        if (refused || refused.error().kind != Kind::read_only) return 1;
        const auto new_one = Store::open("sqlite:" + (directory.path() / "new.db").string());
        return !new_one && new_one.error().kind == Kind::read_only ? 0 : 2;
    });
    if (!skipped(code, "the right to mount")) BOOST_TEST(code == 0);
}

BOOST_AUTO_TEST_CASE(a_file_without_the_right_to_write_is_told) {
    fill(directory.url());
    std::filesystem::permissions(directory.path(), std::filesystem::perms{0777});
    std::filesystem::permissions(directory.file(), std::filesystem::perms{0444});
    const int code = in_child([&] {
        if (::geteuid() == 0 && ::setuid(65534) != 0) return cannot;  // root may write all
        const auto refused = Store::open(directory.url());
        return !refused && refused.error().kind == Kind::read_only ? 0 : 1;
    });
    if (!skipped(code, "another user")) BOOST_TEST(code == 0);
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_not_there_is_told) {
    const auto refused = Store::open("sqlite:" + (directory.path() / "none" / "portcullis.db").string());
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().kind == Kind::unavailable));
    BOOST_TEST(refused.error().message.find("directory does not exist") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_file_is_told) {
    std::filesystem::create_directory(directory.file());
    check_refused(directory, Kind::unavailable);
}

BOOST_AUTO_TEST_CASE(no_commit_is_acknowledged_into_a_file_that_was_removed) {
    for (const auto* suffix : {"", "-wal"}) {
        BOOST_TEST_INFO_SCOPE(suffix);
        const tests::TemporaryDirectory other;
        const auto store = open(other.url());
        std::filesystem::remove(other.file().string() + suffix);
        auto commit = sample_commit(1);
        const auto refused = store->commit(commit);
        BOOST_REQUIRE(!refused);
        BOOST_TEST((refused.error().kind == Kind::unavailable));
        BOOST_TEST(refused.error().message.find("removed or replaced") != std::string::npos);
        BOOST_TEST(store->head().sequence == 0U);
    }
}

BOOST_AUTO_TEST_CASE(no_commit_is_acknowledged_into_a_directory_that_was_removed) {
    const auto store = open(directory.url());
    std::filesystem::remove_all(directory.path());
    auto commit = sample_commit(1);
    BOOST_TEST(!store->commit(commit));
    std::filesystem::create_directory(directory.path());
    std::ofstream{directory.file()} << "another file";
    BOOST_TEST(!store->commit(commit));
    BOOST_TEST(store->events({}).has_value());
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_refused) {
    struct Row {
        const char* what;
        std::function<void(const std::filesystem::path&)> damage;
        bool refused = true;
    };
    for (const auto& row : {
             Row{"as it was", [](const auto& /*file*/) {}, false},
             Row{"no header", [](const auto& file) { overwrite(file, 0, "not a database at all"); }},
             Row{"text",
                 [](const auto& file) { std::ofstream{file} << "hello, I am a text file, and a rather long one"; }},
             Row{"cut off", [](const auto& file) { std::filesystem::resize_file(file, 4096 * 3); }},
             Row{"a page in the middle",
                 [](const auto& file) { overwrite(file, 4096 * 4, std::string(4096, '\xa5')); }},
             Row{"the last page",
                 [](const auto& file) {
                     overwrite(file, (tests::pages_of(file) - 1) * 4096, std::string(4096, '\0'));
                 }},
             Row{"another program's number", [](const auto& file) { overwrite(file, 68, "Mine"); }},
         }) {
        BOOST_TEST_INFO_SCOPE(row.what);
        const tests::TemporaryDirectory other;
        fill(other.url());
        row.damage(other.file());
        if (row.refused) {
            check_refused(other, Kind::damaged);
        } else {
            open(other.url());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_file_of_a_newer_schema_is_refused_and_stays_as_it_is) {
    fill(directory.url());
    const auto version = static_cast<char>(gateway::store::schema().size());
    overwrite(directory.file(), 60, std::string{"\0\0\0\x63", 4});  // SQLite's user_version
    check_refused(directory, Kind::too_new);
    overwrite(directory.file(), 60, std::string{'\0', '\0', '\0', version});
    BOOST_TEST(open(directory.url())->head().sequence == 50U);
}

BOOST_AUTO_TEST_SUITE_END()
