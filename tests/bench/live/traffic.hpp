#pragma once

#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "captures/base/address.hpp"
#include "captures/port/port.hpp"

/// What the live bench sends through a gateway, and what answers behind it. Each prints one line of JSON.
namespace bench {

struct Endpoint {
    std::string address;
    std::uint16_t port = 0;

    [[nodiscard]] sockaddr_in socket_address() const;
};

/// Ends the program with what the system says of the step that failed.
[[noreturn]] void fail(const std::string& what);
[[noreturn]] void fail_because(const std::string& reason);

/// A TCP server: returns each byte that it gets, until the process is ended.
void echo(const Endpoint& listen);

/// TCP connections as fast as they go: open, a byte there and back, close; `concurrency` at a time, sources in turn.
struct Connect {
    std::vector<std::string> from;
    Endpoint to;
    unsigned concurrency = 64;
    std::chrono::milliseconds duration{1000};
};
void connect_many(const Connect& options);

/// Answers TCP past the kernel's stack, as `echo` would, until the process is ended. Says when it does.
void answer(const std::string& interface, std::uint16_t port);

/// As `connect_many`, past the kernel's stack, from the ports of one address in turn. `repeated` counts segments that were
/// sent again.
struct Establish {
    std::string interface;
    captures::base::Ipv4Address from;
    captures::base::Endpoint to;
    captures::port::MacAddress gateway{};
    unsigned concurrency = 64;
    std::chrono::milliseconds duration{1000};
};
void establish(const Establish& options);

/// One byte there and back, one at a time, over one TCP connection.
void round_trips(const Endpoint& to, unsigned count);

}  // namespace bench
