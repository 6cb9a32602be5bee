#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/synth/clients.hpp"
#include "tools/synth/generators.hpp"
#include "tools/synth/patched_packet.hpp"

// Captures of millions of packets: each shape of packet is built once, and patched for each flow.

namespace tools {

namespace {

using captures::base::Endpoint;
using captures::base::Protocol;

/// Grows the payload until the frame has `size` bytes.
PacketBuilder sized(PacketBuilder packet, std::size_t size) {
    const auto headers = packet.payload_size(0).build().bytes().size();
    if (size < headers) {
        throw std::invalid_argument{"--size " + std::to_string(size) + " is below the " + std::to_string(headers) +
                                    " bytes of the headers"};
    }
    return packet.payload_size(size - headers);
}

/// Whoever stands in a packet until it is patched: the zero address would not decode.
constexpr Endpoint anybody{{first_client}, 1};

captures::base::PortRange ports_of(const Options& options, Protocol protocol) {
    if (options.ports) return *options.ports;
    const auto port = protocol == Protocol::tcp ? options.tcp_port : options.udp_port;
    return {port, port};
}

/// The listener that a flow calls.
Endpoint listener_of(const Options& options, captures::base::PortRange ports, std::uint64_t flow) {
    const auto port = ports.first + flow % (std::uint64_t{ports.last} - ports.first + 1);
    return {options.public_ip, static_cast<std::uint16_t>(port)};
}

/// Which flow's turn it is.
class Turns {
public:
    explicit Turns(const Options& options)
        : random_{options.seed},
          flows_{std::max<std::uint64_t>(options.flows, 1)},
          random_order_{options.random_order} {}

    [[nodiscard]] std::uint64_t flows() const noexcept { return flows_; }
    std::uint64_t next() noexcept {
        if (random_order_) return random_.below(flows_);
        return turn_ == flows_ ? (turn_ = 1, 0) : turn_++;
    }

private:
    Random random_;
    std::uint64_t flows_;
    std::uint64_t turn_ = 0;
    bool random_order_;
};

void make_udp_flows(const Options& options, FrameStream& stream) {
    const Endpoint public_ip{options.public_ip, 0};
    PatchedPacket request{sized(udp(anybody, public_ip).df().on(options.link), options.size)};
    PatchedPacket reply{sized(udp(public_ip, anybody).df().on(options.link), options.size)};
    const auto ports = ports_of(options, Protocol::udp);
    Turns turns{options};
    std::vector<std::uint32_t> sent(turns.flows());
    for (std::uint64_t i = 0; i < options.packets; ++i) {
        const auto flow = turns.next();
        const auto client = client_of(flow, options.seed);
        const auto listener = listener_of(options, ports, flow);
        const bool is_reply = options.reply_every != 0 && ++sent[flow] % options.reply_every == 0;
        auto& packet = is_reply ? reply : request;
        packet.set_source(is_reply ? listener : client);
        packet.set_destination(is_reply ? client : listener);
        stream.emit(packet.frame());
    }
}

/// The packets of a TCP flow in which the client sends and the server acknowledges, as the outside wire has them.
class TcpFlows {
public:
    explicit TcpFlows(const Options& options)
        : options_{options},
          ports_{ports_of(options, Protocol::tcp)},
          reply_every_{options.reply_every == 0 ? 16 : std::max<std::uint64_t>(options.reply_every, 2)},
          syn_{padded(from_client().syn().mss(1460).sack_permitted().window_scale(7))},
          syn_ack_{padded(from_server().syn().ack().mss(1460).sack_permitted().window_scale(7))},
          ack_{padded(from_client().ack())},
          data_{sized(from_client().psh().ack(), options.size)},
          server_ack_{padded(from_server().ack())} {
        payload_ = static_cast<std::uint32_t>(options.size - from_client().build().bytes().size());
    }

