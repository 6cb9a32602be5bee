#include <fmt/core.h>

#include <chrono>
#include <cstdio>
#include <optional>

#include "tests/bench/live/tcp_wire.hpp"
#include "tests/bench/live/traffic.hpp"

// A TCP server that keeps nothing: each answer follows from the segment that asks for it, so the same question, sent
// again, gets the same answer.

namespace bench {

namespace {

using namespace captures::packet::tcp_flag;

/// Grows with the client's, so a port can be used again (RFC 9293 §3.6.1).
std::uint32_t first_number(const captures::packet::Packet& syn) {
    const auto& [source, destination, protocol] = syn.tuple;
    const auto ports = std::uint64_t{source.port} << 16 | destination.port;
    const auto hash = (std::uint64_t{source.address.value} << 32 | ports) * 0x9e3779b97f4a7c15;
    return syn.sequence + static_cast<std::uint32_t>(hash >> 32);
}

std::optional<Segment> answer_to(const Arrival& arrival, std::uint32_t now) {
    const auto& packet = arrival.packet;
    if (packet.segment_length == 0 || packet.has(rst)) return {};
    Segment made;
    made.receiver = arrival.sender;
    made.from = packet.tuple.destination;
    made.to = packet.tuple.source;
    made.acknowledgment = packet.sequence + packet.segment_length;
    if (const auto asked = arrival.timestamps()) made.timestamps = {now, asked->value};
    if (packet.has(syn)) {
        if (packet.has(ack)) return {};
        made.sequence = first_number(packet);
        made.flags = syn | ack;
        return made;
    }
    made.sequence = packet.acknowledgment;
    made.payload = arrival.payload;
    made.flags = static_cast<std::uint8_t>(ack | (packet.tcp_flags & fin) | (made.payload.empty() ? 0 : psh));
    return made;
}

}  // namespace

void answer(const std::string& interface, std::uint16_t port) {
    TcpWire wire{interface};
    fmt::print("{{\"answering\":{}}}\n", port);
    std::fflush(stdout);
    while (true) {
        const auto arrivals = wire.receive(std::chrono::seconds{1});
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        const auto milliseconds = static_cast<std::uint32_t>(now / std::chrono::milliseconds{1});
        for (const auto& arrival : arrivals) {
            if (arrival.packet.tuple.destination.port != port) continue;
            if (const auto made = answer_to(arrival, milliseconds)) wire.send(*made);
        }
        wire.flush();
    }
}

}  // namespace bench
