#include "dnat/fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>

#include "tests/support/packet_builder.hpp"
#include "tools/synth/random.hpp"

namespace fragments_test {

using captures::base::Time;
using captures::packet::Packet;
using dnat::FragmentRuling;
using dnat::FragmentTable;
using support::Decoded;
using support::fragment_of;
using support::start_time;
using support::udp;
using namespace std::chrono_literals;

using enum FragmentTable::Outcome;

constexpr FragmentRuling to_the_target{
    .forward = true, .translation = {.source = {{1}, 2}, .destination = {{3}, 4}}, .reason = 1, .rule = 5, .window = 6};
constexpr FragmentRuling not_admitted{.forward = false, .reason = 7, .rule = 8};

/// A datagram of 8 bytes of header and 312 of payload: five fragments of 64 bytes.
support::PacketBuilder datagram(std::uint16_t id) {
    return udp("198.51.100.7:40000", "203.0.113.10:50053").payload_size(312).id(id);
}

std::string text(FragmentTable::Outcome outcome) {
    switch (outcome) {
        case ruled: return "ruled";
        case held: return "held";
        case repeated: return "repeated";
        case overlapping: return "overlapping";
        case scattered: return "scattered";
        case no_room: return "no room";
    }
    return "?";
}

/// A table, and fragments by their place.
struct Bench {
    FragmentTable table{8, 8};
    std::uint16_t id = 1;
    Time now = start_time;

    std::string feed(std::size_t offset, std::size_t size, const FragmentRuling& ruling = to_the_target) {
        return feed(fragment_of(datagram(id), offset, size), ruling);
    }
    std::string feed(support::OwnedFrame frame, const FragmentRuling& ruling = to_the_target) {
        const Decoded decoded{std::move(frame)};
        return feed(decoded.packet, decoded.frame, ruling);
    }
    std::string feed(const Packet& packet, const captures::packet::Frame& frame, const FragmentRuling& ruling) {
        if (packet.fragment_offset == 0) {
            const auto refusal = table.first(packet, frame, now + 30s);
            if (!refusal) table.rule(ruling);
            return text(refusal.value_or(ruled));
        }
        const auto later = table.later(packet, frame, now + 30s);
        if (later.outcome == ruled) {
            BOOST_CHECK_EQUAL(later.ruling.forward, ruling.forward);
            BOOST_CHECK(later.ruling.translation.source == ruling.translation.source);
            BOOST_CHECK_EQUAL(later.ruling.reason, ruling.reason);
            BOOST_CHECK_EQUAL(later.ruling.rule, ruling.rule);
            BOOST_CHECK_EQUAL(later.ruling.window, ruling.window);
        }
        return text(later.outcome);
    }
    /// Offsets of what is released now.
    [[nodiscard]] std::vector<int> released() const {
        std::vector<int> offsets;
        for (const auto& one : table.released()) offsets.push_back(captures::packet::decode(one.frame).fragment_offset);
        return offsets;
    }
};

using Offsets = std::vector<int>;

}  // namespace fragments_test

BOOST_AUTO_TEST_SUITE(fragments_test)

BOOST_AUTO_TEST_CASE(in_order_the_first_rules_for_all_others) {
    for (const auto& ruling : {to_the_target, not_admitted}) {
        Bench bench;
        for (std::size_t offset = 0; offset < 320; offset += 64) {
            BOOST_TEST(bench.table.datagrams() == (offset == 0 ? 0U : 1U));
            BOOST_TEST(bench.feed(offset, 64, ruling) == "ruled");
            BOOST_TEST(bench.table.released().empty());
        }
        BOOST_TEST(bench.table.datagrams() == 0U);  // complete
        BOOST_TEST((bench.table.next_deadline() == Time::max()));
    }
}

