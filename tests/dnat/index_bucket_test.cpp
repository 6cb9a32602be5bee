#include "dnat/index_bucket.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <random>

namespace index_bucket_test {

struct alignas(64) Bucket {
    std::array<dnat::IndexSlot, dnat::slots_of_bucket> slots{};
};

}  // namespace index_bucket_test

BOOST_AUTO_TEST_SUITE(index_bucket_test)

BOOST_AUTO_TEST_CASE(each_slot_of_the_hash_has_its_bit) {
    for (std::uint32_t slot = 0; slot < dnat::slots_of_bucket; ++slot) {
        Bucket bucket;
        bucket.slots[slot] = {.hash = 0x80000001, .place = 0x80000001};
        BOOST_TEST(dnat::matches_one_by_one(bucket.slots.data(), 0x80000001) == 1U << slot);
        BOOST_TEST(dnat::matches_in(bucket.slots.data(), 0x80000001) == 1U << slot);
        BOOST_TEST(dnat::matches_in(bucket.slots.data(), 0) == (0xffU & ~(1U << slot)));
        BOOST_TEST(dnat::matches_in(bucket.slots.data(), 0x80000002) == 0U);
    }
}

BOOST_AUTO_TEST_CASE(vector_instructions_find_what_a_loop_finds) {
    std::minstd_rand random{1};
    for (int round = 0; round < 1000; ++round) {
        Bucket bucket;
        for (auto& slot : bucket.slots) {
            slot.hash = static_cast<std::uint32_t>(random() % 3 * 0x7fffffff);
            slot.place = static_cast<std::uint32_t>(random() % 3 * 0x7fffffff);
        }
        for (std::uint32_t hash = 0; hash < 3; ++hash) {
            const auto wanted = hash * 0x7fffffff;
            BOOST_REQUIRE_EQUAL(dnat::matches_in(bucket.slots.data(), wanted),
                                dnat::matches_one_by_one(bucket.slots.data(), wanted));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
