#include "policy/names.hpp"

#include <boost/test/unit_test.hpp>

namespace names_test {

struct Row {
    std::string_view a;
    std::string_view b;
    bool same;
};

}  // namespace names_test

BOOST_AUTO_TEST_SUITE(names_test)

BOOST_AUTO_TEST_CASE(names_compare_without_regard_to_ascii_case_only) {
    for (const auto& [a, b, same] : {
             Row{"", "", true}, Row{"web01", "WEB01", true}, Row{"Microsoft.Security/*", "microsoft.security/*", true},
             Row{"web01", "web010", false}, Row{"web010", "web01", false}, Row{"web01", "", false},
             Row{"@", "`", false},                // 0x40 and 0x60 differ by the case bit, but are no letters
             Row{"[", "{", false},                // so do 0x5b and 0x7b
             Row{"\xc3\x84", "\xc3\xa4", false},  // Ä and ä
         }) {
        BOOST_TEST(policy::same_name(a, b) == same, a << " and " << b);
        BOOST_TEST(policy::same_name(b, a) == same, b << " and " << a);
    }
}

BOOST_AUTO_TEST_CASE(lower_case_is_for_letters_of_ascii) {
    BOOST_TEST(policy::to_lower(std::string_view{"AZ az 09 @[`{ \xc3\x84"}) == "az az 09 @[`{ \xc3\x84");
}

BOOST_AUTO_TEST_SUITE_END()
