#include "policy/address_set.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

namespace address_set_test {

using captures::base::AddressRange;
using policy::AddressSet;

AddressRange range(std::string_view text) { return AddressRange::parse(text).value(); }

AddressSet set_of(std::initializer_list<std::string_view> texts) {
    std::vector<AddressRange> ranges;
    for (const auto text : texts) ranges.push_back(range(text));
    return AddressSet{std::move(ranges)};
}

std::string text_of(const AddressSet& set) {
    std::string text;
    for (const auto& one : set.ranges()) text += (text.empty() ? "" : " ") + to_string(one);
    return text;
}

}  // namespace address_set_test

BOOST_AUTO_TEST_SUITE(address_set_test)

BOOST_AUTO_TEST_CASE(overlapping_and_adjacent_ranges_become_one) {
    BOOST_TEST(text_of(set_of({})) == "");
    BOOST_TEST(text_of(set_of({"10.0.0.128/25", "10.0.0.0/25"})) == "10.0.0.0-10.0.0.255");
    BOOST_TEST(text_of(set_of({"10.0.0.0/24", "10.0.0.7"})) == "10.0.0.0-10.0.0.255");
    BOOST_TEST(text_of(set_of({"10.0.0.5-10.0.0.9", "10.0.0.7-10.0.0.20"})) == "10.0.0.5-10.0.0.20");
    BOOST_TEST(text_of(set_of({"10.0.0.2", "10.0.0.0"})) == "10.0.0.0 10.0.0.2");
    BOOST_TEST(text_of(set_of({"128.0.0.0/1", "0.0.0.0/1"})) == "*");
    BOOST_TEST(text_of(set_of({"255.255.255.255", "*", "0.0.0.0"})) == "*");
}

BOOST_AUTO_TEST_CASE(the_complement_is_everything_else) {
    BOOST_TEST(text_of(set_of({}).complement()) == "*");
    BOOST_TEST(text_of(set_of({"*"}).complement()) == "");
    BOOST_TEST(text_of(set_of({"0.0.0.0/1"}).complement()) == "128.0.0.0-255.255.255.255");
    BOOST_TEST(text_of(set_of({"128.0.0.0/1"}).complement()) == "0.0.0.0-127.255.255.255");
    BOOST_TEST(text_of(set_of({"10.0.0.1", "10.0.0.3"}).complement()) ==
               "0.0.0.0-10.0.0.0 10.0.0.2 10.0.0.4-255.255.255.255");
}

BOOST_AUTO_TEST_CASE(membership_agrees_with_a_plain_set_of_numbers) {
    std::mt19937 random{20260131};  // NOLINT(cert-msc51-cpp): the same every time
    constexpr std::uint32_t space = 24;
    const std::uint32_t bases[]{0, 0x0a000000, 0xffffffff - space + 1};  // both ends of the address space, and within
    for (int round = 0; round < 2000; ++round) {
        const auto base = bases[random() % 3];
        const auto any_range = [&] {
            const auto a = static_cast<std::uint32_t>(random() % space);
            const auto b = static_cast<std::uint32_t>(random() % space);
            return AddressRange{{base + std::min(a, b)}, {base + std::max(a, b)}};
        };
        std::vector<AddressRange> ranges(random() % 5);
        for (auto& one : ranges) one = any_range();
        std::set<std::uint32_t> expected;
        for (const auto& one : ranges) {
            for (auto offset = one.first.value - base; offset <= one.last.value - base; ++offset)
                expected.insert(offset);
        }
        const AddressSet set{ranges};
        const auto asked = any_range();
        bool all = true;
        bool none = true;
        for (auto offset = asked.first.value - base; offset <= asked.last.value - base; ++offset) {
            (expected.contains(offset) ? none : all) = false;
        }
        BOOST_TEST(set.contains(asked) == all, "round " << round << ": " << to_string(asked) << " in " << text_of(set));
        BOOST_TEST(set.complement().contains(asked) == none,
                   "round " << round << ": " << to_string(asked) << " outside " << text_of(set));
        BOOST_TEST((set.complement().complement().ranges() == set.ranges()));
    }
}

BOOST_AUTO_TEST_SUITE_END()
