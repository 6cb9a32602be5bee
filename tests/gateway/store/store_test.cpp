#include "gateway/store/store.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/store_files.hpp"

namespace store_test {

using gateway::store::Commit;
using gateway::store::EventFilter;
using gateway::store::Store;
using gateway::store::StoreError;
using tests::at_second;
using tests::sample_event;
using tests::sample_record;

struct Fixture {
    tests::TemporaryDirectory directory;
    std::unique_ptr<Store> store = open();

    [[nodiscard]] std::unique_ptr<Store> open() const {
        auto opened = Store::open(directory.url());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), tests::message_of(opened));
        return std::move(*opened);
    }

    void reopen() {
        store.reset();
        store = open();
    }

    void commit(Commit commit) const {
        const auto done = store->commit(commit);
        BOOST_REQUIRE_MESSAGE(done.has_value(), tests::message_of(done));
    }

    [[nodiscard]] gateway::store::Snapshot load(captures::base::Time since = captures::base::Time::min()) const {
        auto snapshot = store->load(since);
        BOOST_REQUIRE_MESSAGE(snapshot.has_value(), tests::message_of(snapshot));
        return std::move(*snapshot);
    }

    [[nodiscard]] std::vector<policy::AuditEvent> events(const EventFilter& filter = {}) const {
        auto events = store->events(filter);
        BOOST_REQUIRE_MESSAGE(events.has_value(), tests::message_of(events));
        return std::move(*events);
    }

    [[nodiscard]] std::vector<std::uint64_t> sequences(const EventFilter& filter) const {
        std::vector<std::uint64_t> numbers;
        for (const auto& event : events(filter)) numbers.push_back(event.sequence);
        return numbers;
    }
};

Commit of_records(std::vector<policy::AccessRecord> records) {
    Commit commit;
    commit.records = std::move(records);
    return commit;
}

void check_equal(const policy::AccessRecord& found, const policy::AccessRecord& expected) {
    BOOST_TEST(found.id == expected.id);
    BOOST_TEST(found.request == expected.request);
    BOOST_TEST(found.requestor == expected.requestor);
    BOOST_TEST(found.machine == expected.machine);
    BOOST_TEST(found.policy == expected.policy);
    BOOST_TEST(found.justification == expected.justification);
    BOOST_TEST(found.port == expected.port);
    BOOST_TEST((found.protocol == expected.protocol));
    BOOST_TEST((found.sources == expected.sources));
    BOOST_TEST((found.start == expected.start));
    BOOST_TEST((found.end == expected.end));
    BOOST_TEST((found.on_expiry == expected.on_expiry));
    BOOST_TEST((found.status == expected.status));
    BOOST_TEST((found.status_reason == expected.status_reason));
    BOOST_TEST((found.listener == expected.listener));
}

void check_equal(const policy::JitPort& found, const policy::JitPort& expected) {
    BOOST_TEST(found.number == expected.number);
    BOOST_TEST((found.protocol == expected.protocol));
    BOOST_TEST((found.allowed_sources == expected.allowed_sources));
    BOOST_TEST((found.max_duration == expected.max_duration));
}

void check_equal(const policy::JitPolicy& found, const policy::JitPolicy& expected) {
    BOOST_TEST(found.name == expected.name);
    BOOST_TEST((found.on_expiry == expected.on_expiry));
    BOOST_TEST(found.justification_required == expected.justification_required);
    BOOST_REQUIRE(found.machines.size() == expected.machines.size());
    for (std::size_t at = 0; at < found.machines.size(); ++at) {
        BOOST_TEST(found.machines[at].name == expected.machines[at].name);
        BOOST_REQUIRE(found.machines[at].ports.size() == expected.machines[at].ports.size());
        for (std::size_t port = 0; port < found.machines[at].ports.size(); ++port) {
            check_equal(found.machines[at].ports[port], expected.machines[at].ports[port]);
        }
    }
}

}  // namespace store_test

BOOST_FIXTURE_TEST_SUITE(store_test, Fixture)

BOOST_AUTO_TEST_CASE(a_new_store_is_empty_and_for_its_owner_only) {
    const auto snapshot = load();
    BOOST_TEST(snapshot.records.empty());
    BOOST_TEST(snapshot.last_id == 0U);
    BOOST_TEST(snapshot.policies.empty());
    BOOST_TEST(snapshot.mapped_ports.empty());
    BOOST_TEST(snapshot.requests.empty());
    BOOST_TEST(events().empty());
    BOOST_TEST(store->head().sequence == 0U);
    BOOST_TEST(store->head().hash == policy::first_hash());
    for (const auto& entry : std::filesystem::directory_iterator{directory.path()}) {
        BOOST_TEST_INFO_SCOPE(entry.path());
        BOOST_TEST((entry.status().permissions() == std::filesystem::perms{0600}));
    }
}

