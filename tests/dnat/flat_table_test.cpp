#include "dnat/flat_table.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

#include "tools/synth/random.hpp"

namespace flat_table_test {

struct Record {
    std::uint64_t key = 0;
    std::uint64_t value = 0;
};

struct Place {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    bool operator==(const Place&) const = default;
    /// Poor on purpose: many keys begin at the same place.
    [[nodiscard]] std::uint64_t mixed() const noexcept { return (first + second) << 56; }
};

struct Placed {
    Place key;
    std::uint64_t value = 0;
};

}  // namespace flat_table_test

BOOST_AUTO_TEST_SUITE(flat_table_test)

BOOST_AUTO_TEST_CASE(a_new_record_is_zero_and_has_its_key) {
    dnat::FlatTable<Record> table;
    BOOST_TEST(table.find(7) == nullptr);
    BOOST_TEST(table[7].key == 7U);
    BOOST_TEST(table[7].value == 0U);
    BOOST_TEST(table.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_erased_record_does_not_come_back) {
    dnat::FlatTable<Record> table;
    table[7].value = 1;
    table.erase(table.find(7));
    BOOST_TEST(table.find(7) == nullptr);
    BOOST_TEST(table[7].value == 0U);
}

BOOST_AUTO_TEST_CASE(it_agrees_with_a_map) {
    tools::Random random{7};
    dnat::FlatTable<Record> table;
    std::map<std::uint64_t, std::uint64_t> map;
    for (std::uint64_t step = 1; step <= 100'000; ++step) {
        const auto key = 1 + random.below(step < 50'000 ? 3000 : 300);
        if (random.below(2) == 0) {
            table[key].value = map[key] = step;
        } else if (auto* const record = table.find(key); record != nullptr) {
            table.erase(record);
            BOOST_REQUIRE_EQUAL(map.erase(key), 1U);
        }
        BOOST_REQUIRE_EQUAL(table.size(), map.size());
    }
    for (std::uint64_t key = 1; key <= 3000; ++key) {
        const auto* const record = table.find(key);
        const auto found = map.find(key);
        BOOST_REQUIRE_EQUAL(record != nullptr, found != map.end());
        if (record != nullptr) BOOST_REQUIRE_EQUAL(record->value, found->second);
    }
}

BOOST_AUTO_TEST_CASE(a_key_of_several_parts_is_equal_where_all_are) {
    dnat::FlatTable<Placed> table;
    for (std::uint64_t first = 0; first < 100; ++first) {
        for (std::uint64_t second = 1; second < 100; ++second) table[{first, second}].value = first * 100 + second;
    }
    BOOST_TEST(table.size() == 9900U);
    std::size_t right = 0;
    for (std::uint64_t first = 0; first < 100; ++first) {
        for (std::uint64_t second = 1; second < 100; ++second) {
            const auto* const found = table.find({first, second});
            if (found != nullptr && found->value == first * 100 + second) ++right;
        }
    }
    BOOST_TEST(right == 9900U);
    BOOST_TEST(table.find({100, 1}) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
