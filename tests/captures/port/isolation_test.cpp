#include "captures/port/isolation.hpp"

#include <array>
#include <csignal>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "captures/port/live_port.hpp"
#include "tests/support/veth_lab.hpp"

namespace isolation_test {

using captures::port::Isolation;
using support::VethLab;

Isolation isolated(const VethLab& lab, const std::string& interface) {
    const auto entered = lab.gateway.enter();
    auto made = Isolation::of(interface);
    BOOST_REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error()));
    return std::move(*made);
}

/// A kernel that would answer: a datagram to a closed port is refused.
VethLab& with_address(VethLab& lab) {
    lab.gateway.run("ip addr add 10.1.0.1/24 dev outside");
    return lab;
}

bool kernel_answers(const VethLab& lab, int attempts = 3) {
    const auto socket = lab.client.socket(AF_INET, SOCK_DGRAM);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(9);
    address.sin_addr.s_addr = htonl(0x0a010001);
    BOOST_REQUIRE(connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (send(socket.number(), "?", 1, 0) != 1) return true;
        pollfd ready{socket.number(), POLLIN, 0};
        if (poll(&ready, 1, 100) == 1) return true;
    }
    return false;
}

bool has_tables(const VethLab& lab) { return lab.gateway.status_of("nft list tables | grep -q portcullis_") == 0; }

}  // namespace isolation_test

BOOST_AUTO_TEST_SUITE(isolation_test, *boost::unit_test::precondition(support::may_make_namespaces))

BOOST_AUTO_TEST_CASE(the_kernel_does_not_see_what_arrives_and_a_port_does) {
    VethLab lab{VethLab::Offloads::on};
    BOOST_REQUIRE(kernel_answers(with_address(lab), 30));  // a new link takes a second to be ready
    {
        const auto isolation = isolated(lab, "outside");
        const auto entered = lab.gateway.enter();
        const auto port = captures::port::open_live_port("outside");
        BOOST_REQUIRE(port);
        BOOST_TEST(!kernel_answers(lab));
        captures::packet::Burst burst;
        BOOST_TEST((*port)->receive(burst.frames) > 0U);
    }
    BOOST_TEST(!has_tables(lab));
    BOOST_TEST(kernel_answers(lab, 30));
}

BOOST_AUTO_TEST_CASE(what_a_killed_run_left_stays_and_is_replaced) {
    VethLab lab{VethLab::Offloads::on};
    with_address(lab);
    const pid_t child = fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        const auto isolation = isolated(lab, "outside");
        raise(SIGKILL);
    }
    int status = 0;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_TEST(WIFSIGNALED(status));
    BOOST_TEST(has_tables(lab));
    BOOST_TEST(!kernel_answers(lab));
    { const auto isolation = isolated(lab, "outside"); }
    BOOST_TEST(!has_tables(lab));
}

BOOST_AUTO_TEST_CASE(it_is_renewed_when_its_interface_was_removed_and_made_anew) {
    const VethLab lab{VethLab::Offloads::on};
    lab.gateway.run("ip link add again type veth peer name other");
    auto isolation = isolated(lab, "again");
    const std::string closed = "nft list ruleset | grep -q 'device \"again\" priority -500; policy drop'";
    lab.gateway.run(closed);
    lab.gateway.run("ip link delete again");
    // Linux 6.16 and newer takes the names of interfaces that are to come; older ones refuse.
    for (int i = 0; i < 3; ++i) static_cast<void>(isolation.renew());
    lab.gateway.run("ip link add again type veth peer name other");
    for (int i = 0; i < 3; ++i) BOOST_TEST(isolation.renew().has_value());
    lab.gateway.run(closed);
}

BOOST_AUTO_TEST_CASE(it_knows_when_somebody_has_taken_it_away) {
    const VethLab lab{VethLab::Offloads::on};
    auto isolation = isolated(lab, "outside");
    BOOST_TEST(isolation.is_in_place());
    for (const auto* gone : {"nft flush ruleset", "nft delete chain netdev portcullis_outside ingress"}) {
        lab.gateway.run(gone);
        BOOST_TEST(!isolation.is_in_place());
        BOOST_TEST(isolation.renew().has_value());
        BOOST_TEST(isolation.is_in_place());
    }
}

BOOST_AUTO_TEST_CASE(interfaces_do_not_clash) {
    const VethLab lab{VethLab::Offloads::on};
    lab.gateway.run("ip link add a.b-c type veth peer name a_b");
    lab.gateway.run("ip link add 'a\"b' type veth peer name \"a'b\"");
    const auto one = isolated(lab, "outside");
    const auto two = isolated(lab, "inside");
    const auto three = isolated(lab, "a.b-c");
    const auto four = isolated(lab, "a\"b");
    { const auto five = isolated(lab, "a_b"); }
    lab.gateway.run("test $(nft list tables | grep -c portcullis_) = 4");
}

BOOST_AUTO_TEST_CASE(says_what_is_wrong) {
    const VethLab lab{VethLab::Offloads::on};
    const auto entered = lab.gateway.enter();
    BOOST_TEST(Isolation::of("nowhere").error().find("there is no interface nowhere") == 0U);
}

BOOST_AUTO_TEST_CASE(an_address_that_the_kernel_has_is_found) {
    VethLab lab{VethLab::Offloads::on};
    with_address(lab);
    const auto entered = lab.gateway.enter();
    const std::array<captures::base::Ipv4Address, 2> ours{{{0x0a010001}, {0x0a020001}}};
    const auto found = captures::port::kernel_owns(ours);
    BOOST_REQUIRE(found);
    BOOST_TEST(*found ==
               "10.1.0.1 is the gateway's, but the kernel has it on outside and would answer for it; "
               "`ip addr del 10.1.0.1/24 dev outside` takes it off");
    BOOST_TEST(!captures::port::kernel_owns(std::span{ours}.last(1)));
}

BOOST_AUTO_TEST_SUITE_END()