BOOST_AUTO_TEST_CASE(records_come_back_as_they_went_in) {
    auto first = sample_record(7);
    auto second = sample_record(std::numeric_limits<std::int64_t>::max());
    second.port = 65535;
    second.protocol = captures::base::Protocol::udp;
    second.sources.clear();
    second.start = captures::base::Time::min();
    second.end = captures::base::Time::max();
    second.on_expiry = policy::OnExpiry::keep;
    second.status = policy::Status::initiating;
    second.status_reason = policy::StatusReason::user_requested;
    second.listener.reset();
    auto third = sample_record(8);
    third.protocol.reset();
    third.request.clear();
    third.status = policy::Status::revoked;
    third.status_reason = policy::StatusReason::newer_request_initiated;
    commit(of_records({second, first, third}));
    reopen();
    const auto snapshot = load();
    BOOST_REQUIRE(snapshot.records.size() == 3U);
    check_equal(snapshot.records[0], first);
    check_equal(snapshot.records[1], third);
    check_equal(snapshot.records[2], second);
    BOOST_TEST(snapshot.last_id == second.id);
}

BOOST_AUTO_TEST_CASE(a_record_replaces_the_one_of_its_id_in_every_field_but_its_request) {
    commit(of_records({sample_record(1), sample_record(2)}));
    policy::AccessRecord changed;
    changed.id = 1;
    changed.request = sample_record(1).request;
    commit(of_records({changed}));
    const auto snapshot = load();
    BOOST_REQUIRE(snapshot.records.size() == 2U);
    check_equal(snapshot.records[0], changed);
    check_equal(snapshot.records[1], sample_record(2));
}

BOOST_AUTO_TEST_CASE(a_snapshot_has_records_that_are_open_or_ended_after_its_time) {
    auto initiating = sample_record(1);
    initiating.status = policy::Status::initiating;
    auto open = sample_record(2);
    open.end = at_second(-9);  // not yet closed: its process was down
    auto ended_before = sample_record(3);
    ended_before.status = policy::Status::revoked;
    ended_before.end = at_second(10);
    auto ended_after = sample_record(4);
    ended_after.status = policy::Status::revoked;
    ended_after.end = at_second(10) + captures::base::Duration{1};
    auto last = ended_before;
    last.id = 9;
    commit(of_records({ended_after, last, open, initiating, ended_before}));
    const auto snapshot = load(at_second(10));
    std::vector<policy::WindowId> ids;
    for (const auto& record : snapshot.records) ids.push_back(record.id);
    BOOST_TEST(ids == (std::vector<policy::WindowId>{1, 2, 4}), boost::test_tools::per_element());
    BOOST_TEST(snapshot.last_id == 9U);
}

BOOST_AUTO_TEST_CASE(policies_come_back_as_they_went_in) {
    policy::JitPolicy full;
    full.name = "Default";
    full.on_expiry = policy::OnExpiry::cut;
    full.justification_required = true;
    full.machines.push_back(
        {.name = "WEB01 \"\\\x01\xc3\xbc",
         .ports = {{.number = 22,
                    .protocol = captures::base::Protocol::tcp,
                    .allowed_sources = {captures::base::Prefix::parse("10.0.0.0/8").value(),
                                        captures::base::Prefix::parse("198.51.100.7").value()},
                    .max_duration = policy::longest_window - captures::base::Duration{1}},
                   {.number = 65535,
                    .protocol = {},
                    .allowed_sources = {captures::base::Prefix::parse("*").value()},
                    .max_duration = policy::shortest_window},
                   {.number = 0, .protocol = captures::base::Protocol::udp, .allowed_sources = {}}}});
    full.machines.push_back({.name = "db01", .ports = {}});
    policy::JitPolicy deleted;
    deleted.name = "old";
    commit({.records = {},
            .policies = {{.policy = deleted, .deleted = true, .changed = at_second(2), .by = "bob"},
                         {.policy = full, .deleted = false, .changed = at_second(1), .by = "anna"}},
            .mapped_ports = {},
            .requests = {},
            .events = {}});
    reopen();
    const auto policies = load().policies;
    BOOST_REQUIRE(policies.size() == 2U);
    check_equal(policies[0].policy, full);
    BOOST_TEST(!policies[0].deleted);
    BOOST_TEST((policies[0].changed == at_second(1)));
    BOOST_TEST(policies[0].by == "anna");
    check_equal(policies[1].policy, deleted);
    BOOST_TEST(policies[1].deleted);
    BOOST_TEST(policies[1].by == "bob");
}

