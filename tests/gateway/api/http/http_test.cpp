#include "gateway/api/http/http.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "gateway/api/http/text.hpp"
#include "gateway/control_plane/guid.hpp"

namespace http_test {

using gateway::api::http::parse_target;

std::string joined(const std::vector<std::string>& path) {
    std::string text;
    for (const auto& segment : path) text += '[' + segment + ']';
    return text;
}

}  // namespace http_test

BOOST_AUTO_TEST_SUITE(http_test)

BOOST_AUTO_TEST_CASE(a_target_is_split_and_decoded) {
    struct Row {
        const char* target;
        const char* path;
    };
    const std::vector<Row> rows{{"/", ""},
                                {"/a/b", "[a][b]"},
                                {"/a/b/", "[a][b]"},
                                {"//a//b", "[a][b]"},
                                {"/a%20b/%C3%A9", "[a b][\xc3\xa9]"},
                                {"/a(1)_-.x/..b", "[a(1)_-.x][..b]"},
                                {"https://host:8443/a/b?c=d", "[a][b]"},
                                {"/a?b=/c/d", "[a]"}};
    for (const auto& row : rows) {
        const auto parsed = parse_target(row.target);
        BOOST_REQUIRE_MESSAGE(parsed, row.target);
        BOOST_TEST(joined(parsed->first) == row.path);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_clean_url_is_refused) {
    for (const std::string_view target :
         {"",        "a/b",      "*",        "/a%2",     "/a%zz",       "/a%00b", "/a%0Ab", "/a%7f", "/%ff",
          "/%c3%28", "/a%2Fb",   "/.",       "/a/../b",  "/a/%2e%2e/b", "/a/%2E", "/a b",   "/a\"b", "/a{b}",
          "/a#b",    "/a?b=%00", "/a?b=%ff", "/a?%0d=1", "/\xc3\xa9",   "ftp//x", "/a?b=%"}) {
        BOOST_TEST(!parse_target(target), target);
    }
}

BOOST_AUTO_TEST_CASE(parameters_have_lower_case_names_and_the_first_of_several_counts) {
    const auto parsed = parse_target(
        "/a?Api-Version=2020-01-01&api-version=x&%24skipToken=a%3D&to=12%3A00%2B01&p=a+b&e&f=");
    BOOST_REQUIRE(parsed);
    const auto& query = parsed->second;
    BOOST_TEST(query.at("api-version") == "2020-01-01");
    BOOST_TEST(query.at("$skiptoken") == "a=");
    BOOST_TEST(query.at("to") == "12:00+01");
    BOOST_TEST(query.at("p") == "a+b");
    BOOST_TEST(query.at("e").empty());
    BOOST_TEST(query.at("f").empty());
    BOOST_TEST(query.size() == 6U);
}

BOOST_AUTO_TEST_CASE(headers_and_parameters_are_found_by_their_lower_case_name) {
    gateway::api::http::Request request;
    request.headers["host"] = "localhost";
    request.query["port"] = "22";
    BOOST_TEST(request.header("host") == "localhost");
    BOOST_TEST(request.header("accept").empty());
    BOOST_TEST(request.parameter("port").value() == "22");
    BOOST_TEST(!request.parameter("machine"));
}

BOOST_AUTO_TEST_CASE(base64url_has_one_spelling_for_each_text) {
    for (const std::string_view text : {"", "f", "fo", "foo", "foob", "fooba", "foobar", "\xff\xfe\xfd"}) {
        const auto encoded = gateway::api::http::to_base64url(text);
        BOOST_TEST(gateway::api::http::from_base64url(encoded).value() == text);
    }
    BOOST_TEST(gateway::api::http::to_base64url("foobar") == "Zm9vYmFy");  // RFC 4648 §10
    BOOST_TEST(gateway::api::http::to_base64url("f") == "Zg");
    for (const std::string_view bad : {"Z", "Zg==", "Zh", "Zm9", "Zm+v", "Zm/v", "Zg ", "Zg\n"}) {
        BOOST_TEST(!gateway::api::http::from_base64url(bad), bad);
    }
}

BOOST_AUTO_TEST_CASE(digests_and_guids_have_their_forms) {
    const auto digest = gateway::api::http::sha256("abc");  // FIPS 180-4, its first example
    BOOST_TEST(gateway::api::http::to_hex(digest) ==
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(gateway::api::http::guid_of(digest) == "ba7816bf-8f01-8fea-8141-40de5dae2223");
    BOOST_TEST(gateway::api::http::is_guid("20ff7fc3-e762-44dd-bd96-b71116dcdc23"));
    for (const std::string_view bad :
         {"", "20ff7fc3", "20ff7fc3-e762-44dd-bd96-b71116dcdc2", "20ff7fc3-e762-44dd-bd96-b71116dcdc2g",
          "20ff7fc3xe762-44dd-bd96-b71116dcdc23"}) {
        BOOST_TEST(!gateway::api::http::is_guid(bad), bad);
    }
}

BOOST_AUTO_TEST_CASE(ordered_guids_begin_with_their_time) {
    using std::chrono::milliseconds;
    // RFC 9562, appendix A.6: Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00
    const auto guid = gateway::control_plane::new_ordered_guid(captures::base::Time{milliseconds{0x017f22e279b0}});
    BOOST_TEST(guid.substr(0, 15) == "017f22e2-79b0-7");
    BOOST_TEST(gateway::api::http::is_guid(guid));
    BOOST_TEST(gateway::control_plane::new_ordered_guid(captures::base::Time{milliseconds{0x017f22e279b0}}) != guid);
    BOOST_TEST(gateway::control_plane::new_ordered_guid(captures::base::Time{milliseconds{0x017f22e279b1}}) > guid);
}

BOOST_AUTO_TEST_CASE(what_is_shown_is_one_line_of_a_readable_length) {
    BOOST_TEST(gateway::api::http::shown("web01") == "'web01'");
    BOOST_TEST(gateway::api::http::shown("a\nb\x1b[2J") == "'a?b?[2J'");
    BOOST_TEST(gateway::api::http::shown("\xc3\xa9") == "'\xc3\xa9'");
    BOOST_TEST(gateway::api::http::shown("G\xb8T") == "'G?T'");
    const auto cut = gateway::api::http::shown(std::string(127, 'x') + "\xc3\xa9");
    BOOST_TEST(cut == '\'' + std::string(127, 'x') + "...'");
}

BOOST_AUTO_TEST_SUITE_END()
