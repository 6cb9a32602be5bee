#include "dnat/flow_table.hpp"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>

#include <map>
#include <new>
#include <set>
#include <vector>

#include "tests/support/packet_builder.hpp"
#include "tools/synth/random.hpp"

namespace flow_table_test {

using captures::base::Endpoint;
using captures::base::FiveTuple;
using captures::base::Ipv4Address;
using captures::base::Protocol;
using captures::base::Time;
using captures::packet::Side;
using dnat::Arrived;
using dnat::FlowIndex;
using dnat::FlowKey;
using dnat::FlowTable;
using dnat::no_flow;
using support::start_time;
using support::Where;
using namespace std::chrono_literals;

const Ipv4Address instance = Where{"10.0.1.5"}.endpoint.address;
const Endpoint web_ssh = Where{"10.1.0.4:22"}.endpoint;
const Endpoint listener = Where{"203.0.113.10:50022"}.endpoint;

Arrived arrived(Where client, Where called = listener, Protocol protocol = Protocol::tcp) {
    return {{client.endpoint, called.endpoint, protocol}};
}

FlowIndex insert(FlowTable& table, const Arrived& arrived, Endpoint target = web_ssh) {
    if (table.is_full()) return no_flow;
    const auto port = table.choose_port(arrived, target, instance);
    return port ? table.insert(arrived, target, {instance, *port}) : no_flow;
}

FlowIndex find(const FlowTable& table, const FiveTuple& tuple, Side side) {
    return table.find(FlowKey::of(tuple, side));
}

/// As BOOST_REQUIRE, but cheap enough for millions of calls.
void require(bool holds) {
    if (!holds) BOOST_FAIL("the table differs from what was put into it");
}

/// The tuple of a reply as the VM sends it.
/// A burst's look-up, in its three steps.
std::vector<FlowIndex> find(const FlowTable& table, const std::vector<FlowKey>& keys) {
    std::vector<std::uint32_t> hashes;
    std::vector<FlowIndex> found;
    hashes.reserve(keys.size());
    found.reserve(keys.size());
    for (const auto& key : keys) {
        hashes.push_back(table.hash_of(key));
        table.prefetch(hashes.back());
    }
    for (std::size_t i = 0; i < keys.size(); ++i) found.push_back(table.candidate(keys[i], hashes[i]));
    for (std::size_t i = 0; i < keys.size(); ++i) found[i] = table.confirm(found[i], keys[i], hashes[i]);
    return found;
}

FiveTuple reply_of(const FlowTable& table, FlowIndex flow) { return table[flow].delivered().tuple.reversed(); }

}  // namespace flow_table_test

BOOST_AUTO_TEST_SUITE(flow_table_test)

BOOST_AUTO_TEST_CASE(a_flow_is_found_from_both_sides_and_only_so) {
    FlowTable table{4};
    const auto hello = arrived("198.51.100.7:40000");
    const auto flow = insert(table, hello);
    BOOST_REQUIRE_NE(flow, no_flow);
    const auto reply = reply_of(table, flow);
    BOOST_TEST(reply == (FiveTuple{web_ssh, {instance, 40000}, Protocol::tcp}));

    BOOST_TEST(find(table, hello.tuple, Side::outside) == flow);
    BOOST_TEST(find(table, reply, Side::inside) == flow);

    BOOST_TEST(find(table, hello.tuple, Side::inside) == no_flow);
    BOOST_TEST(find(table, reply, Side::outside) == no_flow);
    BOOST_TEST(find(table, hello.tuple.reversed(), Side::outside) == no_flow);
    BOOST_TEST(find(table, reply.reversed(), Side::inside) == no_flow);
    BOOST_TEST(find(table, arrived("198.51.100.7:40000", listener, Protocol::udp).tuple, Side::outside) == no_flow);
    BOOST_TEST(find(table, arrived("198.51.100.7:40001").tuple, Side::outside) == no_flow);
    BOOST_TEST(find(table, arrived("198.51.100.8:40000").tuple, Side::outside) == no_flow);
    BOOST_TEST(table.find(FlowKey{}) == no_flow);
}

BOOST_AUTO_TEST_CASE(a_new_flow_keeps_the_clients_port_or_takes_the_next_free_one) {
    FlowTable table{4};
    BOOST_TEST(table[insert(table, arrived("198.51.100.7:40000"))].instance.port == 40000);
    const auto second = insert(table, arrived("198.51.100.8:40000"));
    BOOST_TEST(table[second].instance.port == 40001);
    BOOST_TEST(find(table, reply_of(table, second), Side::inside) == second);
    BOOST_TEST(table[insert(table, arrived("198.51.100.9:40000"), Where{"10.1.0.4:80"}.endpoint)].instance.port ==
               40000);
    BOOST_TEST(table[insert(table, arrived("198.51.100.9:40000", listener, Protocol::udp))].instance.port == 40000);
}

