#include "dnat/huge_array.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <utility>

namespace huge_array_test {

using dnat::HugeArray;

}  // namespace huge_array_test

BOOST_AUTO_TEST_SUITE(huge_array_test)

BOOST_AUTO_TEST_CASE(it_begins_as_zeros_and_keeps_what_is_written) {
    constexpr std::size_t size = 1'000'000;  // of 8 bytes: more than one huge page
    HugeArray<std::uint64_t> array{size};
    BOOST_TEST(array.size() == size);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += array[i];
    BOOST_TEST(sum == 0U);
    for (std::size_t i = 0; i < size; ++i) array[i] = i + 1;
    const auto& read = array;
    for (std::size_t i = 0; i < size; ++i) sum += read[i];
    BOOST_TEST(sum == size * (size + 1) / 2);
}

BOOST_AUTO_TEST_CASE(it_takes_whole_pages_and_lies_where_huge_ones_begin) {
    constexpr std::size_t page = 4096;
    constexpr std::size_t huge = std::size_t{2} << 20;
    BOOST_TEST(HugeArray<std::byte>{1}.bytes() == page);
    BOOST_TEST(HugeArray<std::byte>{page}.bytes() == page);
    BOOST_TEST(HugeArray<std::byte>{page + 1}.bytes() == 2 * page);
    BOOST_TEST(HugeArray<std::uint32_t>{page}.bytes() == 4 * page);
    for (const auto size : {huge, huge + 1, 3 * huge - 1}) {
        HugeArray<std::byte> array{size};
        BOOST_TEST(array.bytes() == (size + page - 1) / page * page);
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(&array[0]) % huge == 0U);
        array[size - 1] = std::byte{1};
    }
}

BOOST_AUTO_TEST_CASE(what_was_moved_from_is_empty) {
    HugeArray<int> array{10};
    array[3] = 33;
    const HugeArray<int> moved{std::move(array)};
    BOOST_TEST(moved[3] == 33);
    BOOST_TEST(moved.size() == 10U);
    BOOST_TEST(array.size() == 0U);  // NOLINT(bugprone-use-after-move): that is what is tested
    BOOST_TEST(array.bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_copy_is_an_array_of_its_own) {
    HugeArray<int> array{10};
    array[3] = 33;
    auto copy = array;
    array[3] = 34;
    BOOST_TEST(copy.size() == 10U);
    BOOST_TEST(copy[3] == 33);
    array = copy;
    copy[3] = 35;
    BOOST_TEST(array[3] == 33);
    const HugeArray<int> moved{std::move(array)};
    const auto empty = array;  // NOLINT(bugprone-use-after-move): that is what is tested
    BOOST_TEST(empty.size() == 0U);
}

BOOST_AUTO_TEST_CASE(more_than_the_address_space_is_refused) {
    BOOST_CHECK_THROW(HugeArray<std::byte>{std::size_t{1} << 60}, std::bad_alloc);
}

BOOST_AUTO_TEST_SUITE_END()
