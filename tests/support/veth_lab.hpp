#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/test/unit_test.hpp>

#include "captures/base/file_descriptor.hpp"
#include "captures/port/port.hpp"

/// Network namespaces of this process, joined by veth pairs: real interfaces to test drivers on.
namespace support {

/// For a test case's or a suite's precondition: skips what needs root where there is none.
[[nodiscard]] boost::test_tools::assertion_result may_make_namespaces(boost::unit_test::test_unit_id id);

/// Lives by a file descriptor: ends with this process, whatever happens.
class NetworkNamespace {
public:
    NetworkNamespace();

    /// This thread is in the namespace as long as this lives; sockets that it opens stay there.
    class Entered {
    public:
        explicit Entered(int target);
        Entered(const Entered&) = delete;
        Entered& operator=(const Entered&) = delete;
        ~Entered();

    private:
        captures::base::FileDescriptor before_;
    };
    [[nodiscard]] Entered enter() const { return Entered{descriptor_.number()}; }

    /// A shell command, in the namespace; fails the test if it does.
    void run(const std::string& command) const;
    /// Its status, 0 for success.
    [[nodiscard]] int status_of(const std::string& command) const;
    [[nodiscard]] captures::base::FileDescriptor socket(int domain, int type, int protocol = 0) const;
    [[nodiscard]] std::string path() const;

private:
    captures::base::FileDescriptor descriptor_;
};

/// Sends and receives frames on an interface there, and never waits.
[[nodiscard]] captures::base::FileDescriptor packet_socket(const NetworkNamespace& where, const std::string& interface);

/// client eth0 10.1.0.2 <-> `outside` gateway `inside` <-> eth0 10.2.0.2 server. Both hosts have a route to the other
/// through the gateway and know its MAC addresses; the gateway has no IP addresses.
class VethLab {
public:
    enum class Offloads : bool { off, on };

    explicit VethLab(Offloads offloads, int mtu = 1500);

    NetworkNamespace client;
    NetworkNamespace gateway;
    NetworkNamespace server;

    static constexpr std::uint32_t client_address = 0x0a010002;
    static constexpr std::uint32_t server_address = 0x0a020002;
    static constexpr const char* client_mac = "02:00:00:00:01:02";
    static constexpr const char* server_mac = "02:00:00:00:02:02";
    static constexpr captures::port::MacAddress outside_mac{std::byte{2}, {}, {}, {}, std::byte{1}, std::byte{1}};
    static constexpr captures::port::MacAddress inside_mac{std::byte{2}, {}, {}, {}, std::byte{2}, std::byte{1}};
};

/// Moves what arrives at one port to the other, MAC addresses changed as a router does.
class Forwarder {
public:
    Forwarder(captures::port::Port& outside, captures::port::Port& inside) : outside_(outside), inside_(inside) {}

    /// What is there now, both ways; the number of frames.
    std::size_t step();
    /// Waits for either port, at most so long.
    void wait(std::chrono::milliseconds most);

    bool saw_partial = false;
    std::uint32_t largest = 0;

private:
    std::size_t move(captures::port::Port& from, captures::port::Port& to, bool inwards);

    captures::port::Port& outside_;
    captures::port::Port& inside_;
    captures::packet::Burst burst_;
};

}  // namespace support
