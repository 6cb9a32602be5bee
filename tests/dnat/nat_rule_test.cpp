#include "dnat/nat_rule.hpp"

#include <boost/test/unit_test.hpp>

#include <type_traits>

BOOST_AUTO_TEST_SUITE(nat_rule_test)

BOOST_AUTO_TEST_CASE(a_rule_is_shown_as_collection_and_rule) {
    const dnat::RuleName name{.collection = "inbound", .rule = "ssh-web01", .group = "g", .policy = "p"};
    BOOST_TEST(to_string(name) == "inbound/ssh-web01");
}

BOOST_AUTO_TEST_CASE(the_two_sides_of_a_translation_cannot_be_mistaken_for_each_other) {
    static_assert(!std::is_convertible_v<dnat::Arrived, dnat::Delivered>);
    static_assert(!std::is_convertible_v<dnat::Delivered, dnat::Arrived>);
    static_assert(!std::is_constructible_v<dnat::Arrived, dnat::Delivered>);
    const captures::base::FiveTuple one{{{1}, 2}, {{3}, 4}, captures::base::Protocol::tcp};
    const captures::base::FiveTuple other{{{1}, 2}, {{3}, 5}, captures::base::Protocol::tcp};
    BOOST_TEST((dnat::Arrived{one} == dnat::Arrived{one}));
    BOOST_TEST((dnat::Arrived{one} < dnat::Arrived{other}));
}

BOOST_AUTO_TEST_SUITE_END()
