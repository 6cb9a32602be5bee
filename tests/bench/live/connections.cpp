#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "tests/bench/live/traffic.hpp"

namespace bench {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t most_events = 256;

void watch(int poll, int descriptor, std::uint32_t events, int how) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    if (::epoll_ctl(poll, how, descriptor, &event) < 0) fail("epoll_ctl");
}

int tcp_socket(int flags) {
    const int made = ::socket(AF_INET, SOCK_STREAM | flags, 0);
    if (made < 0) fail("socket");
    const int on = 1;
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return made;
}

void connect_to(int descriptor, const Endpoint& to) {
    const auto address = to.socket_address();
    const int status = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (status < 0 && errno != EINPROGRESS) fail("connect");
}

int open_connection(const std::string& from, const Endpoint& to) {
    const int made = tcp_socket(SOCK_NONBLOCK);
    const int on = 1;
    ::setsockopt(made, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const auto address = Endpoint{from, 0}.socket_address();
    if (::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) fail("bind " + from);
    connect_to(made, to);
    return made;
}

}  // namespace

void echo(const Endpoint& listen) {
    const int server = tcp_socket(SOCK_NONBLOCK);
    const int on = 1;
    ::setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = listen.socket_address();
    if (::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) fail("bind " + listen.address);
    if (::listen(server, 4096) < 0) fail("listen");
    const int poll = ::epoll_create1(0);
    watch(poll, server, EPOLLIN, EPOLL_CTL_ADD);
    std::array<epoll_event, most_events> events{};
    while (true) {
        const int count = ::epoll_wait(poll, events.data(), most_events, -1);
        for (int i = 0; i < count; ++i) {
            const int ready = events.at(static_cast<std::size_t>(i)).data.fd;
            if (ready == server) {
                int accepted = -1;
                while ((accepted = ::accept4(server, nullptr, nullptr, SOCK_NONBLOCK)) >= 0) {
                    ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    watch(poll, accepted, EPOLLIN, EPOLL_CTL_ADD);
                }
                continue;
            }
            std::array<char, 64> bytes{};
            const auto got = ::read(ready, bytes.data(), bytes.size());
            if (got <= 0 || ::write(ready, bytes.data(), static_cast<std::size_t>(got)) != got) ::close(ready);
        }
    }
}

void connect_many(const Connect& options) {
    const int poll = ::epoll_create1(0);
    std::size_t next = 0;
    const auto begin_one = [&] {
        const int made = open_connection(options.from[next++ % options.from.size()], options.to);
        watch(poll, made, EPOLLOUT, EPOLL_CTL_ADD);
    };
    const auto begin = Clock::now();
    for (unsigned i = 0; i < options.concurrency; ++i) begin_one();
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::array<epoll_event, most_events> events{};
    auto now = begin;
    while ((now = Clock::now()) - begin < options.duration) {
        const int count = ::epoll_wait(poll, events.data(), most_events, 100);
        for (int i = 0; i < count; ++i) {
            const auto& event = events.at(static_cast<std::size_t>(i));
            const int ready = event.data.fd;
            char byte = 'x';
            const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
            if (!broken && (event.events & EPOLLOUT) != 0 && ::write(ready, &byte, 1) == 1) {
                watch(poll, ready, EPOLLIN, EPOLL_CTL_MOD);
                continue;
            }
            const bool answered = !broken && ::read(ready, &byte, 1) == 1;
            answered ? ++done : ++failed;
            ::close(ready);
            begin_one();
        }
    }
    const std::chrono::duration<double> took = now - begin;
    fmt::print("{{\"connections\":{},\"failed\":{},\"seconds\":{:.6f}}}\n", done, failed, took.count());
}

void round_trips(const Endpoint& to, unsigned count) {
    const int made = tcp_socket(0);
    connect_to(made, to);
    std::vector<double> microseconds;
    microseconds.reserve(count);
    const auto once = [&] {
        char byte = 'x';
        if (::write(made, &byte, 1) != 1 || ::read(made, &byte, 1) != 1) fail("round trip");
    };
    for (unsigned i = 0; i < count / 10; ++i) once();  // to get warm
    for (unsigned i = 0; i < count; ++i) {
        const auto begin = Clock::now();
        once();
        microseconds.push_back(std::chrono::duration<double, std::micro>{Clock::now() - begin}.count());
    }
    std::ranges::sort(microseconds);
    fmt::print("{{\"p50\":{:.1f},\"p99\":{:.1f}}}\n", microseconds[count / 2], microseconds[count - 1 - count / 100]);
}

}  // namespace bench
