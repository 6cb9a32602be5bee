#include <boost/test/unit_test.hpp>

#include <array>
#include <random>

#include "tests/support/access_lab.hpp"

namespace access_deltas_test {

// What `commit` returns is all that whoever judges packets needs.

using gateway::access::AccessChange;
using policy::Doors;
using namespace support::access_lab;

constexpr Ipv4Address public_ip{0xcb00710a};

gateway::config::Config mapped_lab() {
    auto config = lab();
    config.firewall.public_ips = {public_ip};
    config.jit.mapped_ports = captures::base::PortRange{50000, 50003};
    return config;
}

struct MappedLab {
    gateway::config::Config config = mapped_lab();
    Access access{config};
    Doors doors{access.state()};

    policy::WindowDelta take(AccessChange change) {
        auto delta = access.commit(std::move(change));
        doors.apply(delta);
        return delta;
    }
    policy::WindowDelta request(const AccessRequest& request, Time now) {
        return take(access.plan_request({&request, 1}, now).value());
    }
};

/// Everything that can be asked of both, on the ports and addresses of the lab.
bool alike(const Doors& one, const Doors& other, Time now) {
    for (const auto target : {web_ssh, web_dns, db_ssh, Endpoint{web_ssh.address, 3389}}) {
        for (const auto protocol : {Protocol::tcp, Protocol::udp}) {
            if (one.windows().guarded(target, protocol) != other.windows().guarded(target, protocol)) return false;
            for (std::uint32_t host = 0; host < 6; ++host) {
                const Ipv4Address source{0xc6336400 + host};
                if (one.windows().find(target, protocol, source, now) !=
                    other.windows().find(target, protocol, source, now)) {
                    return false;
                }
            }
        }
    }
    for (std::uint16_t port = 50000; port < 50004; ++port) {
        for (const auto protocol : {Protocol::tcp, Protocol::udp}) {
            for (std::uint32_t host = 0; host < 6; ++host) {
                const dnat::Arrived arrived{{{{0xc6336400 + host}, 40000}, {public_ip, port}, protocol}};
                const auto first = one.mapped_rules().match(arrived);
                const auto second = other.mapped_rules().match(arrived);
                if (first.listening != second.listening || first.rule.has_value() != second.rule.has_value() ||
                    first.target != second.target) {
                    return false;
                }
            }
        }
    }
    return true;
}

}  // namespace access_deltas_test

BOOST_AUTO_TEST_SUITE(access_deltas_test)

BOOST_FIXTURE_TEST_CASE(a_request_opens_its_window_and_its_mapped_port, MappedLab) {
    const auto delta = request(asks(operator_1), noon);
    BOOST_REQUIRE_EQUAL(delta.mapped_rules.size(), 1U);
    BOOST_TEST(to_string(delta.mapped_rules[0].name) == "MDC-JIT/web01-22");
    BOOST_TEST((delta.mapped_rules[0].target == web_ssh));
    BOOST_REQUIRE_EQUAL(delta.opened.size(), 1U);
    BOOST_TEST(delta.opened[0].id == 1U);
    BOOST_TEST((delta.opened[0].mapped_port == delta.mapped_rules[0].listener));
    BOOST_TEST(delta.closed.empty());
    BOOST_TEST(delta.cut.empty());
    BOOST_TEST(request(asks(operator_2), noon).mapped_rules.empty());  // it was given already
}

BOOST_FIXTURE_TEST_CASE(an_extension_moves_one_window_and_a_renewal_hands_its_flows_on, MappedLab) {
    request(asks(operator_1), noon);
    const auto extended = take(access.plan_extend(operator_1, "web01", 22, 2h, noon).value());
    BOOST_REQUIRE_EQUAL(extended.closed.size(), 1U);
    BOOST_REQUIRE_EQUAL(extended.opened.size(), 1U);
    BOOST_TEST((extended.closed[0].end == noon + 1h));
    BOOST_TEST((extended.opened[0].end == noon + 2h));
    const auto renewed = request(asks(operator_1), noon + 1min);
    BOOST_TEST((renewed.adopted == std::vector{policy::Adoption{1, 2}}));
    BOOST_TEST(renewed.closed.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(an_end_says_whether_flows_are_cut, MappedLab) {
    request(asks(operator_1), noon);
    request(asks(operator_2), noon);
    const auto kept = take(access.plan_revoke(operator_1, "web01", 22, false, noon).value());
    BOOST_TEST(kept.closed.size() == 1U);
    BOOST_TEST(kept.cut.empty());
    const auto cut = take(access.plan_revoke(operator_2, "web01", 22, true, noon).value());
    BOOST_TEST(cut.cut == std::vector<WindowId>{2});
}

BOOST_FIXTURE_TEST_CASE(through_random_use_deltas_and_full_state_agree, MappedLab) {
    std::mt19937 random{20260201};  // NOLINT(cert-msc51-cpp): the same every time
    const auto below = [&random](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
    const std::array people{operator_1, operator_2, admin};
    const std::array<std::string, 2> machines{"web01", "db01"};
    const std::array<std::uint16_t, 3> ports{22, 3389, 53};
    auto changed = mapped_lab();
    changed.jit_policies[0].machines[0].ports.pop_back();                   // UDP on port 53
    changed.jit_policies[0].machines[0].ports[1].protocol = Protocol::tcp;  // and on 3389
    auto now = noon;
    bool is_changed = false;
    std::size_t opened = 0;
    for (int round = 0; round < 3000; ++round) {
        now += std::chrono::minutes{below(8)};
        const auto* const who = people.at(below(3));
        const auto& machine = machines.at(below(2));
        const auto port = ports.at(below(3));
        const auto take_if = [&](const auto& planned) {
            if (planned) take(*planned);
        };
        switch (below(7)) {
            case 0:
            case 1:
            case 2: {
                const auto source = below(4) == 0 ? std::string{"198.51.100.0/30"}
                                                  : captures::base::to_string(Ipv4Address{0xc6336400 + below(6)});
                const auto one = asks(who, port, std::chrono::minutes{5 + below(55)}, source, machine);
                const auto planned = access.plan_request({&one, 1}, now);
                opened += planned ? 1U : 0U;
                take_if(planned);
                break;
            }
            case 3: take_if(access.plan_extend(who, machine, port, std::chrono::minutes{5 + below(55)}, now)); break;
            case 4: take_if(access.plan_revoke(who, machine, port, below(2) == 0, now)); break;
            case 5: take(access.plan_expiry(now)); break;
            default:
                if (below(20) != 0) break;
                is_changed = !is_changed;
                access.use(is_changed ? changed : config);
                doors = Doors{access.state()};
        }
        BOOST_REQUIRE(alike(doors, Doors{access.state()}, now));
        BOOST_REQUIRE(alike(doors, access.doors(), now));
    }
    BOOST_TEST(opened > 500U);
}

BOOST_AUTO_TEST_SUITE_END()