BOOST_AUTO_TEST_CASE(what_comes_before_the_first_waits_for_it_in_order) {
    Bench bench;
    for (const int offset : {256, 192, 64}) BOOST_TEST(bench.feed(static_cast<std::size_t>(offset), 64) == "held");
    BOOST_TEST(bench.table.held() == 3U);
    BOOST_TEST(bench.feed(0, 64) == "ruled");
    BOOST_TEST(bench.released() == (Offsets{256, 192, 64}));
    BOOST_TEST(bench.table.held() == 0U);
    BOOST_TEST(bench.feed(128, 64) == "ruled");
    BOOST_TEST(bench.table.datagrams() == 0U);
}

BOOST_AUTO_TEST_CASE(held_bytes_are_bounded_whatever_their_number) {
    const Decoded one{fragment_of(datagram(1), 64, 64)};
    Bench bench{.table = FragmentTable{8, 8, std::size_t{2} * one.frame.captured}};
    BOOST_TEST(bench.feed(64, 64) == "held");
    BOOST_TEST(bench.feed(192, 64) == "held");
    BOOST_TEST(bench.feed(128, 64) == "no room");
    BOOST_TEST(bench.feed(0, 64) == "ruled");
    bench.id = 2;
    BOOST_TEST(bench.feed(64, 64) == "held");
    BOOST_TEST(bench.feed(192, 64) == "held");
    BOOST_TEST(bench.feed(128, 64) == "no room");
}

BOOST_AUTO_TEST_CASE(a_held_fragment_is_a_copy_of_every_byte) {
    Bench bench;
    Decoded early{fragment_of(datagram(1).pad_to(120, 0xee).vlan(7), 64, 64)};
    early.frame.number = 77;
    const auto bytes = early.owned.bytes();
    BOOST_TEST(bench.feed(early.packet, early.frame, to_the_target) == "held");
    std::ranges::fill(early.frame.bytes(), std::byte{0xff});
    BOOST_TEST(bench.feed(0, 64) == "ruled");
    BOOST_REQUIRE_EQUAL(bench.table.released().size(), 1U);
    const auto& frame = bench.table.released()[0].frame;
    BOOST_TEST((std::vector<std::byte>(frame.bytes().begin(), frame.bytes().end()) == bytes));
    BOOST_TEST(frame.number == 77U);
    BOOST_TEST((frame.time == start_time));
}

BOOST_AUTO_TEST_CASE(in_any_order_each_is_ruled_or_released_once) {
    tools::Random random{5};
    std::array<std::size_t, 5> offsets{0, 64, 128, 192, 256};
    for (int round = 0; round < 500; ++round) {
        for (std::size_t i = offsets.size() - 1; i > 0; --i) std::swap(offsets[i], offsets[random.below(i + 1)]);
        Bench bench;
        std::size_t told = 0;
        std::size_t waiting = 0;
        for (const auto offset : offsets) {
            const auto outcome = bench.feed(offset, 64);
            if (outcome == "held") {
                ++waiting;
                continue;
            }
            BOOST_REQUIRE_EQUAL(outcome, "ruled");
            ++told;
            if (offset == 0) told += bench.table.released().size();
        }
        BOOST_REQUIRE_EQUAL(told, offsets.size());
        BOOST_REQUIRE_EQUAL(bench.table.datagrams(), 0U);
        BOOST_REQUIRE_EQUAL(bench.table.held(), 0U);
        BOOST_REQUIRE_LE(waiting, 4U);
    }
}

BOOST_AUTO_TEST_CASE(datagrams_are_told_apart_by_addresses_identification_protocol_and_side) {
    Bench bench;
    bench.table = FragmentTable{16, 8};
    BOOST_TEST(bench.feed(0, 64) == "ruled");
    const auto variants = {
        datagram(2),
        udp("198.51.100.8:40000", "203.0.113.10:50053").payload_size(312).id(1),
        udp("198.51.100.7:40000", "203.0.113.11:50053").payload_size(312).id(1),
        support::tcp("198.51.100.7:40000", "203.0.113.10:50053").ack().payload_size(300).id(1),
        datagram(1).inside(),
    };
    for (const auto& other : variants) BOOST_TEST(bench.feed(fragment_of(other, 64, 64)) == "held");
    BOOST_TEST(bench.feed(64, 64) == "ruled");
}

