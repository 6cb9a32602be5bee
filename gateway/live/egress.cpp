#include "gateway/live/egress.hpp"

#include <algorithm>
#include <utility>

#include "captures/packet/ipv4.hpp"
#include "captures/packet/link_layer.hpp"
#include "captures/port/offload.hpp"

namespace gateway::live {

using captures::base::Ipv4Address;
using captures::base::Time;
using captures::packet::ethertype_ipv4;
using captures::packet::Frame;
using captures::packet::Ipv4View;
using Outcome = Egress::Outcome;

namespace {

constexpr std::size_t largest_datagram = 65535;
constexpr std::size_t made_capacity = captures::packet::largest_frame;

bool is_whole_ipv4(const Frame& frame) noexcept {
    if (frame.captured != frame.length || frame.captured > captures::packet::largest_frame) return false;
    if (frame.captured < ethernet_size + Ipv4View::shortest) return false;
    const Ipv4View ip{frame.data + ethernet_size};
    return captures::base::load_be16(frame.data + 12) == ethertype_ipv4 && ip.version() == 4 &&
           ip.header_length() >= Ipv4View::shortest && ip.header_length() <= ip.total_length() &&
           ip.total_length() <= frame.captured - ethernet_size;
}

/// Whether what a frame stands for on the wire fits.
bool fits(const Frame& frame, std::uint32_t mtu) noexcept {
    const std::uint32_t total = Ipv4View{frame.data + ethernet_size}.total_length();
    if (total <= mtu) return true;
    if (frame.offload.segment_size == 0) return false;
    const auto transport = captures::port::transport_of(frame);
    const auto headers = transport.offset + transport.header - static_cast<std::uint32_t>(ethernet_size);
    return transport && headers + frame.offload.segment_size <= mtu;
}

/// Bytes of a frame to be sent: a trailer behind the datagram stays where the link takes it.
std::uint32_t without_long_trailer(const Frame& frame, std::uint32_t mtu) noexcept {
    return std::min(frame.captured, static_cast<std::uint32_t>(ethernet_size) + mtu);
}

}  // namespace

Egress::Egress(const Network& network, std::vector<Ipv4Address> others, Undeliverable undeliverable)
    : next_hops_{network},
      undeliverable_{std::move(undeliverable)},
      identity_{.mac = {}, .address = network.address, .on_link = network.on_link, .others = std::move(others)},
      neighbours_{identity_, *this},
      made_(made_capacity),
      segment_(ethernet_size + largest_datagram) {}

void Egress::tell(Tap& tap, captures::packet::Side side) noexcept {
    tap_ = &tap;
    side_ = side;
}

void Egress::bind(captures::port::Port& port, const MacAddress& mac, std::uint32_t mtu, Time now) {
    now_ = now;
    port_ = &port;
    made_size_ = 0;
    set_mtu(mtu);
    identity_.mac = mac;
    neighbours_.restart(identity_, now);
    flush();
}

void Egress::unbind() noexcept { port_ = nullptr; }

void Egress::set_mtu(std::uint32_t mtu) noexcept { mtu_ = std::max(mtu, least_mtu); }

void Egress::answer_for(std::vector<Ipv4Address> others, Time now) {
    now_ = now;
    identity_.others = std::move(others);
    neighbours_.answer_for(identity_.others, now);
    flush();
}

void Egress::receive_arp(const Frame& frame, Time now) {
    now_ = now;
    neighbours_.receive(frame, now);
}

void Egress::advance(Time now) {
    now_ = now;
    neighbours_.advance(now);
}

Time Egress::next_deadline() const noexcept { return neighbours_.next_deadline(); }

void Egress::flush() {
    if (port_ != nullptr) port_->flush();
    made_size_ = 0;
}

Outcome Egress::route(const Frame& frame, Time now, Bytes bytes) {
    now_ = now;
    const auto outcome = decide(frame, now, bytes);
    count(outcome);
    if (outcome == Outcome::unreachable && undeliverable_) undeliverable_(frame);
    return outcome;
}

Outcome Egress::decide(const Frame& frame, Time now, Bytes bytes) {
    if (port_ == nullptr) return Outcome::refused;
    if (!is_whole_ipv4(frame)) return Outcome::unfit;
    const auto hop = next_hops_.of(Ipv4View{frame.data + ethernet_size}.destination());
    if (!hop) return Outcome::unreachable;
    const auto answer = neighbours_.look_up(*hop, now);
    switch (answer.resolution) {
        case Neighbours::Resolution::known: return transmit(frame, answer.mac, bytes);
        case Neighbours::Resolution::pending: return neighbours_.hold(*hop, frame) ? Outcome::held : Outcome::no_room;
        case Neighbours::Resolution::no_room: return Outcome::no_room;
        case Neighbours::Resolution::unreachable: break;
    }
    return Outcome::unreachable;
}

Outcome Egress::transmit(const Frame& frame, const MacAddress& to, Bytes bytes) {
    if (fits(frame, mtu_)) return transmit_whole(frame, to, bytes);
    if (Ipv4View{frame.data + ethernet_size}.dont_fragment()) return Outcome::too_big;
    return frame.offload.segment_size == 0 ? transmit_fragments(frame, to) : transmit_segments(frame, to);
}

Outcome Egress::transmit_whole(Frame frame, const MacAddress& to, Bytes bytes) {
    if (frame.offload.segment_size == 0) frame.captured = frame.length = without_long_trailer(frame, mtu_);
    if (bytes == Bytes::go) {
        const auto copy = room_for(frame.captured);
        std::ranges::copy(frame.bytes(), copy.begin());
        frame.data = copy.data();
    }
    return hand_over(frame, to);
}

/// Segments that are datagrams of their own, and too long: first each of them, then its fragments.
Outcome Egress::transmit_segments(const Frame& frame, const MacAddress& to) {
    captures::port::Segments segments{frame};
    auto outcome = Outcome::unfit;
    while (const auto size = segments.write_next(segment_)) {
        auto segment = frame;
        segment.data = segment_.data();
        segment.captured = segment.length = size;
        segment.offload = {};
        outcome = fits(segment, mtu_) ? transmit_whole(segment, to, Bytes::go) : transmit_fragments(segment, to);
        if (outcome != Outcome::sent) break;
    }
    return outcome;
}

Outcome Egress::transmit_fragments(const Frame& frame, const MacAddress& to) {
    if (frame.offload.partial_checksum) {
        if (!captures::port::transport_of(frame)) return Outcome::unfit;
        captures::port::complete_checksum(frame);
    }
    Fragmenter fragments{frame, mtu_};
    const auto most = ethernet_size + mtu_;
    while (true) {
        auto fragment = frame;
        const auto room = room_for(most);
        fragment.captured = fragment.length = fragments.write_next(room);
        if (fragment.captured == 0) break;
        fragment.data = room.data();
        fragment.offload = {};
        if (hand_over(fragment, to) != Outcome::sent) return Outcome::refused;  // the rest would be of no use
    }
    ++numbers_.fragmented;
    return Outcome::sent;
}

Outcome Egress::hand_over(const Frame& frame, const MacAddress& to) {
    std::ranges::copy(to, frame.data);
    std::ranges::copy(identity_.mac, frame.data + to.size());
    if (!give(frame)) return Outcome::refused;
    ++numbers_.sent;
    return Outcome::sent;
}

/// To the port, which may change the bytes.
bool Egress::give(const Frame& frame) {
    if (tap_ == nullptr) [[likely]]
        return port_->send(frame);
    auto told = frame;
    told.time = now_;
    told.side = side_;
    tap_->leaving(told);
    const bool taken = port_->send(frame);
    tap_->left(taken);
    return taken;
}

void Egress::send_arp(std::span<const std::byte> frame) {
    if (port_ == nullptr) return;
    const auto copy = room_for(frame.size());
    std::ranges::copy(frame, copy.begin());
    Frame sent;
    sent.data = copy.data();
    sent.captured = sent.length = static_cast<std::uint32_t>(copy.size());
    static_cast<void>(give(sent));
}

void Egress::release(const Frame& frame, const MacAddress& to) {
    count(port_ == nullptr ? Outcome::refused : transmit(frame, to, Bytes::go));
}

void Egress::abandon(const Frame& frame) {
    ++numbers_.abandoned;
    if (undeliverable_) undeliverable_(frame);
}

void Egress::count(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::sent: return;  // counted by frame
        case Outcome::held: ++numbers_.held; return;
        case Outcome::unreachable: ++numbers_.unreachable; return;
        case Outcome::too_big: ++numbers_.too_big; return;
        case Outcome::no_room: ++numbers_.no_room; return;
        case Outcome::refused: ++numbers_.refused; return;
        case Outcome::unfit: ++numbers_.unfit; return;
    }
}

/// What was made before may be on its way after this. Precondition: at most `made_capacity`.
std::span<std::byte> Egress::room_for(std::size_t size) {
    if (size > made_.size() - made_size_) flush();
    const auto room = std::span{made_}.subspan(made_size_, size);
    made_size_ += size;
    return room;
}

}  // namespace gateway::live