BOOST_AUTO_TEST_CASE(an_erased_flow_is_found_no_more_and_leaves_its_port_and_place) {
    FlowTable table{4};
    const auto hello = arrived("198.51.100.7:40000");
    const auto flow = insert(table, hello);
    const auto reply = reply_of(table, flow);
    BOOST_TEST(table.erasures() == 0U);
    table.erase(flow);
    BOOST_TEST(table.erasures() == 1U);
    BOOST_TEST(table.size() == 0U);
    BOOST_TEST(find(table, hello.tuple, Side::outside) == no_flow);
    BOOST_TEST(find(table, reply, Side::inside) == no_flow);
    const auto next = insert(table, arrived("198.51.100.8:40000"));
    BOOST_TEST(next == flow);
    BOOST_TEST(table[next].instance.port == 40000);
}

BOOST_AUTO_TEST_CASE(a_full_table_refuses_new_flows_and_evicts_none) {
    FlowTable table{3};
    for (std::uint16_t port = 1; port <= 3; ++port) {
        BOOST_REQUIRE_NE(insert(table, arrived(Endpoint{{0xc6336407}, port})), no_flow);
    }
    BOOST_TEST(table.is_full());
    for (std::uint16_t port = 1; port <= 3; ++port) {
        BOOST_TEST(find(table, arrived(Endpoint{{0xc6336407}, port}).tuple, Side::outside) != no_flow);
    }
    table.erase(1);
    BOOST_TEST(insert(table, arrived("198.51.100.7:4")) == 1U);
    BOOST_TEST(insert(table, arrived("198.51.100.7:5")) == no_flow);
}

BOOST_AUTO_TEST_CASE(ports_toward_one_target_are_exhausted_before_the_table_is) {
    FlowTable table{65000};
    for (std::uint32_t client = 0; client < 64512; ++client) {
        BOOST_REQUIRE_NE(insert(table, arrived(Endpoint{{0x0b000000 + client}, 40000})), no_flow);
    }
    BOOST_TEST(!table.choose_port(arrived("198.51.100.7:40000"), web_ssh, instance).has_value());
    BOOST_TEST(table.size() == 64512U);
    BOOST_TEST(find(table, arrived("198.51.100.7:40000").tuple, Side::outside) == no_flow);
    BOOST_TEST(insert(table, arrived("198.51.100.7:40000"), Where{"10.1.0.5:22"}.endpoint) != no_flow);
    const auto freed = table[77].instance.port;
    table.erase(77);
    BOOST_TEST(table[insert(table, arrived("198.51.100.7:40001"))].instance.port == freed);
}

BOOST_AUTO_TEST_CASE(a_new_flow_begins_clean_whatever_was_in_its_place) {
    FlowTable table{1};
    const auto first = insert(table, arrived("198.51.100.7:40000"));
    auto& flow = table[first];
    flow.rule = 7;
    flow.window = 7;
    flow.east_west = true;
    flow.state = dnat::FlowState::cut;
    flow.tcp.client.next = 99;
    table.erase(first);
    const auto& next = table[insert(table, arrived("198.51.100.7:40000"))];
    BOOST_TEST(next.rule == 0U);
    BOOST_TEST(next.window == 0U);
    BOOST_TEST(!next.east_west);
    BOOST_TEST((next.state == dnat::FlowState::udp));
    BOOST_TEST(next.tcp.client.next == 0U);
}

BOOST_AUTO_TEST_CASE(flows_end_at_their_true_deadline_in_order) {
    FlowTable table{4};
    const dnat::Timeouts timeouts;
    for (std::uint16_t i = 0; i < 3; ++i) {
        const auto flow = insert(table, arrived(Endpoint{{0xc6336407}, i}, listener, Protocol::udp));
        table[flow].last_seen = start_time + i * 1s;
        table.touch(flow, timeouts);
    }
    BOOST_TEST((table.next_deadline() == start_time + 240s));
    table[0].last_seen += 100s;  // used again: nothing is told, it moves when it comes up
    BOOST_TEST((table.next_deadline() == start_time + 240s));
    BOOST_TEST(!table.expired(start_time + 241s - 1ns, timeouts).has_value());
    BOOST_TEST((table.next_deadline() == start_time + 241s));
    BOOST_TEST((table.expired(start_time + 400s, timeouts) == 1U));
    table.erase(1);
    BOOST_TEST((table.expired(start_time + 400s, timeouts) == 2U));
    table.erase(2);
    BOOST_TEST((table.expired(start_time + 340s, timeouts) == 0U));
    table.erase(0);
    BOOST_TEST(!table.expired(Time::max(), timeouts).has_value());
    BOOST_TEST((table.next_deadline() == Time::max()));
}

