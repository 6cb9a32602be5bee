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

template <class Do>
std::chrono::milliseconds time_of(Do what) {
    const auto start = std::chrono::steady_clock::now();
    what();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

Limits quick() {
    Limits limits;
    limits.request_timeout = 300ms;
    return limits;
}

}  // namespace server_limits_test

BOOST_AUTO_TEST_SUITE(server_limits_test)

BOOST_DATA_TEST_CASE(an_unfinished_request_is_told_so_and_hung_up_on,
                     data::make({"GET /a HT", "GET /a HTTP/1.1\r\nHost: la",
                                 "POST /a HTTP/1.1\r\nHost: lab\r\nContent-Length: 9\r\n\r\nhell"}) *
                         data::make({false, true}),
                     sent, tls) {
    RunningServer running{quick(), tls};
    TestClient client{running.endpoint};
    if (tls) BOOST_TEST(client.start_tls() == "TLSv1.3");
    std::string told;
    const auto took = time_of([&] {
        client.send(sent);
        told = client.rest();
    });
    BOOST_TEST(holds(told, "408 "), told);
    BOOST_TEST(holds(told, "RequestTimeout"));
    BOOST_TEST(took.count() >= 250);
    BOOST_TEST(took.count() < 2500);
}

BOOST_DATA_TEST_CASE(a_slow_client_has_no_more_time_and_holds_nobody_up, data::make({false, true}), tls) {
    RunningServer running{quick(), tls};
    TestClient slow{running.endpoint};
    if (tls) slow.start_tls();
    const auto until = std::chrono::steady_clock::now() + 5s;
    bool open = true;
    slow.send("GET /a HTTP/1.1\r\n");
    while (open && std::chrono::steady_clock::now() < until) {
        open = slow.send("x");
        const auto took = time_of([&] {
            TestClient other{running.endpoint};
            if (tls) other.start_tls();
            BOOST_TEST(holds(other.ask(get), "GET /a"));
        });
        BOOST_TEST(took.count() < 200);
        std::this_thread::sleep_for(20ms);
    }
    BOOST_TEST(!open);
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
    const auto took = time_of([&] { BOOST_TEST(client.rest().empty()); });
    BOOST_TEST(took.count() < 2500);
}

BOOST_DATA_TEST_CASE(a_client_that_does_not_read_holds_nobody_up, data::make({false, true}), tls) {
    RunningServer running{quick(), tls};
    TestClient client{running.endpoint};
    if (tls) client.start_tls();
    for (int i = 0; i < 3; ++i) client.send("GET /long HTTP/1.1\r\nHost: lab\r\n\r\n");
    std::this_thread::sleep_for(200ms);
    TestClient other{running.endpoint};
    if (tls) other.start_tls();
    BOOST_TEST(holds(other.ask(get), "GET /a"));
}

BOOST_AUTO_TEST_CASE(a_connection_may_wait_for_its_next_request_longer_than_a_request_may_take) {
    auto limits = quick();
    limits.idle_timeout = 900ms;
    RunningServer running{limits};
    TestClient client{running.endpoint};
    BOOST_TEST(holds(client.ask(get), "GET /a"));
    std::this_thread::sleep_for(600ms);
    BOOST_TEST(holds(client.ask(get), "GET /a"));
    const auto took = time_of([&] { BOOST_TEST(client.rest().empty()); });
    BOOST_TEST(took.count() >= 800);
}

BOOST_AUTO_TEST_CASE(connections_over_the_limit_are_closed_and_the_others_served) {
    Limits limits;
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
    std::this_thread::sleep_for(100ms);
    const auto numbers = running.numbers();  // there is room again
    BOOST_TEST(numbers.refused == 20U);
    BOOST_TEST(numbers.accepted == 21U);
    BOOST_TEST(numbers.connections == 20U);
}

BOOST_AUTO_TEST_CASE(one_address_cannot_take_all_connections) {
    Limits limits;
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
    clients.resize(3);  // one for what comes next, one for the numbers
    std::this_thread::sleep_for(100ms);
    BOOST_TEST(holds(TestClient{running.endpoint}.ask(get), "GET /a"));
    BOOST_TEST(running.numbers().refused == 1U);
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
    RunningServer running;
    const std::string start = "POST /a HTTP/1.1\r\nHost: lab\r\nContent-Length: 100000\r\n\r\n";
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 64; ++i) {
        clients.push_back(std::make_unique<TestClient>(running.endpoint));
        clients.back()->send(start);
    }
    std::this_thread::sleep_for(200ms);
    TestClient late{running.endpoint};
    late.send(start);
    const auto told = late.rest();
    BOOST_TEST(holds(told, "503 "), told);
    BOOST_TEST(holds(told, "Retry-After: 1"));
    BOOST_TEST(
        holds(TestClient{running.endpoint}.ask("POST /a HTTP/1.1\r\nHost: lab\r\nContent-Length: 5\r\n\r\nsmall"),
              "body=small"));
    BOOST_TEST(holds(clients.front()->ask(std::string(100'000, 'y')), "body=yyy"));
    BOOST_TEST(holds(TestClient{running.endpoint}.ask(start + std::string(100'000, 'z')), "body=zzz"));
}

BOOST_AUTO_TEST_CASE(it_ticks) {
    RunningServer running;
    std::this_thread::sleep_for(1200ms);
    BOOST_TEST(running.ticks >= 2);
}

BOOST_AUTO_TEST_CASE(it_ticks_at_the_time_that_was_named) {
    gateway::api::http::Server server;
    std::vector<captures::base::Time> times;
    const auto now = [] {
        return std::chrono::time_point_cast<captures::base::Duration>(std::chrono::system_clock::now());
    };
    server.run([&] {
        times.push_back(now());
        if (times.size() == 5) server.stop();
        return now() + 50ms;
    });
    BOOST_TEST((times.back() - times.front() >= 195ms));
    BOOST_TEST((times.back() - times.front() < 900ms));
}

BOOST_AUTO_TEST_CASE(stopping_ends_it_within_a_second_whatever_clients_do) {
    RunningServer running;
    TestClient waiting{running.endpoint};
    BOOST_TEST(holds(waiting.ask(get), "GET /a"));
    TestClient halfway{running.endpoint};
    halfway.send("GET /a");
    TestClient not_reading{running.endpoint};
    not_reading.send("GET /long HTTP/1.1\r\nHost: lab\r\n\r\n");
    std::this_thread::sleep_for(100ms);
    BOOST_TEST(running.stop().count() <= 1000);
    BOOST_CHECK_THROW(TestClient{running.endpoint}, std::runtime_error);
}

BOOST_AUTO_TEST_CASE(with_nothing_to_finish_it_stops_at_once) {
    RunningServer running;
    TestClient waiting{running.endpoint};
    BOOST_TEST(holds(waiting.ask(get), "GET /a"));
    std::this_thread::sleep_for(100ms);  // until the server, too, knows that the answer has gone out
    BOOST_TEST(running.stop().count() < 300);
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