BOOST_AUTO_TEST_CASE(a_policy_replaces_the_one_of_its_name_whatever_the_case) {
    const auto of_name = [](const char* name, bool deleted) {
        policy::JitPolicy policy;
        policy.name = name;
        return Commit{.records = {},
                      .policies = {{.policy = policy, .deleted = deleted, .changed = at_second(0), .by = name}},
                      .mapped_ports = {},
                      .requests = {},
                      .events = {}};
    };
    commit(of_name("default", false));
    commit(of_name("DEFAULT", true));
    const auto policies = load().policies;
    BOOST_REQUIRE(policies.size() == 1U);
    BOOST_TEST(policies[0].policy.name == "DEFAULT");
    BOOST_TEST(policies[0].deleted);
}

BOOST_AUTO_TEST_CASE(mapped_ports_come_back_and_the_later_one_counts) {
    const auto mapped = [](const char* machine, std::uint16_t port, const char* listener) {
        return policy::MappedPort{
            .machine = machine, .port = port, .listener = captures::base::Endpoint::parse(listener).value()};
    };
    commit({.records = {},
            .policies = {},
            .mapped_ports = {mapped("web01", 3389, "203.0.113.10:50001"), mapped("web01", 22, "203.0.113.10:50000"),
                             mapped("db01", 22, "203.0.113.10:50002")},
            .requests = {},
            .events = {}});
    commit({.records = {},
            .policies = {},
            .mapped_ports = {mapped("WEB01", 22, "203.0.113.11:59999")},
            .requests = {},
            .events = {}});
    reopen();
    const auto found = load().mapped_ports;
    const std::vector expected = {mapped("db01", 22, "203.0.113.10:50002"), mapped("WEB01", 22, "203.0.113.11:59999"),
                                  mapped("web01", 3389, "203.0.113.10:50001")};
    BOOST_TEST((found == expected));
}

BOOST_AUTO_TEST_CASE(requests_come_back_from_the_time_on_in_its_order) {
    commit({.records = {},
            .policies = {},
            .mapped_ports = {},
            .requests = {{.id = "c", .client_key = "k", .time = at_second(12)},
                         {.id = "b", .client_key = "", .time = at_second(10)},
                         {.id = "a", .client_key = "x", .time = at_second(9)}},
            .events = {}});
    reopen();
    const auto requests = load(at_second(10)).requests;
    BOOST_REQUIRE(requests.size() == 2U);
    BOOST_TEST(requests[0].id == "b");
    BOOST_TEST(requests[0].client_key.empty());
    BOOST_TEST((requests[0].time == at_second(10)));
    BOOST_TEST(requests[1].id == "c");
    BOOST_TEST(requests[1].client_key == "k");
}

BOOST_AUTO_TEST_CASE(events_are_numbered_chained_and_come_back_as_they_went_in) {
    Commit two;
    two.events = {sample_event(1), sample_event(2, "", "")};
    two.events[0].sequence = 99;  // filled in, whatever is there
    two.events[0].hash = "x";
    BOOST_REQUIRE(store->commit(two).has_value());
    BOOST_TEST(two.events[0].sequence == 1U);
    BOOST_TEST(two.events[1].sequence == 2U);
    BOOST_TEST(store->head().sequence == 2U);
    BOOST_TEST(store->head().hash == two.events[1].hash);
    reopen();
    BOOST_TEST(store->head().sequence == 2U);
    BOOST_TEST(store->head().hash == two.events[1].hash);
    Commit third;
    third.events = {sample_event(3)};
    BOOST_REQUIRE(store->commit(third).has_value());
    const auto found = events();
    BOOST_TEST((found == std::vector{two.events[0], two.events[1], third.events[0]}));
    BOOST_TEST(!policy::first_break(found, 1, policy::first_hash()));
}

BOOST_AUTO_TEST_CASE(a_text_with_a_nul_or_that_is_no_utf8_is_refused_whole) {
    for (const auto& text :
         {std::string{"nul \0 in it", 11}, std::string{"no \xff UTF-8"}, std::string{"\xed\xa0\x80"}}) {
        Commit with_event;
        with_event.records = {sample_record(1)};
        with_event.events = {sample_event(1)};
        with_event.events.front().detail = text;
        auto with_record = of_records({sample_record(1)});
        with_record.records.front().justification = text;
        for (auto* const one : {&with_event, &with_record}) {
            const auto refused = store->commit(*one);
            BOOST_REQUIRE(!refused);
            BOOST_TEST((refused.error().kind == StoreError::Kind::malformed));
        }
    }
    BOOST_TEST(load().records.empty());
    BOOST_TEST(events().empty());
}

