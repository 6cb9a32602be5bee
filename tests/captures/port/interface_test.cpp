#include "captures/port/interface.hpp"

#include <cerrno>
#include <chrono>

#include <unistd.h>

#include "captures/port/offload_guard.hpp"
#include "tests/support/veth_lab.hpp"

namespace interface_test {

using support::VethLab;

bool gro_is_on(const VethLab& lab) {
    return lab.gateway.status_of("ethtool -k outside | grep -q '^generic-receive-offload: on'") == 0;
}

}  // namespace interface_test

BOOST_AUTO_TEST_SUITE(interface_test, *boost::unit_test::precondition(support::may_make_namespaces))

BOOST_AUTO_TEST_CASE(an_interface_is_found_with_its_properties) {
    const VethLab lab{VethLab::Offloads::on, 1400};
    lab.gateway.run("ip addr add 192.0.2.1/24 dev outside && ip link add v numrxqueues 3 type veth peer name w");
    const auto entered = lab.gateway.enter();
    const auto found = captures::port::find_interface("outside");
    BOOST_REQUIRE(found);
    BOOST_TEST(found->index > 0);
    BOOST_TEST((found->mac == VethLab::outside_mac));
    BOOST_TEST(found->mtu == 1400U);
    BOOST_TEST(found->up);
    BOOST_TEST(found->running);
    BOOST_TEST(found->driver == "veth");
    BOOST_TEST((found->addresses == std::vector<captures::base::Ipv4Address>{{0xc0000201}}));
    lab.client.run("ip link set eth0 down");
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{2};  // the kernel takes its time
    while (captures::port::find_interface("outside")->running && std::chrono::steady_clock::now() < end) usleep(10'000);
    BOOST_TEST(!captures::port::find_interface("outside")->running);
    BOOST_TEST(captures::port::find_interface("outside")->up);
    BOOST_TEST(!captures::port::find_interface("v")->up);
    BOOST_TEST(captures::port::find_interface("v")->receive_queues == 3U);
}

BOOST_AUTO_TEST_CASE(a_missing_permission_says_what_is_needed) {
    const auto text = captures::port::interface_error("eth7", "cannot be opened", EPERM);
    BOOST_TEST(text.find("interface eth7: cannot be opened: Operation not permitted; needs CAP_NET_RAW") == 0U);
    BOOST_TEST(captures::port::interface_error("eth7", "x", ENODEV).find("needs") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_offload_is_turned_off_and_on_again) {
    const VethLab lab{VethLab::Offloads::on};
    for (const bool on : {true, false}) {
        lab.gateway.run(std::string{"ethtool -K outside gro "} + (on ? "on" : "off"));
        {
            const auto entered = lab.gateway.enter();
            const auto guard = captures::port::OffloadGuard::turn_off("outside", captures::port::OffloadGuard::merging);
            BOOST_REQUIRE(guard);
            BOOST_TEST(!gro_is_on(lab));
        }
        BOOST_TEST(gro_is_on(lab) == on);
    }
}

BOOST_AUTO_TEST_SUITE_END()
