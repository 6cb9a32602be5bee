#include "gateway/store/schema.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "gateway/store/fault.hpp"
#include "gateway/store/store.hpp"
#include "tests/support/store_files.hpp"

namespace store_schema_test {

using gateway::store::Fault;
using gateway::store::migrate;
using gateway::store::Migration;
using gateway::store::Store;
using gateway::store::StoreError;

constexpr auto first = std::to_array<const char*>({"create table people (name text not null)"});
constexpr auto second = std::to_array<const char*>({
    "alter table people add column age integer not null default 0",
    "update people set age = 42",
});
constexpr auto broken = std::to_array<const char*>({"delete from people", "no sql"});

struct Fixture {
    tests::TemporaryDirectory directory;
    soci::session session{soci::sqlite3, "db=" + directory.file().string()};

    [[nodiscard]] long long number(const std::string& query) {
        long long value = 0;
        session << query, soci::into(value);
        return value;
    }

    void make_version_1() {
        migrate(session, std::array<Migration, 1>{first});
        session << "insert into people values ('Anna')";
    }
};

auto of_kind(StoreError::Kind kind) {
    return [kind](const Fault& fault) { return fault.kind() == kind; };
}

}  // namespace store_schema_test

BOOST_FIXTURE_TEST_SUITE(store_schema_test, Fixture)

BOOST_AUTO_TEST_CASE(an_empty_file_becomes_the_newest_version) {
    migrate(session, std::array<Migration, 2>{first, second});
    BOOST_TEST(number("pragma user_version") == 2);
    BOOST_TEST(number("select count(age) from people") == 0);
}

BOOST_AUTO_TEST_CASE(an_older_file_takes_the_steps_that_it_lacks_and_keeps_its_rows) {
    make_version_1();
    migrate(session, std::array<Migration, 2>{first, second});
    BOOST_TEST(number("pragma user_version") == 2);
    BOOST_TEST(number("select age from people where name = 'Anna'") == 42);
}

BOOST_AUTO_TEST_CASE(a_file_of_this_version_stays_as_it_is) {
    make_version_1();
    make_version_1();
    BOOST_TEST(number("select count(*) from people") == 2);
}

BOOST_AUTO_TEST_CASE(a_step_that_fails_leaves_the_version_before_it) {
    make_version_1();
    BOOST_CHECK_THROW(migrate(session, std::array<Migration, 3>{first, second, broken}), soci::soci_error);
    BOOST_TEST(number("pragma user_version") == 2);
    BOOST_TEST(number("select age from people where name = 'Anna'") == 42);
    migrate(session, std::array<Migration, 2>{first, second});
}

BOOST_AUTO_TEST_CASE(a_newer_file_is_refused_and_stays_as_it_is) {
    migrate(session, std::array<Migration, 2>{first, second});
    BOOST_CHECK_EXCEPTION(migrate(session, std::array<Migration, 1>{first}), Fault, of_kind(StoreError::Kind::too_new));
    BOOST_TEST(number("pragma user_version") == 2);
}

BOOST_AUTO_TEST_CASE(another_program_s_file_is_refused) {
    session << "create table things (name text)";
    BOOST_CHECK_EXCEPTION(migrate(session, gateway::store::schema()), Fault, of_kind(StoreError::Kind::damaged));
    session << "pragma user_version = 1";
    BOOST_CHECK_EXCEPTION(migrate(session, gateway::store::schema()), Fault, of_kind(StoreError::Kind::damaged));
    BOOST_TEST(number("select count(*) from sqlite_master") == 1);
}

BOOST_AUTO_TEST_CASE(a_store_of_version_1_keeps_what_it_has) {
    migrate(session, gateway::store::schema().first(1));
    session << "insert into requests values ('r1', 'bob/client-1', 5000), ('r0', '', 1)";
    session
        << "insert into records values (7, 'r1', 'bob', 'web01', 'default', 'patches', 22, '', '198.51.100.7/32', 5000,"
           " 9000, 'keep', 'Initiated', 'UserRequested', '')";
    session.close();
    const auto store = Store::open("sqlite:" + directory.file().string());
    BOOST_REQUIRE(store.has_value());
    const auto snapshot = (*store)->load(captures::base::Time{captures::base::Duration{2}});
    BOOST_REQUIRE(snapshot.has_value());
    BOOST_REQUIRE_EQUAL(snapshot->requests.size(), 1);
    BOOST_TEST(snapshot->requests.front().client_key == "bob/client-1");
    BOOST_REQUIRE_EQUAL(snapshot->records.size(), 1);
    BOOST_TEST(snapshot->records.front().request == "r1");
    BOOST_TEST(snapshot->last_id == 7);
}

BOOST_AUTO_TEST_SUITE_END()
