#include "dnat/rule_list.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(rule_list_test)

BOOST_AUTO_TEST_CASE(rules_keep_their_number_and_their_place_while_more_are_added) {
    dnat::RuleList list;
    BOOST_TEST(list.size() == 0U);
    const dnat::NatRule* first = nullptr;
    for (std::uint32_t number = 0; number < 1000; ++number) {
        dnat::NatRule rule;
        rule.name.rule = std::to_string(number);
        list.add(std::move(rule));
        if (number == 0) first = &list[0];
    }
    BOOST_TEST(list.size() == 1000U);
    BOOST_TEST(first == &list[0]);
    for (std::uint32_t number = 0; number < 1000; ++number)
        BOOST_TEST(list[number].name.rule == std::to_string(number));
}

BOOST_AUTO_TEST_SUITE_END()
