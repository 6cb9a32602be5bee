#include "gateway/api/http/client.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/support/running_server.hpp"

namespace client_test {

using namespace std::chrono_literals;
using gateway::api::http::ask;
using gateway::api::http::ClientOptions;
using gateway::api::http::Endpoint;
using support::RunningServer;

namespace data = boost::unit_test::data;

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

ClientOptions at(const captures::base::Endpoint& server, const std::string& host = "127.0.0.1") {
    ClientOptions options;
    options.endpoint = {host, std::to_string(server.port), ""};
    options.token = "secret";
    return options;
}

}  // namespace client_test

BOOST_AUTO_TEST_SUITE(client_test)

BOOST_DATA_TEST_CASE(a_certificate_that_is_trusted_is_asked, data::make({"127.0.0.1", "localhost"}), host) {
    RunningServer running{{}, true};
    auto options = at(running.endpoint, host);
    options.ca_file = running.certificate();
    options.endpoint.prefix = "/base";
    const auto answer = ask(options, "POST", "/a?b=c", "hello");
    BOOST_REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().message));
    BOOST_TEST(answer->status == 200);
    BOOST_TEST(holds(answer->body, "POST /base/a base=https://" + std::string{host}), answer->body);
    BOOST_TEST(holds(answer->body, "body=hello"));
    BOOST_TEST(running.last_authorization == "Bearer secret");
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_not_known_is_told_by_its_fingerprint_and_sent_nothing) {
    RunningServer running{{}, true};
    const auto answer = ask(at(running.endpoint), "GET", "/a");
    BOOST_REQUIRE(!answer);
    BOOST_TEST(answer.error().fingerprint == gateway::api::http::fingerprint(running.certificate()).value());
    BOOST_TEST(holds(answer.error().message, "is not trusted: self-signed certificate"), answer.error().message);
    BOOST_TEST(running.last_authorization.empty());
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name_is_not_enough) {
    RunningServer running{{}, true, {0x7f000002}};  // Linux answers to all of 127/8
    auto options = at(running.endpoint, "127.0.0.2");
    options.ca_file = running.certificate();
    const auto answer = ask(options, "GET", "/a");
    BOOST_REQUIRE(!answer);
    BOOST_TEST(holds(answer.error().message, "it is not for 127.0.0.2"), answer.error().message);
    BOOST_TEST(!answer.error().fingerprint.empty());
    BOOST_TEST(running.last_authorization.empty());
}

BOOST_AUTO_TEST_CASE(another_servers_certificate_is_not_this_ones) {
    RunningServer running{{}, true};
    RunningServer other{{}, true};
    auto options = at(running.endpoint);
    options.ca_file = other.certificate();
    const auto answer = ask(options, "GET", "/a");
    BOOST_REQUIRE(!answer);
    BOOST_TEST(answer.error().fingerprint == gateway::api::http::fingerprint(running.certificate()).value());
    BOOST_TEST(running.last_authorization.empty());
}

BOOST_AUTO_TEST_CASE(who_asks_for_it_goes_without_verification) {
    RunningServer running{{}, true};
    auto options = at(running.endpoint);
    options.insecure = true;
    BOOST_TEST(ask(options, "GET", "/a").has_value());
}

BOOST_AUTO_TEST_CASE(a_long_answer_comes_whole) {
    RunningServer running{{}, true};
    auto options = at(running.endpoint);
    options.ca_file = running.certificate();
    const auto answer = ask(options, "GET", "/long");
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->body.size() == 4'000'000U);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_there_is_named) {
    captures::base::Endpoint gone;
    {
        RunningServer running;
        gone = running.endpoint;
    }
    const auto answer = ask(at(gone), "GET", "/a");
    BOOST_REQUIRE(!answer);
    BOOST_TEST(answer.error().message == "cannot reach https://" + to_string(gone) + ": Connection refused");
    BOOST_TEST(answer.error().fingerprint.empty());
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_answer_is_waited_for_only_so_long) {
    gateway::api::http::Server silent;  // listens, and never accepts
    const auto endpoint = silent.listen({.listen = {{0x7f000001}, 0}, .tls = {}, .limits = {}}, {}).value();
    auto options = at(endpoint);
    options.timeout = 300ms;
    const auto answer = ask(options, "GET", "/a");
    BOOST_REQUIRE(!answer);
    BOOST_TEST(holds(answer.error().message, "no answer in time"), answer.error().message);
}

BOOST_AUTO_TEST_CASE(a_file_of_certificates_that_is_not_there_is_named) {
    auto options = at({{0x7f000001}, 1});
    options.ca_file = "/nowhere.pem";
    const auto answer = ask(options, "GET", "/a");
    BOOST_REQUIRE(!answer);
    BOOST_TEST(holds(answer.error().message, "/nowhere.pem"), answer.error().message);
}

BOOST_AUTO_TEST_CASE(an_address_of_ipv6_is_no_name_to_look_up) {
    ClientOptions options;
    options.endpoint = Endpoint::parse("https://[::1]:1").value();
    const auto answer = ask(options, "GET", "/a");
    BOOST_REQUIRE(!answer);
    BOOST_TEST(!holds(answer.error().message, "not found"), answer.error().message);
}

BOOST_AUTO_TEST_CASE(a_url_says_where) {
    const auto full = Endpoint::parse("https://gate.lab.example:8443/jit/");
    BOOST_REQUIRE(full);
    BOOST_TEST(full->host == "gate.lab.example");
    BOOST_TEST(full->port == "8443");
    BOOST_TEST(full->prefix == "/jit");
    BOOST_TEST(Endpoint::parse("https://gate")->port == "443");
}

BOOST_DATA_TEST_CASE(a_url_that_does_not_is_refused,
                     data::make({"", "gate:8443", "http://gate:8443", "https://", "https://a@gate", "https://gate/?a=b",
                                 "https://gate/#a", "https://ga te"}),
                     url) {
    const auto endpoint = Endpoint::parse(url);
    BOOST_REQUIRE(!endpoint);
    BOOST_TEST(holds(endpoint.error(), "write https://HOST:PORT"), endpoint.error());
}

BOOST_AUTO_TEST_SUITE_END()
