#include "policy/audit.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <utility>
#include <vector>

namespace audit_test {

using policy::AuditEvent;
using policy::chain_hash;
using policy::first_break;
using policy::first_hash;

AuditEvent sample() {
    return {.sequence = 1,
            .time = captures::base::Time{captures::base::Duration{1'769'851'800'000'000'001}},
            .operation = "Microsoft.Security/locations/jitNetworkAccessPolicies/initiate/action",
            .status = "Failed",
            .sub_status = "PolicyNotFound",
            .caller = "anna",
            .caller_address = "198.51.100.7",
            .resource = "/subscriptions/s/jit",
            .machine = "web01",
            .correlation_id = "c-1",
            .client_request_id = "r-1",
            .detail = "22 for 3 h: \xc3\xbc",
            .hash = {}};
}

std::vector<AuditEvent> chain(std::uint64_t first, std::size_t count, std::string previous) {
    std::vector<AuditEvent> events;
    for (std::uint64_t at = 0; at < count; ++at) {
        auto event = sample();
        event.sequence = first + at;
        event.hash = chain_hash(event, previous);
        previous = event.hash;
        events.push_back(std::move(event));
    }
    return events;
}

}  // namespace audit_test

BOOST_AUTO_TEST_SUITE(audit_test)

BOOST_AUTO_TEST_CASE(the_first_hash_is_64_zeros) { BOOST_TEST(first_hash() == std::string(64, '0')); }

// Computed by Python's hashlib over the netstrings that the header describes.
BOOST_AUTO_TEST_CASE(a_hash_is_what_another_implementation_computes) {
    BOOST_TEST(chain_hash(sample(), first_hash()) ==
               "0944c2d584b2710ead0ed64d34caa2c78740d82ab272050377ff61aa5a9e68f7");
}

BOOST_AUTO_TEST_CASE(every_field_counts_in_the_hash) {
    const std::vector<std::function<void(AuditEvent&)>> changes = {
        [](AuditEvent& event) { event.sequence = 2; },
        [](AuditEvent& event) { event.time += captures::base::Duration{1}; },
        [](AuditEvent& event) { event.operation += 'x'; },
        [](AuditEvent& event) { event.status += 'x'; },
        [](AuditEvent& event) { event.sub_status.clear(); },
        [](AuditEvent& event) { event.caller = "Anna"; },
        [](AuditEvent& event) { event.caller_address = "198.51.100.8"; },
        [](AuditEvent& event) { event.resource += '/'; },
        [](AuditEvent& event) { event.machine.clear(); },
        [](AuditEvent& event) { event.correlation_id += '2'; },
        [](AuditEvent& event) { event.client_request_id.clear(); },
        [](AuditEvent& event) { event.detail += '\0'; },
    };
    const auto original = chain_hash(sample(), first_hash());
    for (std::size_t at = 0; at < changes.size(); ++at) {
        auto event = sample();
        changes[at](event);
        BOOST_TEST_INFO_SCOPE("change " << at);
        BOOST_TEST(chain_hash(event, first_hash()) != original);
    }
    BOOST_TEST(chain_hash(sample(), original) != original);
}

BOOST_AUTO_TEST_CASE(the_hash_that_an_event_carries_does_not_count) {
    auto event = sample();
    event.hash = "anything";
    BOOST_TEST(chain_hash(event, first_hash()) == chain_hash(sample(), first_hash()));
}

BOOST_AUTO_TEST_CASE(text_that_moves_from_one_field_to_the_next_changes_the_hash) {
    auto left = sample();
    left.resource = "ab";
    left.machine = "c";
    auto right = sample();
    right.resource = "a";
    right.machine = "bc";
    BOOST_TEST(chain_hash(left, first_hash()) != chain_hash(right, first_hash()));
}

BOOST_AUTO_TEST_CASE(a_sound_chain_has_no_break) {
    BOOST_TEST(!first_break({}, 1, first_hash()));
    const auto events = chain(1, 5, first_hash());
    BOOST_TEST(!first_break(events, 1, first_hash()));
    // From the middle, too, for who noted the hash before it.
    BOOST_TEST(!first_break(std::span{events}.subspan(3), 4, events[2].hash));
}

BOOST_AUTO_TEST_CASE(the_first_changed_removed_or_inserted_event_is_the_break) {
    const auto sound = chain(1, 5, first_hash());

    auto changed = sound;
    changed[2].detail = "22 for 24 h";
    BOOST_TEST(first_break(changed, 1, first_hash()).value() == 3U);

    auto rehashed = changed;
    rehashed[2].hash = chain_hash(rehashed[2], rehashed[1].hash);
    BOOST_TEST(first_break(rehashed, 1, first_hash()).value() == 4U);

    auto removed = sound;
    removed.erase(removed.begin() + 1);
    BOOST_TEST(first_break(removed, 1, first_hash()).value() == 2U);

    auto beginning_removed = sound;
    beginning_removed.erase(beginning_removed.begin());
    BOOST_TEST(first_break(beginning_removed, 1, first_hash()).value() == 1U);

    auto inserted = sound;
    inserted.insert(inserted.begin() + 4, sound[3]);
    BOOST_TEST(first_break(inserted, 1, first_hash()).value() == 5U);

    auto swapped = sound;
    std::swap(swapped[0], swapped[1]);
    BOOST_TEST(first_break(swapped, 1, first_hash()).value() == 1U);

    auto renumbered = chain(2, 3, first_hash());
    BOOST_TEST(first_break(renumbered, 1, first_hash()).value() == 1U);

    auto unhashed = sound;
    unhashed[4].hash.clear();
    BOOST_TEST(first_break(unhashed, 1, first_hash()).value() == 5U);
}

BOOST_AUTO_TEST_SUITE_END()
