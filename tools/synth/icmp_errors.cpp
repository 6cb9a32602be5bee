#include <algorithm>
#include <array>

#include "tools/synth/clients.hpp"
#include "tools/synth/conversations.hpp"
#include "tools/synth/generators.hpp"

// ICMP errors about open flows, as they arrive: outside ones quote what left to the client, inside ones what left to
// the VM. Each flow, one TCP and one UDP by turns, meets all of them.

namespace tools {

namespace {

using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::packet::Side;

struct TypeAndCode {
    std::uint8_t type;
    std::uint8_t code;
};

/// RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1.
std::vector<TypeAndCode> types_and_codes() {
    std::vector<TypeAndCode> kinds;
    for (std::uint8_t code = 0; code <= 15; ++code) kinds.push_back({3, code});
    kinds.insert(kinds.end(), {{4, 0}, {11, 0}, {11, 1}, {12, 0}});
    return kinds;
}

/// A packet of the flow as it left the gateway, and who says something about it.
struct Subject {
    PacketBuilder packet;
    Ipv4Address reporter;
    Ipv4Address addressee;  ///< the packet's source
    Side side;
};

PacketBuilder error_about(const Subject& subject, TypeAndCode what, std::size_t quoted = 8) {
    auto error = icmp_error(what.type, what.code, subject.reporter, subject.addressee);
    if (what.type == 3 && what.code == 4) error.mtu(1400);
    return error.quoting(subject.packet, quoted).side(subject.side);
}

/// RFC 5508 REQ-3: what is wrong in the error drops it, what is wrong in the quoted transport does not.
std::array<PacketBuilder, 7> variants(const Subject& subject) {
    constexpr TypeAndCode unreachable{3, 1};
    constexpr std::size_t whole = 65535;
    auto spoiled_quote = subject;
    spoiled_quote.packet.bad_checksum();
    auto with_options = subject;
    with_options.packet.ip_options({7, 7, 4, 0, 0, 0, 0});  // record route
    return {error_about(subject, unreachable, whole),
            error_about(with_options, unreachable),
            error_about(spoiled_quote, unreachable, whole),
            error_about(subject, unreachable).bad_checksum(),
            error_about(subject, unreachable).bad_quoted_ip_checksum(),
            error_about(subject, unreachable).bad_ip_checksum(),
            error_about(subject, unreachable, 4)};
}

std::array<Subject, 2> subjects_of(const Options& options, Endpoint client, bool is_tcp) {
    const auto public_port = is_tcp ? options.tcp_port : options.udp_port;
    const auto vm_port = is_tcp ? options.vm_tcp_port : options.vm_udp_port;
    const auto sent = [&](Endpoint from, Endpoint to) {
        const auto packet = is_tcp ? tcp(from, to).ack(1).seq(1) : udp(from, to);
        return PacketBuilder{packet}.ttl(60).payload("what the error is about");
    };
    const Ipv4Address router_outside{0xc0000201};  // 192.0.2.1
    return {Subject{sent({options.public_ip, public_port}, client), router_outside, options.public_ip, Side::outside},
            Subject{sent({options.instance_ip, client.port}, {options.virtual_machine, vm_port}),
                    options.virtual_machine, options.instance_ip, Side::inside}};
}

}  // namespace

void make_icmp_errors(const Options& options, FrameStream& stream) {
    Random random{options.seed};
    const auto emit = [&](PacketBuilder packet) { stream.emit(put_on(options.link, packet)); };
    const auto flows = std::max<std::uint64_t>(options.flows, 2);
    for (std::uint64_t flow = 0; flow < flows; ++flow) {
        const bool is_tcp = flow % 2 == 0;
        const auto client = client_with_own_port(flow);
        auto session = two_sided_session(options, client, random);
        session.open();
        for (auto& packet : is_tcp ? session.take() : two_sided_udp(options, client, random, 1)) emit(packet);
        for (const auto& subject : subjects_of(options, client, is_tcp)) {
            for (const auto what : types_and_codes()) emit(error_about(subject, what));
            for (const auto& variant : variants(subject)) emit(variant);
        }
        // About a flow that never was.
        for (const auto& subject : subjects_of(options, {client.address, 1}, is_tcp))
            emit(error_about(subject, {3, 1}));
    }
}

}  // namespace tools