BOOST_AUTO_TEST_CASE(a_deadline_that_moves_earlier_counts_once_it_is_told) {
    FlowTable table{1};
    const auto flow = insert(table, arrived("198.51.100.7:40000"));
    table[flow].state = dnat::FlowState::established;
    table[flow].last_seen = start_time;
    dnat::Timeouts timeouts;
    timeouts.tcp_transitory = 10s;
    table.touch(flow, timeouts);
    table[flow].state = dnat::FlowState::closing;
    table.touch(flow, timeouts);
    BOOST_TEST((table.next_deadline() == start_time + 10s));
    BOOST_TEST((table.expired(start_time + 10s, timeouts) == flow));
}

BOOST_AUTO_TEST_CASE(every_flow_is_visited_in_order_and_may_be_erased_meanwhile) {
    FlowTable table{8};
    for (std::uint16_t port = 0; port < 6; ++port) (void)insert(table, arrived(Endpoint{{0xc6336407}, port}));
    table.erase(2);
    std::vector<FlowIndex> visited;
    const bool more = table.visit(0, 8, [&](FlowIndex index) {
        visited.push_back(index);
        if (index % 2 == 1) table.erase(index);
    });
    BOOST_TEST(!more);
    BOOST_TEST(visited == (std::vector<FlowIndex>{0, 1, 3, 4, 5}));
    visited.clear();
    const auto note = [&](FlowIndex index) { visited.push_back(index); };
    BOOST_TEST(table.visit(0, 4, note));
    BOOST_TEST(!table.visit(4, 8, note));
    BOOST_TEST(!table.visit(8, 8, note));
    BOOST_TEST(visited == (std::vector<FlowIndex>{0, 4}));
}