BOOST_AUTO_TEST_CASE(a_repetition_is_dropped_and_harms_nothing) {
    Bench bench;
    BOOST_TEST(bench.feed(64, 64) == "held");
    BOOST_TEST(bench.feed(64, 64) == "repeated");
    BOOST_TEST(bench.feed(72, 8) == "repeated");
    BOOST_TEST(bench.feed(0, 64) == "ruled");
    BOOST_TEST(bench.feed(0, 64) == "repeated");
    BOOST_TEST(bench.table.released().empty());
    BOOST_TEST(bench.feed(64, 64) == "repeated");
    BOOST_TEST(bench.feed(256, 64) == "ruled");
    BOOST_TEST(bench.feed(256, 64) == "repeated");
    BOOST_TEST(bench.feed(128, 128) == "ruled");
    BOOST_TEST(bench.table.datagrams() == 0U);
}

BOOST_AUTO_TEST_CASE(an_overlap_poisons_the_datagram) {
    struct Row {
        const char* sentence;
        std::size_t offset;
        std::size_t size;
    };
    for (const auto& row : {Row{"at its end", 56, 16}, Row{"at its begin", 120, 16}, Row{"around it", 56, 80}}) {
        BOOST_TEST_CONTEXT(row.sentence) {
            Bench ruled_before;
            BOOST_TEST(ruled_before.feed(0, 56) == "ruled");
            BOOST_TEST(ruled_before.feed(64, 64) == "ruled");
            BOOST_TEST(ruled_before.feed(row.offset, row.size) == "overlapping");
            BOOST_TEST(ruled_before.feed(192, 64) == "overlapping");
            BOOST_TEST(ruled_before.feed(64, 64) == "overlapping");

            Bench waiting;
            BOOST_TEST(waiting.feed(64, 64) == "held");
            BOOST_TEST(waiting.feed(row.offset, row.size) == "overlapping");
            BOOST_TEST(waiting.feed(0, 56) == "overlapping");
            BOOST_TEST(waiting.released() == Offsets{64});  // to be dropped with it
            BOOST_TEST(waiting.feed(192, 64) == "overlapping");
            waiting.now += 30s;
            BOOST_TEST(waiting.table.expire(waiting.now));
            BOOST_TEST(waiting.table.released().empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_first_fragment_that_overlaps_what_waits_is_refused_with_it) {
    Bench bench;
    BOOST_TEST(bench.feed(56, 64) == "held");
    BOOST_TEST(bench.feed(0, 64) == "overlapping");
    BOOST_TEST(bench.released() == Offsets{56});
    BOOST_TEST(bench.feed(0, 56) == "overlapping");
}

BOOST_AUTO_TEST_CASE(a_second_first_fragment_poisons_unless_it_repeats) {
    Bench bench;
    BOOST_TEST(bench.feed(0, 64) == "ruled");
    BOOST_TEST(bench.feed(0, 32) == "repeated");
    BOOST_TEST(bench.feed(0, 128) == "overlapping");
    BOOST_TEST(bench.feed(64, 64) == "overlapping");
}

BOOST_AUTO_TEST_CASE(a_datagram_has_one_end) {
    Bench two_lasts;
    BOOST_TEST(two_lasts.feed(0, 64) == "ruled");
    BOOST_TEST(two_lasts.feed(256, 64) == "ruled");
    BOOST_TEST(two_lasts.feed(fragment_of(datagram(1).payload_size(184), 128, 64)) == "overlapping");

    Bench beyond;
    BOOST_TEST(beyond.feed(0, 64) == "ruled");
    BOOST_TEST(beyond.feed(256, 64) == "ruled");
    BOOST_TEST(beyond.feed(fragment_of(datagram(1).payload_size(900), 320, 64)) == "overlapping");

    Bench before;
    BOOST_TEST(before.feed(256, 64) == "held");
    BOOST_TEST(before.feed(fragment_of(datagram(1).payload_size(184), 128, 64)) == "overlapping");
    Bench ends_before;
    BOOST_TEST(ends_before.feed(192, 64) == "held");
    BOOST_TEST(ends_before.feed(fragment_of(datagram(1).payload_size(120), 64, 64)) == "overlapping");
}

BOOST_AUTO_TEST_CASE(sixteen_pieces_apart_are_enough) {
    const auto wide = datagram(1).payload_size(1000);
    Bench bench;
    bench.table = FragmentTable{8, 64};
    BOOST_TEST(bench.feed(fragment_of(wide, 0, 8)) == "ruled");
    for (std::size_t piece = 1; piece < 16; ++piece)
        BOOST_TEST(bench.feed(fragment_of(wide, piece * 16, 8)) == "ruled");
    BOOST_TEST(bench.feed(fragment_of(wide, 800, 8)) == "scattered");
    BOOST_TEST(bench.feed(fragment_of(wide, 8, 8)) == "ruled");  // joins two
    BOOST_TEST(bench.feed(fragment_of(wide, 800, 8)) == "ruled");
    BOOST_TEST(bench.feed(fragment_of(wide, 816, 8)) == "scattered");
    for (std::size_t piece = 1; piece < 16; ++piece) {
        BOOST_TEST(bench.feed(fragment_of(wide, piece * 16 + 8, 8)) == "ruled");
    }
    BOOST_TEST(bench.feed(fragment_of(wide, 808, 200)) == "ruled");
    BOOST_TEST(bench.feed(fragment_of(wide, 256, 544)) == "ruled");
    BOOST_TEST(bench.table.datagrams() == 0U);
}

BOOST_AUTO_TEST_CASE(pieces_cover_the_datagram_whatever_their_sizes_and_order) {
    tools::Random random{815};
    for (int round = 0; round < 400; ++round) {
        Bench bench;
        std::vector<std::pair<std::size_t, std::size_t>> pieces;
        for (std::size_t at = 0; at < 320;) {
            const auto size = std::min<std::size_t>((random.below(12) + 2) * 8, 320 - at);
            pieces.emplace_back(at, size);
            at += size;
        }
        const auto first = pieces.front();
        pieces.erase(pieces.begin());
        BOOST_REQUIRE_EQUAL(bench.feed(first.first, first.second), "ruled");
        for (auto left = pieces.size(); left > 0; --left) {
            BOOST_REQUIRE_EQUAL(bench.table.datagrams(), 1U);
            std::swap(pieces[random.below(left)], pieces[left - 1]);
            BOOST_REQUIRE_EQUAL(bench.feed(pieces[left - 1].first, pieces[left - 1].second), "ruled");
        }
        BOOST_REQUIRE_EQUAL(bench.table.datagrams(), 0U);
    }
}

BOOST_AUTO_TEST_CASE(datagrams_end_in_the_order_they_began) {
    Bench bench;
    for (bench.id = 1; bench.id <= 3; ++bench.id) {
        bench.feed(64, 64);
        bench.now += 1s;
    }
    BOOST_TEST((bench.table.next_deadline() == start_time + 30s));
    BOOST_TEST(!bench.table.expire(start_time + 30s - 1ns));
    BOOST_TEST(bench.table.expire(start_time + 30s));
    BOOST_TEST(bench.released() == Offsets{64});
    BOOST_TEST(!bench.table.expire(start_time + 30s));
    BOOST_TEST(bench.released() == Offsets{});
    bench.id = 3;
    BOOST_TEST(bench.feed(0, 64) == "ruled");
    BOOST_TEST(bench.feed(256, 64) == "ruled");
    BOOST_TEST(bench.table.expire(start_time + 40s));
    BOOST_TEST(bench.table.expire(start_time + 40s));
    BOOST_TEST(!bench.table.expire(start_time + 40s));
    BOOST_TEST((bench.table.next_deadline() == Time::max()));
    BOOST_TEST(bench.table.datagrams() == 0U);
    BOOST_TEST(bench.table.held() == 0U);
}

BOOST_AUTO_TEST_CASE(no_more_are_held_than_allowed) {
    Bench bench;
    bench.table = FragmentTable{8, 3};
    for (const std::size_t offset : {64U, 128U, 192U}) BOOST_TEST(bench.feed(offset, 64) == "held");
    BOOST_TEST(bench.feed(256, 64) == "no room");
    bench.id = 2;
    BOOST_TEST(bench.feed(64, 64) == "no room");
    BOOST_TEST(bench.table.datagrams() == 1U);  // the second is not begun for that
    BOOST_TEST(bench.feed(0, 64) == "ruled");
    BOOST_TEST(bench.feed(64, 64) == "ruled");
    bench.id = 1;
    BOOST_TEST(bench.feed(0, 64) == "ruled");
    BOOST_TEST(bench.released().size() == 3U);
    BOOST_TEST(bench.feed(256, 64) == "ruled");
}

BOOST_AUTO_TEST_CASE(a_flood_of_fragments_without_a_first_leaves_room_for_others) {
    constexpr std::size_t most_datagrams = 512;
    FragmentTable table{most_datagrams, 256};
    Decoded flood{fragment_of(datagram(1), 64, 64)};
    std::size_t held_ones = 0;
    for (std::uint32_t i = 0; i < 1'000'000; ++i) {
        flood.packet.tuple.source.address = {0x0b000000 + i};
        if (table.later(flood.packet, flood.frame, start_time + 30s).outcome == held) ++held_ones;
    }
    BOOST_TEST(held_ones == 256U);
    BOOST_TEST(table.held() == 256U);
    BOOST_TEST(table.datagrams() <= most_datagrams / 2);

    Bench others;
    others.table = std::move(table);
    for (std::uint16_t id = 1; id <= 1000; ++id) {  // in order: forwarded one after the other
        others.id = id;
        for (std::size_t offset = 0; offset < 320; offset += 64) BOOST_REQUIRE_EQUAL(others.feed(offset, 64), "ruled");
    }
    others.id = 2000;
    BOOST_TEST(others.feed(64, 64) == "no room");  // out of order there is none left
    BOOST_TEST(others.feed(0, 64, not_admitted) == "ruled");
    BOOST_TEST(others.table.datagrams() <= most_datagrams / 2);  // and forgotten, where there was no room
    while (others.table.expire(start_time + 30s)) BOOST_REQUIRE_LE(others.table.released().size(), 1U);
    BOOST_TEST(others.table.held() == 0U);
    BOOST_TEST(others.feed(64, 64) == "held");
}

BOOST_AUTO_TEST_CASE(what_is_not_admitted_may_take_half_of_the_table) {
    Bench bench;
    for (bench.id = 1; bench.id <= 4; ++bench.id) BOOST_TEST(bench.feed(0, 64, not_admitted) == "ruled");
    BOOST_TEST(bench.feed(0, 64, not_admitted) == "ruled");
    BOOST_TEST(bench.table.datagrams() == 4U);  // so that one is forgotten
    BOOST_TEST(bench.feed(64, 64) == "no room");
    for (bench.id = 11; bench.id <= 14; ++bench.id) BOOST_TEST(bench.feed(0, 64) == "ruled");
    BOOST_TEST(bench.feed(0, 64) == "no room");
    BOOST_TEST(bench.table.datagrams() == 8U);
}

BOOST_AUTO_TEST_SUITE_END()
