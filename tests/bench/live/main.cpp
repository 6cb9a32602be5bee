#include <arpa/inet.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>

#include "tests/bench/live/traffic.hpp"
#include "tests/support/mac_address.hpp"

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

void fail(const std::string& what) { fail_because(what + ": " + std::strerror(errno)); }

void fail_because(const std::string& reason) {
    std::fprintf(stderr, "live_traffic: %s\n", reason.c_str());
    std::exit(1);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

}  // namespace bench

namespace {

template <class Value>
Value known(const std::optional<Value>& parsed, const std::string& text) {
    if (!parsed) bench::fail_because(text + " is no address");
    return *parsed;
}

int run(int argc, char** argv) {
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

    std::string interface;
    auto* const answering = app.add_subcommand("answer", "as echo, past the kernel's stack");
    answering->add_option("--interface", interface)->required();
    answering->add_option("--port", to.port)->required();

    bench::Establish establish;
    std::string source;
    std::string gateway;
    auto* const establishing = app.add_subcommand("establish", "as connect, past the kernel's stack");
    target(establishing);
    establishing->add_option("--interface", interface)->required();
    establishing->add_option("--from", source)->required();
    establishing->add_option("--gateway-mac", gateway)->required();
    establishing->add_option("--concurrency", establish.concurrency)->check(CLI::Range(1U, 10'000U));
    establishing->add_option("--milliseconds", milliseconds);

    unsigned count = 20000;
    auto* const round_trips = app.add_subcommand("round-trips", "a byte there and back, one at a time");
    target(round_trips);
    round_trips->add_option("--count", count)->check(CLI::Range(100U, 10'000'000U));

    CLI11_PARSE(app, argc, argv);
    connect.duration = std::chrono::milliseconds{milliseconds};
    connect.to = to;
    if (*echoing) bench::echo(to);
    if (*connecting) bench::connect_many(connect);
    if (*answering) bench::answer(interface, to.port);
    if (*establishing) {
        establish.interface = interface;
        establish.from = known(captures::base::Ipv4Address::parse(source), source);
        establish.to = {known(captures::base::Ipv4Address::parse(to.address), to.address), to.port};
        establish.gateway = known(support::parse_mac(gateway), gateway);
        establish.duration = connect.duration;
        bench::establish(establish);
    }
    if (*round_trips) bench::round_trips(to, count);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        bench::fail_because(error.what());
    }
}