BOOST_AUTO_TEST_CASE(an_empty_commit_succeeds) {
    commit({});
    BOOST_TEST(store->head().sequence == 0U);
}

BOOST_AUTO_TEST_CASE(events_are_filtered_by_every_field) {
    Commit six;
    six.events = {sample_event(10, "web01", "anna"), sample_event(20, "db01", "Bob"),
                  sample_event(30, "WEB01", "bob"),  sample_event(25, "web01", "anna"),  // the clock was put back
                  sample_event(40, "", "bob"),       sample_event(50, "web01", "")};
    commit(six);
    using Sequences = std::vector<std::uint64_t>;
    struct Row {
        const char* what;
        EventFilter wanted;
        Sequences expected;
    };
    const auto filter = [](auto change) {
        EventFilter wanted;
        change(wanted);
        return wanted;
    };
    for (const auto& row : {
             Row{"all", {}, {1, 2, 3, 4, 5, 6}},
             Row{"newest first", filter([](auto& f) { f.newest_first = true; }), {6, 5, 4, 3, 2, 1}},
             Row{"limit", filter([](auto& f) { f.limit = 2; }), {1, 2}},
             Row{"none", filter([](auto& f) { f.limit = 0; }), {}},
             Row{"no limit",
                 filter([](auto& f) { f.limit = std::numeric_limits<std::size_t>::max(); }),
                 {1, 2, 3, 4, 5, 6}},
             Row{"machine", filter([](auto& f) { f.machine = "Web01"; }), {1, 3, 4, 6}},
             Row{"machine, newest",
                 filter([](auto& f) { f.machine = "web01", f.newest_first = true, f.limit = 2; }),
                 {6, 4}},
             Row{"caller", filter([](auto& f) { f.caller = "BOB"; }), {2, 3, 5}},
             Row{"both", filter([](auto& f) { f.caller = "bob", f.machine = "web01"; }), {3}},
             Row{"no pattern", filter([](auto& f) { f.machine = "web%"; }), {}},
             Row{"no injection", filter([](auto& f) { f.caller = "x' or '1' = '1"; }), {}},
             Row{"from", filter([](auto& f) { f.from = at_second(25); }), {3, 4, 5, 6}},
             Row{"to", filter([](auto& f) { f.to = at_second(25); }), {1, 2}},
             Row{"from, to", filter([](auto& f) { f.from = at_second(20), f.to = at_second(30); }), {2, 4}},
             Row{"machine, from", filter([](auto& f) { f.machine = "web01", f.from = at_second(26); }), {3, 6}},
             Row{"after", filter([](auto& f) { f.after = 4; }), {5, 6}},
             Row{"before", filter([](auto& f) { f.before = 3; }), {1, 2}},
             Row{"page",
                 filter([](auto& f) { f.after = 1, f.before = 6, f.newest_first = true, f.limit = 2; }),
                 {5, 4}},
             Row{"after all", filter([](auto& f) { f.after = std::numeric_limits<std::uint64_t>::max(); }), {}},
             Row{"before all", filter([](auto& f) { f.before = 1; }), {}},
         }) {
        BOOST_TEST_INFO_SCOPE(row.what);
        BOOST_TEST(sequences(row.wanted) == row.expected, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_store_may_have_any_path) {
    for (const auto* name :
         {"with space.db", "it's.db", "a=b.db", "a;b?c#d%20.db", ":memory:", "a\"b.db", "\xc3\xbc?vfs=unix"}) {
        const auto url = "sqlite:" + (directory.path() / name).string();
        BOOST_TEST_INFO_SCOPE(url);
        BOOST_TEST(Store::open(url).has_value());
        BOOST_TEST(std::filesystem::exists(directory.path() / name));
    }
}

BOOST_AUTO_TEST_CASE(a_url_that_is_none_is_refused) {
    for (const auto* url : {"", "sqlite:", "postgresql://localhost/x", "portcullis.db"}) {
        BOOST_TEST_INFO_SCOPE(url);
        const auto opened = Store::open(url);
        BOOST_REQUIRE(!opened);
        BOOST_TEST((opened.error().kind == StoreError::Kind::unavailable));
        BOOST_TEST(opened.error().message.find("sqlite:PATH") != std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()
