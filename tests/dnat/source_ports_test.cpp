#include "dnat/source_ports.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <set>
#include <utility>

#include "tests/support/packet_builder.hpp"
#include "tools/synth/random.hpp"

namespace source_ports_test {

using captures::base::Endpoint;
using captures::base::Protocol;

const Endpoint web_ssh = support::Where{"10.1.0.4:22"}.endpoint;
const Endpoint web_rdp = support::Where{"10.1.0.4:3389"}.endpoint;

/// The ports of one firewall instance, and who uses them: the flow table, elsewhere.
struct SourcePorts {
    using User = std::pair<Endpoint, Protocol>;

    /// The port taken; 0 for none.
    int take(int wanted, const User& user) {
        auto& ports = used_by[user];
        const auto in_use = [&](std::uint16_t port) { return ++questions, ports.contains(port); };
        const int port =
            chooser.choose(user.first, user.second, static_cast<std::uint16_t>(wanted), in_use).value_or(0);
        if (port != 0) ports.insert(port);
        return port;
    }
    void release(Endpoint target, Protocol protocol, std::uint16_t port) {
        used_by[{target, protocol}].erase(port);
        chooser.release(target, protocol, port);
    }
    std::size_t used(Endpoint target, Protocol protocol) { return used_by[{target, protocol}].size(); }

    dnat::SourcePorts chooser;
    std::map<User, std::set<int>> used_by;
    std::size_t questions = 0;
};

int take(SourcePorts& ports, int wanted, Endpoint target = web_ssh, Protocol protocol = Protocol::tcp) {
    return ports.take(wanted, {target, protocol});
}

/// What `take` must do, said in the plainest way: count up from the wanted port and around within its range.
int next_free(const std::set<int>& used, int wanted) {
    const int low = wanted < 1024 ? 1 : 1024;
    const int high = wanted < 1024 ? 1023 : 65535;
    const int start = std::max(wanted, low);
    for (int port = start; port <= high; ++port) {
        if (!used.contains(port)) return port;
    }
    for (int port = low; port < start; ++port) {
        if (!used.contains(port)) return port;
    }
    return 0;
}

}  // namespace source_ports_test

BOOST_AUTO_TEST_SUITE(source_ports_test)

BOOST_AUTO_TEST_CASE(the_clients_own_port_is_kept_while_it_is_free) {
    SourcePorts ports;
    BOOST_TEST(take(ports, 40000) == 40000);
    BOOST_TEST(take(ports, 65535) == 65535);
    BOOST_TEST(take(ports, 1024) == 1024);
    BOOST_TEST(take(ports, 1023) == 1023);
    BOOST_TEST(take(ports, 1) == 1);
    BOOST_TEST(ports.used(web_ssh, Protocol::tcp) == 5U);
}

BOOST_AUTO_TEST_CASE(a_second_client_with_the_same_port_gets_the_next_free_one) {
    SourcePorts ports;
    BOOST_TEST(take(ports, 40000) == 40000);
    BOOST_TEST(take(ports, 40000) == 40001);
    BOOST_TEST(take(ports, 40000) == 40002);
    BOOST_TEST(take(ports, 40001) == 40003);
}

BOOST_AUTO_TEST_CASE(counting_goes_around_within_the_range_of_the_wanted_port) {
    SourcePorts ports;
    BOOST_TEST(take(ports, 65535) == 65535);
    BOOST_TEST(take(ports, 65535) == 1024);
    BOOST_TEST(take(ports, 1023) == 1023);
    BOOST_TEST(take(ports, 1023) == 1);
    BOOST_TEST(take(ports, 1023) == 2);
}

BOOST_AUTO_TEST_CASE(port_zero_is_nobodys) {
    SourcePorts ports;
    BOOST_TEST(take(ports, 0) == 1);
    BOOST_TEST(take(ports, 0) == 2);
}

BOOST_AUTO_TEST_CASE(targets_and_protocols_do_not_share_their_ports) {
    SourcePorts ports;
    BOOST_TEST(take(ports, 40000) == 40000);
    BOOST_TEST(take(ports, 40000, web_rdp) == 40000);
    BOOST_TEST(take(ports, 40000, web_ssh, Protocol::udp) == 40000);
    BOOST_TEST(take(ports, 40000, {{0x0a010005}, 22}) == 40000);
    BOOST_TEST(ports.used(web_ssh, Protocol::tcp) == 1U);
}

