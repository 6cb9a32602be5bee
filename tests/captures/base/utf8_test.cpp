#include "captures/base/utf8.hpp"

#include <boost/test/unit_test.hpp>

using namespace captures::base;

BOOST_AUTO_TEST_SUITE(utf8_test)

BOOST_AUTO_TEST_CASE(utf8_is_distinguished_from_what_only_resembles_it) {
    for (const std::string_view good : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf",
                                        "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"}) {
        BOOST_TEST(is_utf8(good), good);
    }
    for (const std::string_view bad : {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80",
                                       "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
        BOOST_TEST(!is_utf8(bad), bad);
    }
    BOOST_TEST(is_utf8(std::string_view{"a\0b", 3}));
}

BOOST_AUTO_TEST_CASE(a_prefix_ends_before_a_character_that_is_cut) {
    BOOST_TEST(utf8_prefix("abc") == "abc");
    BOOST_TEST(utf8_prefix("ab\xc3") == "ab");
    BOOST_TEST(utf8_prefix("ab\xf0\x9f\x98") == "ab");
    BOOST_TEST(utf8_prefix("ab\xff\x63") == "ab");
    BOOST_TEST(utf8_prefix("").empty());
}

BOOST_AUTO_TEST_CASE(the_first_character_has_its_code_point_and_size) {
    struct Row {
        std::string_view text;
        char32_t code_point;
        std::size_t size;
    };
    for (const auto& row : {Row{"a\xff", U'a', 1}, Row{"\xc3\xa9x", U'\u00e9', 2}, Row{"\xe2\x82\xacx", U'\u20ac', 3},
                            Row{"\xf0\x9f\x98\x80x", U'\U0001f600', 4}}) {
        const auto first = first_character(row.text);
        BOOST_TEST_REQUIRE(first.has_value(), row.text);
        BOOST_TEST((first->code_point == row.code_point && first->size == row.size), row.text);
        std::string again;
        append_utf8(first->code_point, again);
        BOOST_TEST(again == row.text.substr(0, row.size));
    }
    for (const std::string_view none : {"", "\x80", "\xe2\x82", "\xed\xa0\x80"}) {
        BOOST_TEST(!first_character(none).has_value(), none);
    }
}

BOOST_AUTO_TEST_CASE(each_byte_that_is_not_utf8_counts_as_a_character) {
    BOOST_TEST(character_count("") == 0U);
    BOOST_TEST(character_count("a\xc3\xa9\xe2\x82\xac") == 3U);
    BOOST_TEST(character_count("a\xff\xe2\x82z\xc3") == 6U);
}

BOOST_AUTO_TEST_SUITE_END()
