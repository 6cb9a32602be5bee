#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "gateway/api/http/server.hpp"
#include "gateway/config_file/load.hpp"
#include "gateway/service/service.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/service_lab.hpp"

namespace server_limits_test {

using namespace std::chrono_literals;
using support::RunningServer;
using support::TestClient;
using Limits = RunningServer::Limits;

namespace data = boost::unit_test::data;

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: lab\r\n\r\n";

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// For what must run out of time. With TLS there is enough for a handshake on a busy machine.
Limits quick(bool tls = false) {
    Limits limits;
    limits.request_timeout = tls ? 2s : 300ms;
    return limits;
}

/// For what must not.
Limits patient() {
    Limits limits;
    limits.request_timeout = 10min;
    limits.idle_timeout = 10min;
    return limits;
}

}  // namespace server_limits_test

BOOST_AUTO_TEST_SUITE(server_limits_test)

BOOST_DATA_TEST_CASE(an_unfinished_request_is_told_so_and_hung_up_on,
                     data::make({"GET /a HT", "GET /a HTTP/1.1\r\nHost: la",
                                 "POST /a HTTP/1.1\r\nHost: lab\r\nContent-Length: 9\r\n\r\nhell"}) *
                         data::make({false, true}),
                     sent, tls) {
    RunningServer running{quick(tls), tls};
    TestClient client{running.endpoint};
    if (tls) BOOST_TEST(client.start_tls() == "TLSv1.3");
    client.send(sent);
    const auto told = client.rest();
    BOOST_TEST(holds(told, "408 "), told);
    BOOST_TEST(holds(told, "RequestTimeout"));
}

BOOST_DATA_TEST_CASE(a_slow_client_has_no_more_time_and_holds_nobody_up, data::make({false, true}), tls) {
    RunningServer running{quick(tls), tls};
    TestClient slow{running.endpoint};
    if (tls) slow.start_tls();
    slow.send("GET /a HTTP/1.1\r\n");
    while (slow.send("x")) {
        TestClient other{running.endpoint};
        if (tls) other.start_tls();
        BOOST_TEST(holds(other.ask(get), "GET /a"));
        std::this_thread::sleep_for(20ms);
    }
}

BOOST_AUTO_TEST_CASE(a_client_that_says_nothing_is_hung_up_on_without_a_word) {
    RunningServer running{quick()};
    TestClient client{running.endpoint};
    BOOST_TEST(client.rest().empty());
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_finish_its_handshake_is_hung_up_on) {
    RunningServer running{quick(), true};
    TestClient client{running.endpoint};
    client.send("\x16\x03\x01");
    BOOST_TEST(client.rest().empty());
}

BOOST_DATA_TEST_CASE(a_client_that_does_not_read_holds_nobody_up, data::make({false, true}), tls) {
    RunningServer running{patient(), tls};
    TestClient client{running.endpoint};
    if (tls) client.start_tls();
    for (int i = 0; i < 3; ++i) client.send("GET /long HTTP/1.1\r\nHost: lab\r\n\r\n");
    client.wait_for(100'000);
    TestClient other{running.endpoint};
    if (tls) other.start_tls();
    BOOST_TEST(holds(other.ask(get), "GET /a"));
}

BOOST_AUTO_TEST_CASE(a_connection_may_wait_for_its_next_request_longer_than_a_request_may_take) {
    auto limits = quick();
    limits.idle_timeout = 10min;
    RunningServer running{limits};
    TestClient client{running.endpoint};
    BOOST_TEST(holds(client.ask(get), "GET /a"));
    std::this_thread::sleep_for(2 * limits.request_timeout);
    BOOST_TEST(holds(client.ask(get), "GET /a"));
}

BOOST_AUTO_TEST_CASE(a_connection_may_not_wait_for_ever) {
    auto limits = patient();
    limits.idle_timeout = 300ms;
    RunningServer running{limits};
    TestClient client{running.endpoint};
    BOOST_TEST(holds(client.ask(get), "GET /a"));
    BOOST_TEST(client.rest().empty());
}

BOOST_AUTO_TEST_CASE(connections_over_the_limit_are_closed_and_the_others_served) {
    auto limits = patient();
    limits.connections = 20;
    RunningServer running{limits};
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(std::make_unique<TestClient>(running.endpoint));
        BOOST_TEST(holds(clients.back()->ask(get), "GET /a"));
    }
    for (int i = 0; i < 20; ++i) BOOST_TEST(TestClient{running.endpoint}.rest().empty());
    for (const auto& client : clients) BOOST_TEST(holds(client->ask(get), "GET /a"));
    clients.pop_back();
    const auto numbers = running.numbers();  // there is room again
    BOOST_TEST(numbers.refused == 20U + running.turned_away);
    BOOST_TEST(numbers.accepted == 21U);
    BOOST_TEST(numbers.connections == 20U);
}

BOOST_AUTO_TEST_CASE(one_address_cannot_take_all_connections) {
    auto limits = patient();
    limits.connections = 20;
    limits.connections_of_address = 5;
    RunningServer running{limits};
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(std::make_unique<TestClient>(running.endpoint));
        BOOST_TEST(holds(clients.back()->ask(get), "GET /a"));
    }
    BOOST_TEST(TestClient{running.endpoint}.rest().empty());
    TestClient other{running.endpoint, {0x7f000002}};
    BOOST_TEST(holds(other.ask(get), "GET /a"));
    clients.pop_back();
    const auto numbers = running.numbers();  // there is room again
    BOOST_TEST(numbers.refused == 1U + running.turned_away);
}

