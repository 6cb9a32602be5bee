#include "gateway/live/recording.hpp"

#include <fmt/format.h>

#include "captures/packet/print.hpp"
#include "captures/port/offload.hpp"
#include "gateway/live/arp.hpp"
#include "gateway/outputs/verdict_text.hpp"

namespace gateway::live {

using captures::file::Annotation;
using captures::packet::Frame;

namespace {

void complete(const Frame& frame) {
    if (frame.offload.partial_checksum) captures::port::complete_checksum(frame);
}

/// What the gateway says of its own accord.
std::string_view own_words(const Frame& frame) {
    if (is_arp(frame.bytes())) return "ARP";
    const auto packet = captures::packet::decode(frame);
    return packet.kind == captures::packet::Kind::icmp_error ? "an ICMP error for the sender"
                                                             : "the firewall ends the flow";
}

}  // namespace

void Recording::arrived(const pipeline::Judged& burst) {
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        const auto& frame = burst.frames[i];
        const auto comment = fmt::format("packet {}: {}", frame.number,
                                         outputs::verdict_text(burst.verdicts[i], burst.packets[i], *burst.tables));
        complete(frame);
        writer_->write(frame, {to_string(frame.side), comment, Annotation::Direction::inbound});
    }
}

void Recording::left(const Frame& frame) {
    const auto comment = frame.number != 0 ? fmt::format("packet {} leaves", frame.number)
                                           : fmt::format("synthesized: {}", own_words(frame));
    complete(frame);
    writer_->write(frame, {to_string(frame.side), comment, Annotation::Direction::outbound});
}

}  // namespace gateway::live
