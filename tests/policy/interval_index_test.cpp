#include "policy/interval_index.hpp"

#include <boost/test/unit_test.hpp>

namespace interval_index_test {

constexpr std::uint32_t greatest = 0xffffffff;

/// Interval n begins at the nth start and has value n.
policy::IntervalIndex index_of(const std::vector<std::uint32_t>& starts) {
    std::vector<std::uint32_t> values;
    for (std::uint32_t value = 0; value < starts.size(); ++value) values.push_back(value);
    return {starts, values};
}

}  // namespace interval_index_test

BOOST_AUTO_TEST_SUITE(interval_index_test)

BOOST_AUTO_TEST_CASE(one_interval_has_all_numbers) {
    const auto index = index_of({0});
    for (const std::uint32_t number : {0U, 1U, 0x80000000U, greatest}) BOOST_TEST(index.value_at(number) == 0U);
}

BOOST_AUTO_TEST_CASE(an_interval_ends_just_before_the_next) {
    for (const std::uint32_t count : {2U, 7U, 8U, 9U, 127U, 128U, 129U, 2047U, 2048U, 2049U, 40000U}) {
        std::vector<std::uint32_t> starts{0};
        for (std::uint32_t n = 1; n < count; ++n) starts.push_back(n * (greatest / count));
        const auto index = index_of(starts);
        for (std::uint32_t n = 1; n < count; ++n) {
            BOOST_REQUIRE_EQUAL(index.value_at(starts[n] - 1), n - 1);
            BOOST_REQUIRE_EQUAL(index.value_at(starts[n]), n);
            BOOST_REQUIRE_EQUAL(index.value_at(starts[n] + 1), n);
        }
        BOOST_TEST(index.value_at(0) == 0U);
        BOOST_TEST(index.value_at(greatest) == count - 1);
        BOOST_TEST(index.value_at(greatest - 1) == count - 1);
    }
}

BOOST_AUTO_TEST_CASE(the_greatest_number_can_be_an_interval) {
    for (const std::uint32_t others : {1U, 7U, 8U, 15U, 300U}) {
        std::vector<std::uint32_t> starts;
        for (std::uint32_t n = 0; n < others; ++n) starts.push_back(n);
        starts.push_back(greatest);
        const auto index = index_of(starts);
        BOOST_TEST(index.value_at(greatest) == others);
        BOOST_TEST(index.value_at(greatest - 1) == others - 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
