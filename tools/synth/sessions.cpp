#include <algorithm>
#include <array>

#include "tools/synth/clients.hpp"
#include "tools/synth/conversations.hpp"
#include "tools/synth/generators.hpp"

// Captures of whole conversations.

namespace tools {

namespace {

using captures::packet::LinkType;

Script dressed(Script script, const auto& dress) {
    for (auto& packet : script) dress(packet);
    return script;
}

}  // namespace

void make_ssh_like(const Options& options, FrameStream& stream) {
    Random random{options.seed};
    const auto session = [&](std::uint64_t flow) {
        auto script = ssh_script(outside_session(options, client_of(flow, options.seed), random), random);
        return dressed(std::move(script), [&](PacketBuilder& packet) { put_on(options.link, packet); });
    };
    interleave(options.flows, session, random, stream);
}

void make_qinq(const Options& options, FrameStream& stream) {
    constexpr std::uint64_t tag_pairs = 4000;
    Random random{options.seed};
    const auto session = [&](std::uint64_t flow) {
        const auto inner = static_cast<std::uint16_t>(2 + flow % tag_pairs);
        const auto outer = static_cast<std::uint16_t>(2 + flow / tag_pairs % tag_pairs);
        auto script = ssh_script(outside_session(options, client_of(flow, options.seed), random), random);
        return dressed(std::move(script),
                       [&](PacketBuilder& packet) { put_on(options.link, packet).qinq(outer, inner); });
    };
    interleave(options.flows, session, random, stream);
}

void make_both_sides(const Options& options, FrameStream& stream) {
    Random random{options.seed};
    const auto conversation = [&](std::uint64_t flow) {
        const auto client = client_with_own_port(flow);
        auto script = flow % 2 == 0 ? ssh_script(two_sided_session(options, client, random), random)
                                    : two_sided_udp(options, client, random, 1 + static_cast<int>(random.below(8)));
        return dressed(std::move(script), [&](PacketBuilder& packet) { put_on(options.link, packet); });
    };
    interleave(options.flows, conversation, random, stream);
}

void make_mixed(const Options& options, FrameStream& stream) {
    constexpr std::array links{LinkType::ethernet, LinkType::linux_sll, LinkType::linux_sll2, LinkType::raw,
                               LinkType::null,     LinkType::loop,      LinkType::ipv4};
    Random random{options.seed};
    const auto conversation = [&](std::uint64_t flow) {
        const auto link = links[flow % links.size()];
        auto script = ssh_script(outside_session(options, client_of(flow, options.seed), random), random);
        return dressed(std::move(script), [&](PacketBuilder& packet) { put_on(link, packet); });
    };
    stream.emit(arp("198.18.0.1", captures::base::Ipv4Address{options.public_ip}).pad_to(60));
    stream.emit(ipv6());
    stream.emit(ipv6().on(LinkType::linux_sll));
    stream.emit(ipv6().on(LinkType::raw));
    constexpr LinkType user_0{147};
    stream.emit(
        udp(client_of(0, options.seed), captures::base::Endpoint{options.public_ip, options.udp_port}).on(user_0));
    interleave(std::max<std::uint64_t>(options.flows, links.size()), conversation, random, stream);
}

}  // namespace tools
