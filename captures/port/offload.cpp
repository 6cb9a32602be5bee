#include "captures/port/offload.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "captures/base/checksum.hpp"
#include "captures/packet/header_writer.hpp"
#include "captures/packet/link_layer.hpp"
#include "captures/packet/tcp.hpp"
#include "captures/packet/udp.hpp"

namespace captures::port {

namespace {

constexpr std::uint8_t tcp_number = 6;
constexpr std::uint8_t udp_number = 17;

std::uint64_t pseudo_sum(const Transport& transport) noexcept {
    return base::pseudo_header_sum(transport.ip.source(), transport.ip.destination(), transport.ip.protocol(),
                                   static_cast<std::uint16_t>(transport.length));
}

void store_checksum(const Transport& transport) noexcept {
    std::byte* const field = transport.at + transport.checksum_offset;
    base::store_be16(field, 0);
    base::store_be16(field, packet::transport_checksum(transport.ip.source(), transport.ip.destination(),
                                                       transport.is_tcp ? base::Protocol::tcp : base::Protocol::udp,
                                                       {transport.at, transport.length}));
}

}  // namespace

Transport transport_of(const packet::Frame& frame) noexcept {
    const auto link = packet::parse_link_layer(frame);
    if (link.content != packet::LinkLayer::Content::ipv4 || frame.captured - link.offset < packet::Ipv4View::shortest)
        return {};
    Transport found;
    found.ip = {frame.data + link.offset};
    const std::uint32_t ip_header = found.ip.header_length();
    const std::uint32_t total = found.ip.total_length();
    if (found.ip.version() != 4 || ip_header < packet::Ipv4View::shortest || total < ip_header ||
        total > frame.captured - link.offset || found.ip.is_fragment()) {
        return {};
    }
    found.offset = link.offset + ip_header;
    found.length = total - ip_header;
    std::byte* const at = frame.data + found.offset;
    if (found.ip.protocol() == tcp_number) {
        if (found.length < packet::TcpView::shortest) return {};
        found.is_tcp = true;
        found.header = packet::TcpView{at}.header_length();
        found.checksum_offset = packet::TcpView::checksum_offset;
        if (found.header < packet::TcpView::shortest || found.header > found.length) return {};
    } else if (found.ip.protocol() == udp_number) {
        if (found.length < packet::UdpView::size) return {};
        found.header = packet::UdpView::size;
        found.checksum_offset = packet::UdpView::checksum_offset;
        const std::uint32_t said = packet::UdpView{at}.length();
        if (said < packet::UdpView::size || said > found.length) return {};
        found.length = said;
    } else {
        return {};
    }
    found.at = at;
    return found;
}

void store_partial_checksum(const Transport& transport) noexcept {
    base::store_be16(transport.at + transport.checksum_offset, base::fold(pseudo_sum(transport)));
}

void complete_checksum(const packet::Frame& frame) noexcept {
    if (const auto transport = transport_of(frame)) store_checksum(transport);
}

bool looks_partial(const packet::Frame& frame) noexcept {
    const auto transport = transport_of(frame);
    return transport && base::load_be16(transport.at + transport.checksum_offset) == base::fold(pseudo_sum(transport));
}

Segments::Segments(const packet::Frame& frame) noexcept : frame_(frame), transport_(transport_of(frame)) {
    if (!transport_) return;
    headers_ = transport_.offset + transport_.header;
    const std::uint32_t payload = transport_.payload();
    segment_size_ = frame.offload.segment_size == 0 ? payload
                                                    : std::min<std::uint32_t>(frame.offload.segment_size, payload);
    count_ = payload == 0 ? 1 : (payload + segment_size_ - 1) / segment_size_;
}

std::uint32_t Segments::write_next(std::span<std::byte> to) noexcept {
    if (next_ == count_) return 0;
    assert(to.size() >= longest());
    const std::uint32_t from = next_ * segment_size_;
    const std::uint32_t payload = std::min(segment_size_, transport_.payload() - from);
    std::memcpy(to.data(), frame_.data, headers_);
    std::memcpy(to.data() + headers_, frame_.data + headers_ + from, payload);
    finish(to.data(), payload);
    ++next_;
    return headers_ + payload;
}

void Segments::finish(std::byte* segment, std::uint32_t payload) const noexcept {
    const packet::Ipv4View ip{segment + (transport_.ip.at - frame_.data)};
    const std::uint32_t ip_header = ip.header_length();
    base::store_be16(ip.at + 2, static_cast<std::uint16_t>(ip_header + transport_.header + payload));
    base::store_be16(ip.at + 4, static_cast<std::uint16_t>(ip.identification() + next_));
    ip.set_checksum(0);
    ip.set_checksum(base::checksum_of({ip.at, ip_header}));

    Transport transport = transport_;
    transport.ip = ip;
    transport.at = segment + transport_.offset;
    transport.length = transport_.header + payload;
    if (transport_.is_tcp) {
        std::uint8_t flags = packet::TcpView{transport.at}.flags();
        if (next_ > 0) flags &= static_cast<std::uint8_t>(~packet::tcp_flag::cwr);
        if (next_ + 1 < count_) flags &= static_cast<std::uint8_t>(~(packet::tcp_flag::fin | packet::tcp_flag::psh));
        base::store_u8(transport.at + 13, flags);
        base::store_be32(transport.at + 4, packet::TcpView{transport.at}.sequence() + next_ * segment_size_);
    } else {
        base::store_be16(transport.at + 4, static_cast<std::uint16_t>(transport.length));
        if (packet::UdpView{transport.at}.checksum() == 0 && !frame_.offload.partial_checksum)
            return;  // none (RFC 768)
    }
    store_checksum(transport);
}

}  // namespace captures::port
