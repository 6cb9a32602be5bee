#include "gateway/api/http/server.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <ostream>
#include <vector>

#include "tests/support/running_server.hpp"

namespace server_test {

using support::RunningServer;
using support::TestClient;

namespace data = boost::unit_test::data;

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: lab\r\n\r\n";

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

std::string post(std::string_view body, std::string_view more = "") {
    return "POST /a HTTP/1.1\r\nHost: lab\r\n" + std::string{more} + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string{body};
}

/// What is sent and what the answer must hold.
struct Row {
    std::string name;
    std::string sent;
    std::vector<std::string> told;
    std::vector<std::string> not_told = {};
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

const std::vector<Row> understood{
    {"a path, a header and who asks",
     "GET /a/b%20c?x=1 HTTP/1.1\r\nHost: lab:8443\r\nX-Test: one\r\nx-test: two\r\n\r\n",
     {"HTTP/1.1 200 OK\r\n", "GET /a/b c base=http://lab:8443 peer=127.0.0.1 x=one, two body=", "Date: "},
     {"Connection:"}},
    {"a body", post("hello"), {"POST /a base=http://lab peer=127.0.0.1 x= body=hello"}},
    {"a body in chunks, with an extension and a trailer",
     "POST /a HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-After: 1\r\n\r\n",
     {"body=hello"}},
    {"a target in absolute form, which outranks Host",
     "GET https://other:99/x?y=z HTTP/1.1\r\nHost: lab\r\n\r\n",
     {"GET /x base=http://other:99 "}},
    {"an old client, which is hung up on",
     "GET /a HTTP/1.0\r\n\r\n",
     {"200 OK", "Connection: close", "base=http://127.0.0.1:"}},
    {"an old client that wants to stay",
     "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     {"Connection: keep-alive"}},
    {"a client that wants no more", "GET /a HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n", {"Connection: close"}},
    {"a handler's header that would break out of its line is left out",
     std::string{get},
     {"200 OK"},
     {"Set-Cookie", "X-Bad"}},
    {"a handler that fails",
     "GET /throw HTTP/1.1\r\nHost: lab\r\n\r\n",
     {"500 ", "InternalServerError"},
     {"of the handler"}},
};

const std::vector<Row> refused{
    {"what is no HTTP", "hello?\r\n\r\n", {"400 ", R"({"error":{"code":"BadRequest","message":")"}},
    {"binary", std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11), {"400 "}},
    {"an HTTP to come", "GET / HTTP/2.0\r\nHost: lab\r\n\r\n", {"505 "}},
    {"no host", "GET / HTTP/1.1\r\n\r\n", {"400 ", "Host"}},
    {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {"400 ", "Host"}},
    {"a host that would spoil links", "GET / HTTP/1.1\r\nHost: a/\"><b\r\n\r\n", {"400 ", "Host"}, {"><"}},
    {"a path upwards", "GET /a/../b HTTP/1.1\r\nHost: lab\r\n\r\n", {"400 ", "path"}},
    {"a broken escape", "GET /a%2 HTTP/1.1\r\nHost: lab\r\n\r\n", {"400 ", "path"}},
    {"an asterisk", "OPTIONS * HTTP/1.1\r\nHost: lab\r\n\r\n", {"400 ", "path"}},
    {"a request for a tunnel", "CONNECT lab:22 HTTP/1.1\r\nHost: lab\r\n\r\n", {"400 "}},
    {"two lengths", "POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", {"400 "}},
    {"a length and chunks",
     "POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     {"400 "}},
    {"a negative length", "POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: -1\r\n\r\n", {"400 "}},
    {"an unknown coding", "POST / HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: gzip\r\n\r\n", {"501 "}},
    {"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {"501 "}},
    {"an unknown expectation", "POST / HTTP/1.1\r\nHost: lab\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na", {"417 "}},
    {"a broken chunk", "POST / HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", {"400 "}},
    {"a space before a colon", "GET / HTTP/1.1\r\nHost : lab\r\n\r\n", {"400 "}},
    {"a large header",
     "GET / HTTP/1.1\r\nHost: lab\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n",
     {"431 ", "16384 bytes"}},
    {"many headers",
     [] {
         std::string text = "GET / HTTP/1.1\r\nHost: lab\r\n";
         for (int i = 0; i < 4000; ++i) text += "a: b\r\n";
         return text + "\r\n";
     }(),
     {"431 "}},
    {"a path without end", "GET /" + std::string(40'000, 'x'), {"431 "}},
    {"a large body, as announced",
     "POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 1048577\r\n\r\n",
     {"413 ", "1048576 bytes"}},
    {"a large body, not waited for",
     "POST / HTTP/1.1\r\nHost: lab\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n",
     {"413 "},
     {"100 Continue"}},
    {"a large chunk", "POST / HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", {"413 "}},
    {"a chunk's extension without end",
     "POST / HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(40'000, 'x'),
     {"43"}},
};

}  // namespace server_test

BOOST_AUTO_TEST_SUITE(server_test)

BOOST_DATA_TEST_CASE(it_understands, data::make(understood), row) {
    RunningServer running;
    TestClient client{running.endpoint};
    const auto told = client.ask(row.sent);
    for (const auto& part : row.told) BOOST_TEST(holds(told, part), told << " lacks " << part);
    for (const auto& part : row.not_told) BOOST_TEST(!holds(told, part), told << " has " << part);
}

BOOST_DATA_TEST_CASE(it_refuses_and_hangs_up, data::make(refused), row) {
    RunningServer running;
    TestClient client{running.endpoint};
    client.send(row.sent);
    client.finish();
    const auto told = client.rest();
    BOOST_TEST(told.starts_with("HTTP/1.1 "), told);
    BOOST_TEST(holds(told, "Connection: close"), told);
    BOOST_TEST(count(told, "HTTP/1.1 ") == 1U);
    for (const auto& part : row.told) BOOST_TEST(holds(told, part), told << " lacks " << part);
    for (const auto& part : row.not_told) BOOST_TEST(!holds(told, part), told << " has " << part);
    if (!holds(told, "path")) BOOST_TEST(running.numbers().malformed == 1U);
}

BOOST_AUTO_TEST_CASE(a_refused_body_that_keeps_coming_does_not_take_the_answer_away) {
    RunningServer running;
    TestClient client{running.endpoint};
    client.send("POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 3000000\r\n\r\n");
    client.send(std::string(3'000'000, 'x'));
    BOOST_TEST(holds(client.rest(), "413 "));
}

BOOST_AUTO_TEST_CASE(a_head_tells_the_length_only) {
    RunningServer running;
    TestClient client{running.endpoint};
    client.send("HEAD /long HTTP/1.1\r\nHost: lab\r\n\r\n");
    const auto told = client.answer(false);
    BOOST_TEST(holds(told, "Content-Length: 4000000\r\n"));
    BOOST_TEST(told.ends_with("\r\n\r\n"));
    BOOST_TEST(holds(client.ask(get), "GET /a"));  // the connection goes on right after it
}

BOOST_AUTO_TEST_CASE(a_client_that_expects_100_gets_it_before_it_sends_its_body) {
    RunningServer running;
    TestClient client{running.endpoint};
    client.send("POST /a HTTP/1.1\r\nHost: lab\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    BOOST_TEST(client.answer() == "HTTP/1.1 100 Continue\r\n\r\n");
    BOOST_TEST(holds(client.ask("hello"), "body=hello"));
}

BOOST_AUTO_TEST_CASE(requests_in_a_row_are_answered_in_a_row) {
    RunningServer running;
    TestClient client{running.endpoint};
    std::string all;
    for (int i = 0; i < 500; ++i) all += post("number " + std::to_string(i) + ".");
    client.send(all);
    for (int i = 0; i < 500; ++i) BOOST_TEST(holds(client.answer(), "body=number " + std::to_string(i) + "."));
}

BOOST_AUTO_TEST_CASE(a_request_may_come_byte_by_byte) {
    RunningServer running;
    TestClient client{running.endpoint};
    for (const char byte : post("hello")) {
        client.send({&byte, 1});
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    BOOST_TEST(holds(client.answer(), "body=hello"));
}

BOOST_AUTO_TEST_CASE(tls_is_1_2_or_later) {
    RunningServer running{{}, true};
    BOOST_TEST(TestClient{running.endpoint}.start_tls(TLS1_1_VERSION).empty());
    TestClient older{running.endpoint};
    BOOST_TEST(older.start_tls(TLS1_2_VERSION) == "TLSv1.2");
    BOOST_TEST(holds(older.ask(get), "base=https://lab peer=127.0.0.1"));
    TestClient newer{running.endpoint};
    BOOST_TEST(newer.start_tls() == "TLSv1.3");
    BOOST_TEST(holds(newer.ask("GET /long HTTP/1.1\r\nHost: lab\r\n\r\n"), std::string(4'000'000, 'x')));
    BOOST_TEST(holds(newer.ask(post(std::string(500'000, 'b'))), std::string(500'000, 'b')));
}

BOOST_AUTO_TEST_CASE(who_speaks_http_to_the_tls_port_is_told) {
    RunningServer running{{}, true};
    TestClient client{running.endpoint};
    client.send(get);
    const auto told = client.rest();
    BOOST_TEST(holds(told, "400 "), told);
    BOOST_TEST(holds(told, "https://"));
}

BOOST_AUTO_TEST_CASE(an_address_that_is_taken_is_named) {
    RunningServer running;
    gateway::api::http::Server other;
    const auto result = other.listen({.listen = running.endpoint, .tls = {}, .limits = {}}, {});
    BOOST_REQUIRE(!result);
    BOOST_TEST(holds(result.error(), to_string(running.endpoint)));
    BOOST_TEST(holds(result.error(), "already in use"), result.error());
}

BOOST_AUTO_TEST_CASE(an_answer_may_come_later_and_others_come_meanwhile) {
    RunningServer running;
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(std::make_unique<TestClient>(running.endpoint));
        clients.back()->send("GET /waits HTTP/1.1\r\nHost: lab\r\n\r\n");
    }
    TestClient other{running.endpoint};
    BOOST_TEST(holds(other.ask("GET /other HTTP/1.1\r\nHost: lab\r\n\r\n"), "GET /other"));
    // What was sent before may be read after: ask until all have their answer.
    std::atomic<std::size_t> answered = 0;
    std::thread releases{[&] {
        while (answered < clients.size()) {
            TestClient{running.endpoint}.ask("GET /release HTTP/1.0\r\n\r\n");
        }
    }};
    for (const auto& client : clients) {
        BOOST_TEST(holds(client->answer(), "\r\n\r\nwaited"));
        ++answered;
    }
    releases.join();
}

BOOST_AUTO_TEST_CASE(an_answer_that_comes_when_its_client_has_gone_goes_nowhere) {
    RunningServer running;
    { TestClient{running.endpoint}.send("GET /waits HTTP/1.1\r\nHost: lab\r\n\r\n"); }
    for (int i = 0; i < 5; ++i) {
        BOOST_TEST(holds(TestClient{running.endpoint}.ask("GET /release HTTP/1.0\r\n\r\n"), "GET /release"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