/// 23 flows are 46 entries in 64 slots: as dense as the table allows, so that chains run into each other and around
/// the end, and erasing has to shift them.
BOOST_AUTO_TEST_CASE(it_agrees_with_a_map_while_flows_come_and_go) {
    constexpr std::uint32_t capacity = 23;
    for (const std::uint64_t seed : {0U, 1U, 2U}) {
        tools::Random random{seed};
        FlowTable table{capacity, seed};
        std::map<FiveTuple, FlowIndex> model;
        std::map<FlowIndex, Time> last_seen;
        dnat::Timeouts timeouts;
        timeouts.udp_idle = 50ns;
        auto now = start_time;
        const auto a_tuple = [&] {
            const Endpoint client{{0x0b000000 + static_cast<std::uint32_t>(random.below(4))},
                                  static_cast<std::uint16_t>(2000 + random.below(12))};
            return FiveTuple{client, listener, Protocol::udp};
        };
        const auto forget = [&](FlowIndex flow) {
            model.erase(table[flow].arrived().tuple);
            last_seen.erase(flow);
            table.erase(flow);
        };
        for (int step = 0; step < 8'000; ++step) {
            now += captures::base::Duration{static_cast<std::int64_t>(random.below(4))};
            while (const auto expired = table.expired(now, timeouts)) {
                for (const auto& [flow, seen] : last_seen) {
                    require(std::pair(last_seen[*expired], *expired) <= std::pair(seen, flow));
                }
                BOOST_REQUIRE(last_seen[*expired] + timeouts.udp_idle <= now);
                forget(*expired);
            }
            for (const auto& [flow, seen] : last_seen) require(seen + timeouts.udp_idle > now);

            const auto tuple = a_tuple();
            const auto known = model.find(tuple);
            if (known == model.end()) {
                const auto inserted = insert(table, {tuple});
                BOOST_REQUIRE_EQUAL(inserted == no_flow, model.size() == capacity);
                if (inserted != no_flow) {
                    model[tuple] = inserted;
                    table[inserted].last_seen = last_seen[inserted] = now;
                    table.touch(inserted, timeouts);
                }
            } else if (random.below(3) == 0) {
                forget(known->second);
            } else {
                table[known->second].last_seen = last_seen[known->second] = now;
            }

            BOOST_REQUIRE_EQUAL(table.size(), model.size());
            std::vector<FlowKey> keys;
            std::vector<FlowIndex> expected;
            for (const auto& [one, flow] : model) {
                keys.push_back(FlowKey::of(one, Side::outside));
                keys.push_back(FlowKey::of(reply_of(table, flow), Side::inside));
                expected.insert(expected.end(), {flow, flow});
            }
            const auto absent = a_tuple();
            keys.push_back(FlowKey::of(absent, Side::outside));
            expected.push_back(model.contains(absent) ? model[absent] : no_flow);
            keys.push_back({});
            expected.push_back(no_flow);
            BOOST_REQUIRE(find(table, keys) == expected);
            for (std::size_t i = 0; i < keys.size(); ++i) require(table.find(keys[i]) == expected[i]);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_seed_changes_where_flows_lie_but_no_result) {
    FlowTable plain{100};
    FlowTable keyed{100, 0x0123456789abcdef};
    for (std::uint16_t port = 0; port < 100; ++port) {
        const auto hello = arrived(Endpoint{{0xc6336407}, port});
        BOOST_TEST(insert(plain, hello) == insert(keyed, hello));
        BOOST_TEST(find(keyed, hello.tuple, Side::outside) == port);
        BOOST_TEST(find(keyed, reply_of(keyed, port), Side::inside) == port);
    }
}

BOOST_AUTO_TEST_CASE(a_million_flows_are_kept_without_loss) {
    constexpr std::uint32_t million = 1U << 20;
    FlowTable table{million};
    const auto tuple_of = [](std::uint32_t i) {
        return FiveTuple{{{0x0b000000 + i % 64 * 0x10001}, static_cast<std::uint16_t>(1024 + i / 64)},
                         listener,
                         i % 2 == 0 ? Protocol::tcp : Protocol::udp};
    };
    const auto target_of = [](std::uint32_t i) { return Endpoint{{0x0a010000 + i % 64}, 22}; };
    for (std::uint32_t i = 0; i < million; ++i) {
        require(insert(table, {tuple_of(i)}, target_of(i)) == i);
    }
    BOOST_TEST(insert(table, arrived("198.51.100.7:40000")) == no_flow);
    constexpr std::uint32_t burst = captures::packet::burst_capacity;
    std::vector<FlowKey> keys(burst);
    for (std::uint32_t begin = 0; begin < million; begin += burst) {
        for (std::uint32_t i = 0; i < burst; ++i) {
            const auto flow = begin + i;
            keys[i] = flow % 3 == 0 ? FlowKey::of(reply_of(table, flow), Side::inside)
                                    : FlowKey::of(tuple_of(flow), Side::outside);
        }
        const auto found = find(table, keys);
        for (std::uint32_t i = 0; i < burst; ++i) require(found[i] == begin + i);
    }
    for (std::uint32_t i = 0; i < million; i += 2) table.erase(i);
    for (std::uint32_t i = 0; i < million; ++i) {
        require(find(table, tuple_of(i), Side::outside) == (i % 2 == 0 ? no_flow : i));
    }
}

// g++ and clang name their sanitizers differently. The memory of a sanitizer itself would not be had either.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PORTCULLIS_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PORTCULLIS_SANITIZED
#endif
#endif
#ifndef PORTCULLIS_SANITIZED
BOOST_AUTO_TEST_CASE(an_index_that_cannot_grow_costs_no_port) {
    const auto tuple_of = [](std::uint32_t i) {
        return Arrived{
            {{{0x0b000000 + i / 50000}, static_cast<std::uint16_t>(2000 + i % 50000)}, listener, Protocol::udp}};
    };
    std::uint32_t flows = 0;
    FlowTable twin{1U << 20};
    for (const auto bytes = twin.bytes(); twin.bytes() == bytes; ++flows)
        require(insert(twin, tuple_of(flows)) == flows);
    FlowTable table{1U << 20};
    for (std::uint32_t i = 0; i + 1 < flows; ++i) require(insert(table, tuple_of(i)) == i);

    rlimit before{};
    BOOST_REQUIRE_EQUAL(getrlimit(RLIMIT_AS, &before), 0);
    const rlimit none{0, before.rlim_max};
    bool refused = false;
    BOOST_REQUIRE_EQUAL(setrlimit(RLIMIT_AS, &none), 0);
    try {
        static_cast<void>(insert(table, tuple_of(flows - 1)));
    } catch (const std::bad_alloc&) {
        refused = true;
    }
    BOOST_REQUIRE_EQUAL(setrlimit(RLIMIT_AS, &before), 0);
    BOOST_TEST(refused);
    BOOST_TEST(table.size() == flows - 1);
    const auto later = insert(table, tuple_of(flows - 1));
    BOOST_TEST(table[later].instance.port == tuple_of(flows - 1).tuple.source.port);
}
#endif

BOOST_AUTO_TEST_CASE(a_flow_costs_at_most_192_bytes) {
    // Just past 3/8 of a power of two, the index has twice the slots it needs. Smaller tables pay for whole pages.
    for (const std::uint32_t capacity : {(3U << 13) + 1, 65000U, 65536U, 100'000U, (3U << 17) + 1, 1U << 20, 3U << 19,
                                         (3U << 19) + 1, 3U << 20, (3U << 20) + 1, 1U << 23}) {
        const FlowTable table{capacity, 0, FlowTable::Index::sized_ahead};
        BOOST_TEST_CONTEXT(capacity) { BOOST_TEST(table.bytes() <= std::size_t{capacity} * 192); }
    }
}

BOOST_AUTO_TEST_SUITE_END()
