#include "tools/synth/conversations.hpp"

#include <utility>

namespace tools {

namespace {

using captures::base::Endpoint;
using captures::packet::Side;

std::vector<std::byte> text(std::string_view characters) {
    const auto bytes = std::as_bytes(std::span{characters});
    return {bytes.begin(), bytes.end()};
}

std::uint32_t initial_sequence(Random& random) { return static_cast<std::uint32_t>(random.next()); }

}  // namespace

std::vector<std::byte> random_bytes(Random& random, std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random.next());
    return bytes;
}

PacketBuilder& put_on(captures::packet::LinkType link, PacketBuilder& packet) {
    constexpr std::size_t shortest_ethernet_frame = 60;  // without its check sequence
    return packet.on(link).pad_to(link == captures::packet::LinkType::ethernet ? shortest_ethernet_frame : 0);
}

Script ssh_script(TcpSession session, Random& random) {
    session.open();
    session.client_sends(text("SSH-2.0-OpenSSH_9.2p1\r\n"));
    session.server_sends(text("SSH-2.0-OpenSSH_9.2p1\r\n"));
    session.client_sends(random_bytes(random, 1460));  // key exchange
    session.server_sends(random_bytes(random, 1080));
    session.client_sends(random_bytes(random, 48));
    session.server_sends(random_bytes(random, 508));
    for (auto commands = 2 + random.below(6); commands > 0; --commands) {
        session.client_sends(random_bytes(random, 36 + 8 * random.below(12)));
        session.server_sends(random_bytes(random, 44 + 8 * random.below(170)));
    }
    session.close();
    return session.take();
}

TcpSession outside_session(const Options& options, Endpoint client, Random& random) {
    const Endpoint listener{options.public_ip, options.tcp_port};
    const TcpSession::Direction from_client{client, listener, Side::outside, initial_sequence(random)};
    return {from_client, {listener, client, Side::outside, initial_sequence(random)}};
}

TcpSession two_sided_session(const Options& options, Endpoint client, Random& random) {
    const TcpSession::Direction from_client{
        client, {options.public_ip, options.tcp_port}, Side::outside, initial_sequence(random)};
    return {from_client,
            {{options.virtual_machine, options.vm_tcp_port},
             {options.instance_ip, client.port},
             Side::inside,
             initial_sequence(random)}};
}

Script two_sided_udp(const Options& options, Endpoint client, Random& random, int exchanges) {
    Script script;
    for (int i = 0; i < exchanges; ++i) {
        script.push_back(udp(client, Endpoint{options.public_ip, options.udp_port})
                             .payload(random_bytes(random, 1 + random.below(80))));
        script.push_back(
            udp(Endpoint{options.virtual_machine, options.vm_udp_port}, Endpoint{options.instance_ip, client.port})
                .payload(random_bytes(random, 40 + random.below(400)))
                .inside());
    }
    return script;
}

void interleave(std::uint64_t count, const std::function<Script(std::uint64_t)>& script_of, Random& random,
                FrameStream& stream) {
    constexpr std::size_t at_a_time = 64;
    struct Running {
        Script script;
        std::size_t next = 0;
    };
    std::vector<Running> running;
    std::uint64_t started = 0;
    while (started < count || !running.empty()) {
        while (started < count && running.size() < at_a_time) running.push_back({script_of(started++)});
        auto& turn = running[random.below(running.size())];
        stream.emit(turn.script[turn.next++]);
        if (turn.next < turn.script.size()) continue;
        std::swap(turn, running.back());
        running.pop_back();
    }
}

}  // namespace tools