    /// The packet of a flow after `step` others.
    captures::packet::Frame at(std::uint64_t flow, std::uint32_t step) {
        const auto client_start = static_cast<std::uint32_t>(Random::mixed(options_.seed ^ flow << 1));
        const auto server_start = static_cast<std::uint32_t>(Random::mixed(options_.seed ^ (flow << 1 | 1)));
        if (step == 0) return client_packet(syn_, flow, client_start, 0);
        if (step == 1) return server_packet(syn_ack_, flow, server_start, client_start + 1);
        if (step == 2) return client_packet(ack_, flow, client_start + 1, server_start + 1);
        const std::uint64_t data_step = step - 3;
        const auto sent = client_start + 1 +
                          static_cast<std::uint32_t>(data_step - data_step / reply_every_) * payload_;
        if (data_step % reply_every_ == reply_every_ - 1)
            return server_packet(server_ack_, flow, server_start + 1, sent);
        return client_packet(data_, flow, sent, server_start + 1);
    }

private:
    [[nodiscard]] PacketBuilder from_client() const {
        return tcp(anybody, Endpoint{options_.public_ip, 0}).df().on(options_.link);
    }
    [[nodiscard]] PacketBuilder from_server() const {
        return tcp(Endpoint{options_.public_ip, 0}, anybody).df().on(options_.link);
    }
    /// 60 bytes are the shortest Ethernet frame, without its check sequence.
    [[nodiscard]] PacketBuilder padded(PacketBuilder packet) const {
        return options_.link == captures::packet::LinkType::ethernet
                   ? packet.pad_to(std::min<std::size_t>(options_.size, 60))
                   : packet;
    }

    captures::packet::Frame client_packet(PatchedPacket& packet, std::uint64_t flow, std::uint32_t seq,
                                          std::uint32_t ack) {
        packet.set_source(client_of(flow, options_.seed));
        packet.set_destination(listener_of(options_, ports_, flow));
        return numbered(packet, seq, ack);
    }
    captures::packet::Frame server_packet(PatchedPacket& packet, std::uint64_t flow, std::uint32_t seq,
                                          std::uint32_t ack) {
        packet.set_source(listener_of(options_, ports_, flow));
        packet.set_destination(client_of(flow, options_.seed));
        return numbered(packet, seq, ack);
    }
    static captures::packet::Frame numbered(PatchedPacket& packet, std::uint32_t seq, std::uint32_t ack) {
        packet.set_sequence(seq);
        packet.set_acknowledgment(ack);
        return packet.frame();
    }

    const Options& options_;
    captures::base::PortRange ports_;
    std::uint64_t reply_every_;
    std::uint32_t payload_ = 0;
    PatchedPacket syn_;
    PatchedPacket syn_ack_;
    PatchedPacket ack_;
    PatchedPacket data_;
    PatchedPacket server_ack_;
};

}  // namespace

void make_flows(const Options& options, FrameStream& stream) {
    if (options.protocol == Protocol::udp) return make_udp_flows(options, stream);
    TcpFlows packets{options};
    Turns turns{options};
    std::vector<std::uint32_t> steps(turns.flows());
    for (std::uint64_t i = 0; i < options.packets; ++i) {
        const auto flow = turns.next();
        stream.emit(packets.at(flow, steps[flow]++));
    }
}

void make_syn_flood(const Options& options, FrameStream& stream) {
    PatchedPacket syn{tcp(anybody, Endpoint{options.public_ip, 0}).syn().df().mss(1460).on(options.link)};
    Random random{options.seed};
    for (std::uint64_t i = 0; i < options.packets; ++i) {
        syn.set_source(client_of(random.next() >> 32, options.seed));
        syn.set_destination(listener_of(options, ports_of(options, Protocol::tcp), random.below(65536)));
        syn.set_sequence(static_cast<std::uint32_t>(random.next()));
        stream.emit(syn.frame());
    }
}

void make_udp_flood(const Options& options, FrameStream& stream) {
    PatchedPacket datagram{sized(udp(anybody, Endpoint{options.public_ip, 0}).df().on(options.link), options.size)};
    Random random{options.seed};
    for (std::uint64_t i = 0; i < options.packets; ++i) {
        datagram.set_source(client_of(random.next() >> 32, options.seed));
        datagram.set_destination(listener_of(options, ports_of(options, Protocol::udp), random.below(65536)));
        stream.emit(datagram.frame());
    }
}

}  // namespace tools
