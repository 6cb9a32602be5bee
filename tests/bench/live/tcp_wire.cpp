#include "tests/bench/live/tcp_wire.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "captures/packet/header_writer.hpp"
#include "captures/packet/link_layer.hpp"
#include "captures/port/interface.hpp"
#include "captures/port/packet_ring.hpp"
#include "tests/bench/live/traffic.hpp"

namespace bench {

namespace {

using captures::base::store_be16;
using captures::base::store_be32;
using captures::base::store_u8;
using captures::packet::ethernet_size;
using captures::packet::Ipv4View;
using captures::packet::TcpView;

constexpr std::size_t mac_size = 6;

namespace option {
constexpr std::uint8_t end = 0;
constexpr std::uint8_t nothing = 1;
constexpr std::uint8_t mss = 2;
constexpr std::uint8_t timestamps = 8;
constexpr std::uint8_t timestamps_size = 10;
}  // namespace option

/// As far as an end can use it: untagged Ethernet, one segment, its checksum right where there is one.
bool is_sound(const captures::packet::Frame& frame, const captures::packet::Packet& packet) {
    if (packet.kind != captures::packet::Kind::tcp || packet.ip != frame.data + ethernet_size) return false;
    if (packet.captured != packet.length || packet.is_fragmented() || frame.offload.segment_size != 0) return false;
    return frame.offload.partial_checksum || captures::packet::transport_checksum(packet) == packet.tcp().checksum();
}

/// Returns where the payload begins.
std::byte* write_options(std::byte* at, const Segment& segment) {
    if ((segment.flags & captures::packet::tcp_flag::syn) != 0) {
        store_u8(at, option::mss);
        store_u8(at + 1, 4);
        store_be16(at + 2, Segment::largest_payload);
        at += 4;
    }
    if (segment.timestamps) {
        store_u8(at, option::nothing);
        store_u8(at + 1, option::nothing);
        store_u8(at + 2, option::timestamps);
        store_u8(at + 3, option::timestamps_size);
        store_be32(at + 4, segment.timestamps->value);
        store_be32(at + 8, segment.timestamps->echo);
        at += 12;
    }
    return at;
}

/// Returns where it ends.
std::byte* write_tcp(std::byte* tcp, const Segment& segment) {
    auto* const payload = write_options(tcp + TcpView::shortest, segment);
    captures::packet::write_tcp({tcp, payload}, {.source_port = segment.from.port,
                                                 .destination_port = segment.to.port,
                                                 .sequence = segment.sequence,
                                                 .acknowledgment = segment.acknowledgment,
                                                 .flags = segment.flags,
                                                 .window = 64240});
    auto* const end = std::ranges::copy(segment.payload, payload).out;
    TcpView{tcp}.set_checksum(captures::packet::transport_checksum(segment.from.address, segment.to.address,
                                                                   captures::base::Protocol::tcp, {tcp, end}));
    return end;
}

}  // namespace

std::optional<Timestamps> Arrival::timestamps() const noexcept {
    const auto tcp = packet.tcp();
    const auto* const end = tcp.at + tcp.header_length();
    for (const auto* at = tcp.at + TcpView::shortest; at < end;) {
        const auto kind = captures::base::load_u8(at);
        if (kind == option::end) break;
        if (kind == option::nothing) {
            ++at;
            continue;
        }
        if (end - at < 2) break;
        const auto size = std::max<std::ptrdiff_t>(captures::base::load_u8(at + 1), 2);
        if (kind == option::timestamps && size == option::timestamps_size && end - at >= size) {
            return Timestamps{captures::base::load_be32(at + 2), captures::base::load_be32(at + 6)};
        }
        at += size;
    }
    return {};
}

TcpWire::TcpWire(const std::string& interface) : burst_{}, buffers_(2 * captures::packet::burst_capacity) {
    const auto found = captures::port::find_usable_interface(interface);
    if (!found) fail_because(found.error());
    auto port = captures::port::open_packet_ring(interface);
    if (!port) fail_because(port.error());
    mac_ = found->mac;
    port_ = *std::move(port);
    arrivals_.reserve(captures::packet::burst_capacity);
}

std::span<const Arrival> TcpWire::receive(std::chrono::milliseconds wait) {
    arrivals_.clear();
    pollfd waiting{port_->descriptor(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(wait.count())) < 0 && errno != EINTR) fail("poll");
    burst_.count = port_->receive(burst_.frames);
    if (!port_->works()) fail_because("the interface is lost");
    for (const auto& frame : burst_.view()) {
        Arrival arrival{captures::packet::decode(frame), {}, {}};
        if (!is_sound(frame, arrival.packet)) continue;
        std::copy_n(frame.data + mac_size, mac_size, arrival.sender.begin());
        const auto& packet = arrival.packet;
        const auto tcp = packet.tcp();
        arrival.payload = {tcp.at + tcp.header_length(), packet.ip + packet.length};
        arrivals_.push_back(arrival);
    }
    return arrivals_;
}

void TcpWire::send(const Segment& segment) {
    if (segment.payload.size() > Segment::largest_payload) return;
    if (used_ == buffers_.size()) flush();
    auto& buffer = buffers_[used_++];
    auto* const ethernet = buffer.data();
    auto* const ip = ethernet + ethernet_size;
    std::ranges::copy(mac_, std::ranges::copy(segment.receiver, ethernet).out);
    store_be16(ethernet + 2 * mac_size, captures::packet::ethertype_ipv4);
    const auto* const end = write_tcp(ip + Ipv4View::shortest, segment);
    captures::packet::write_ipv4({ip, Ipv4View::shortest},
                                 {.source = segment.from.address,
                                  .destination = segment.to.address,
                                  .protocol = static_cast<std::uint8_t>(captures::base::Protocol::tcp),
                                  .total_length = static_cast<std::uint16_t>(end - ip)});
    captures::packet::Frame frame;
    frame.data = ethernet;
    frame.captured = frame.length = static_cast<std::uint32_t>(end - ethernet);
    port_->send(frame);
}

void TcpWire::flush() {
    port_->flush();
    used_ = 0;
}

}  // namespace bench
