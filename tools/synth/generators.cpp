#include "tools/synth/generators.hpp"

#include <algorithm>
#include <array>

namespace tools {

namespace {

using namespace std::chrono_literals;

constexpr std::array all{
    Generator{"flows", "packets of --size over --flows flows of clients to the public IP; TCP flows open properly",
              false, 1us, make_flows},
    Generator{"ssh-like", "--flows whole TCP sessions as a capture of the outside wire has them", false, 1ms,
              make_ssh_like},
    Generator{"both-sides", "--flows TCP sessions and UDP exchanges; VM replies as the inside wire has them", true, 1ms,
              make_both_sides},
    Generator{"fragments", "datagrams in order, reversed, overlapping, tiny, incomplete, from --flows clients each",
              false, 1ms, make_fragments},
    Generator{"icmp-errors", "errors about TCP and UDP flows from both sides, sound and spoiled", true, 1ms,
              make_icmp_errors},
    Generator{"qinq", "ssh-like, each session under its own pair of VLAN tags", false, 1ms, make_qinq},
    Generator{"syn-flood", "--packets SYNs from random clients", false, 1us, make_syn_flood},
    Generator{"udp-flood", "--packets datagrams of --size from random clients", false, 1us, make_udp_flood},
    Generator{"mixed", "a session on each link type, ARP, IPv6 and an unknown link type", true, 1ms, make_mixed},
};

}  // namespace

std::span<const Generator> generators() noexcept { return all; }

const Generator* find_generator(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(all, name, &Generator::name);
    return found == all.end() ? nullptr : found;
}

}  // namespace tools