BOOST_AUTO_TEST_CASE(the_limit_for_an_address_is_the_configurations_in_the_service_too) {
    const support::Folder folder;
    auto config = gateway::config_file::parse_config(support::service_lab_toml, "lab.toml")->config;
    config.api.listen.port = 0;
    config.api.max_connections_per_address = 3;
    const auto now = std::chrono::time_point_cast<captures::base::Duration>(std::chrono::system_clock::now());
    const auto service = gateway::service::Service::start(
        config, folder.path + "/lab.toml", {}, [](auto, const auto&) {}, now);
    BOOST_REQUIRE_MESSAGE(service, (service ? std::string{} : service.error()));
    std::thread thread{[&] { static_cast<void>((*service)->run()); }};
    std::vector<std::unique_ptr<TestClient>> clients;
    std::string versions;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<TestClient>((*service)->facts().listen));
        versions += clients.back()->start_tls() + ' ';
    }
    (*service)->stop();
    thread.join();
    BOOST_TEST(versions == "TLSv1.3 TLSv1.3 TLSv1.3  ");
}

BOOST_AUTO_TEST_CASE(it_ends_when_its_clock_does) {
    gateway::api::http::Server server;
    const auto fails = []() -> captures::base::Time { throw std::bad_alloc{}; };
    BOOST_CHECK_THROW(server.run(fails), std::bad_alloc);
}

BOOST_AUTO_TEST_CASE(only_so_many_large_bodies_come_in_at_once) {
    RunningServer running{patient()};
    const std::string start = "POST /a HTTP/1.1\r\nHost: lab\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n";
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 64; ++i) {
        clients.push_back(std::make_unique<TestClient>(running.endpoint));
        BOOST_TEST(holds(clients.back()->ask(start), "100 Continue"));
    }
    TestClient late{running.endpoint};
    late.send(start);
    const auto told = late.rest();
    BOOST_TEST(holds(told, "503 "), told);
    BOOST_TEST(holds(told, "Retry-After: 1"));
    BOOST_TEST(
        holds(TestClient{running.endpoint}.ask("POST /a HTTP/1.1\r\nHost: lab\r\nContent-Length: 5\r\n\r\nsmall"),
              "body=small"));
    BOOST_TEST(holds(clients.front()->ask(std::string(100'000, 'y')), "body=yyy"));
    TestClient next{running.endpoint};
    BOOST_TEST(holds(next.ask(start), "100 Continue"));
    BOOST_TEST(holds(next.ask(std::string(100'000, 'z')), "body=zzz"));
}

BOOST_AUTO_TEST_CASE(it_ticks) {
    RunningServer running;
    while (running.ticks < 2) std::this_thread::sleep_for(10ms);
}

BOOST_AUTO_TEST_CASE(it_ticks_at_the_time_that_was_named) {
    gateway::api::http::Server server;
    std::vector<captures::base::Time> times;
    const auto now = [] {
        return std::chrono::time_point_cast<captures::base::Duration>(std::chrono::system_clock::now());
    };
    constexpr std::size_t many = 200;
    server.run([&] {
        times.push_back(now());
        if (times.size() == many) server.stop();
        return now() + 1ms;
    });
    BOOST_TEST((times.back() - times.front() < many * 1s / 2));  // it would tick once a second by itself
}

BOOST_AUTO_TEST_CASE(stopping_ends_it_whatever_clients_do) {
    RunningServer running{patient()};
    TestClient waiting{running.endpoint};
    BOOST_TEST(holds(waiting.ask(get), "GET /a"));
    TestClient halfway{running.endpoint};
    halfway.send("GET /a");
    TestClient not_reading{running.endpoint};
    not_reading.send("GET /long HTTP/1.1\r\nHost: lab\r\n\r\n");
    not_reading.wait_for(100'000);
    running.stop();  // else it would be ten minutes
    BOOST_CHECK_THROW(TestClient{running.endpoint}, std::runtime_error);
}

BOOST_AUTO_TEST_CASE(with_nothing_to_finish_it_stops_without_waiting) {
    const auto takes = [] {
        RunningServer running;
        TestClient waiting{running.endpoint};
        BOOST_TEST(holds(waiting.ask(get), "GET /a"));
        return running.stop();
    };
    // It may not know yet that the answer has gone out, or be slow; but it must not wait its second each time.
    bool has_not_waited = false;
    for (int i = 0; i < 50 && !has_not_waited; ++i) has_not_waited = takes() < 1s;
    BOOST_TEST(has_not_waited);
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_being_given_is_finished_on_stop) {
    RunningServer running;
    TestClient client{running.endpoint};
    const auto told = client.ask("GET /stop HTTP/1.1\r\nHost: lab\r\n\r\n");
    BOOST_TEST(holds(told, "Connection: close"));
    BOOST_TEST(holds(told, "GET /stop"));
}

BOOST_AUTO_TEST_CASE(a_signal_stops_it) {
    gateway::api::http::Server server;
    bool raised = false;
    server.run([&] {
        if (!std::exchange(raised, true)) std::raise(SIGTERM);
        return captures::base::Time::max();
    });
    BOOST_TEST(raised);
}

BOOST_AUTO_TEST_SUITE_END()
