#include <arpa/inet.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/bench/live/traffic.hpp"

namespace bench {

sockaddr_in Endpoint::socket_address() const {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port);
    if (::inet_pton(AF_INET, address.c_str(), &made.sin_addr) != 1) {
        errno = EINVAL;
        fail("address " + address);
    }
    return made;
}

void fail(const std::string& what) {
    std::fprintf(stderr, "live_traffic: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(1);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

}  // namespace bench

int main(int argc, char** argv) {
    CLI::App app{"Traffic for the live bench"};
    app.require_subcommand(1);
    bench::Endpoint to;
    unsigned milliseconds = 1000;
    const auto target = [&](CLI::App* command) {
        command->add_option("--address", to.address)->required();
        command->add_option("--port", to.port)->required();
    };

    auto* const echoing = app.add_subcommand("echo", "a TCP server that returns what it gets");
    target(echoing);

    bench::Connect connect;
    auto* const connecting = app.add_subcommand("connect", "TCP connections as fast as they go");
    target(connecting);
    connecting->add_option("--from", connect.from)->required();
    connecting->add_option("--concurrency", connect.concurrency);
    connecting->add_option("--milliseconds", milliseconds);

    unsigned count = 20000;
    auto* const round_trips = app.add_subcommand("round-trips", "a byte there and back, one at a time");
    target(round_trips);
    round_trips->add_option("--count", count)->check(CLI::Range(100U, 10'000'000U));

    CLI11_PARSE(app, argc, argv);
    connect.duration = std::chrono::milliseconds{milliseconds};
    connect.to = to;
    if (*echoing) bench::echo(to);
    if (*connecting) bench::connect_many(connect);
    if (*round_trips) bench::round_trips(to, count);
    return 0;
}