BOOST_AUTO_TEST_CASE(a_released_port_is_free_again_and_others_stay_taken) {
    SourcePorts ports;
    for (int i = 0; i < 3; ++i) BOOST_TEST(take(ports, 40000) == 40000 + i);
    ports.release(web_ssh, Protocol::tcp, 40001);
    BOOST_TEST(take(ports, 40000) == 40001);
    BOOST_TEST(take(ports, 40000) == 40003);
}

BOOST_AUTO_TEST_CASE(releasing_what_is_not_taken_changes_nothing) {
    SourcePorts ports;
    ports.release(web_ssh, Protocol::tcp, 40000);
    BOOST_TEST(take(ports, 40000) == 40000);
    ports.release(web_ssh, Protocol::tcp, 40001);  // in a chunk that is there
    ports.release(web_ssh, Protocol::tcp, 1024);   // in one that is not
    ports.release(web_rdp, Protocol::tcp, 40000);
    ports.release(web_ssh, Protocol::udp, 40000);
    BOOST_TEST(ports.used(web_ssh, Protocol::tcp) == 1U);
    ports.release(web_ssh, Protocol::tcp, 40000);
    ports.release(web_ssh, Protocol::tcp, 40000);
    BOOST_TEST(ports.used(web_ssh, Protocol::tcp) == 0U);
}

BOOST_AUTO_TEST_CASE(each_range_is_used_to_its_last_port_and_then_refuses) {
    struct Row {
        const char* sentence;
        int wanted;
        int size;
        int other;
    };
    for (const auto& row :
         {Row{"unprivileged, from its middle", 40000, 64512, 80},
          Row{"unprivileged, from its first", 1024, 64512, 1023}, Row{"privileged, from its last", 1023, 1023, 1024}}) {
        BOOST_TEST_CONTEXT(row.sentence) {
            SourcePorts ports;
            std::set<int> taken;
            for (int i = 0; i < row.size; ++i) taken.insert(take(ports, row.wanted));
            BOOST_TEST(taken.size() == static_cast<std::size_t>(row.size));
            BOOST_TEST(!taken.contains(0));
            BOOST_TEST(take(ports, row.wanted) == 0);
            BOOST_TEST(take(ports, row.other) == row.other);
            ports.release(web_ssh, Protocol::tcp, static_cast<std::uint16_t>(*taken.begin()));
            BOOST_TEST(take(ports, row.wanted) == *taken.begin());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_search_does_not_ask_again_what_it_found_in_use) {
    SourcePorts ports;
    for (int port = 1024; port <= 65535; ++port) BOOST_REQUIRE_EQUAL(take(ports, port), port);
    BOOST_TEST(ports.questions == 64512U);
    BOOST_TEST(take(ports, 40000) == 0);
    BOOST_TEST(ports.questions <= 2 * 64512U + 1);
    ports.questions = 0;
    for (int i = 0; i < 100; ++i) BOOST_TEST(take(ports, 30000 + i) == 0);
    BOOST_TEST(ports.questions == 100U);  // whether the wanted one is free
}

BOOST_AUTO_TEST_CASE(it_agrees_with_counting) {
    tools::Random random{42};
    SourcePorts ports;
    struct Pool {
        Endpoint target;
        Protocol protocol;
        std::set<int> used;
    };
    std::vector<Pool> pools{{web_ssh, Protocol::tcp, {}}, {web_ssh, Protocol::udp, {}}, {web_rdp, Protocol::tcp, {}}};
    // Wanted ports lie close together, around the edges of words, chunks and ranges.
    const std::vector<int> centres{0, 64, 960, 1023, 1024, 1088, 2047, 2048, 65472, 65535};
    for (int step = 0; step < 60'000; ++step) {
        auto& pool = pools[random.below(pools.size())];
        const int near = centres[random.below(centres.size())] + static_cast<int>(random.below(70)) - 35;
        const int wanted = std::clamp(near, 0, 65535);
        const bool filling = step / 6000 % 2 == 0;
        if (random.below(3) != 0 ? filling : !filling) {
            const int expected = next_free(pool.used, wanted);
            BOOST_REQUIRE_EQUAL(take(ports, wanted, pool.target, pool.protocol), expected);
            if (expected != 0) pool.used.insert(expected);
        } else {
            const auto victim = pool.used.lower_bound(wanted);
            const int port = victim == pool.used.end() ? wanted : *victim;
            ports.release(pool.target, pool.protocol, static_cast<std::uint16_t>(port));
            pool.used.erase(port);
        }
        BOOST_REQUIRE_EQUAL(ports.used(pool.target, pool.protocol), pool.used.size());
    }
}

BOOST_AUTO_TEST_SUITE_END()
