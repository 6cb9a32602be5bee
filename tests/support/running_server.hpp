#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/api/http/server.hpp"
#include "gateway/api/http/tls.hpp"
#include "tests/support/test_client.hpp"

namespace support {

/// A folder for one test, gone after it.
struct Folder {
    Folder() {
        std::string name = std::filesystem::temp_directory_path() / "portcullis-test-XXXXXX";
        path = ::mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path); }

    std::string path;
};

/// A server in a thread of its own. It answers with what it understood: `GET /a/b peer=127.0.0.1 body=…`; `/long`, with 4 MB;
/// `/waits`, once somebody asks for `/release`; `/blocks`, not before `unblock`, and nobody else meanwhile.
class RunningServer {
public:
    using Limits = gateway::api::http::ServerLimits;

    explicit RunningServer(const Limits& limits = {}, bool tls = false,
                           captures::base::Ipv4Address address = {0x7f000001}) {
        gateway::api::http::Server::Options options{.listen = {address, 0}, .tls = {}, .limits = limits};
        if (tls) {
            const auto names = gateway::api::http::names_of_this_host({0});
            options.tls = gateway::api::http::own_certificate(
                              folder_.path, names,
                              std::chrono::time_point_cast<captures::base::Duration>(std::chrono::system_clock::now()))
                              ->files;
        }
        const auto handler = [this](const auto& request, auto reply) {
            if (request.path == std::vector<std::string>{"waits"}) return waiting_.push_back(std::move(reply));
            reply(answer(request));
        };
        endpoint = server.listen(options, handler).value();
        thread_ = std::thread{[this] {
            server.run([this] {
                ++ticks;
                return captures::base::Time::max();
            });
            ended_.set_value();
        }};
    }
    RunningServer(const RunningServer&) = delete;
    RunningServer& operator=(const RunningServer&) = delete;
    ~RunningServer() {
        server.stop();
        thread_.join();
    }

    /// Ends the server; how long that took.
    std::chrono::milliseconds stop() {
        const auto start = std::chrono::steady_clock::now();
        server.stop();
        ended_.get_future().wait();
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    }

    /// The numbers as the server's thread sees them. Asks until the server has room for one who asks.
    gateway::api::http::Server::Numbers numbers() {
        while (TestClient{endpoint}.ask("GET /numbers HTTP/1.0\r\n\r\n").empty()) ++turned_away;
        return numbers_;
    }

    [[nodiscard]] std::string certificate() const { return folder_.path + "/portcullis-cert.pem"; }

    gateway::api::http::Server server;
    captures::base::Endpoint endpoint;
    std::string last_authorization;  ///< of the last request; to be read once it is answered
    std::atomic<int> ticks = 0;
    std::promise<void> unblock;
    std::uint64_t turned_away = 0;  ///< of those who asked for the numbers

private:
    gateway::api::http::Response answer(const gateway::api::http::Request& request) {
        last_authorization = request.header("authorization");
        std::string text = request.method + " ";
        for (const auto& segment : request.path) text += "/" + segment;
        if (text == "GET /numbers") numbers_ = server.numbers();
        if (text == "GET /stop") server.stop();
        if (text == "GET /throw") throw std::runtime_error{"of the handler"};
        if (text == "GET /blocks") unblock.get_future().wait();
        if (text == "GET /release") {
            for (const auto& reply : std::exchange(waiting_, {})) reply({200, {}, "waited"});
        }
        if (text == "GET /long") return {200, {{"Content-Type", "text/plain"}}, std::string(4'000'000, 'x')};
        text += " base=" + request.base_url + " peer=" + request.peer + " x=" + std::string{request.header("x-test")};
        return {200, {{"Content-Type", "text/plain"}, {"X-Bad", "a\r\nSet-Cookie: b"}}, text + " body=" + request.body};
    }

    Folder folder_;
    gateway::api::http::Server::Numbers numbers_;
    std::vector<gateway::api::http::Reply> waiting_;
    std::promise<void> ended_;
    std::thread thread_;
};

}  // namespace support
