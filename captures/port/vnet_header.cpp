#include "captures/port/vnet_header.hpp"

#include "captures/base/checksum.hpp"
#include "captures/packet/tcp.hpp"
#include "captures/port/offload.hpp"

namespace captures::port {

namespace {

/// As the kernel does it: the field holds the sum of what is not covered otherwise.
void complete_elsewhere(const VnetHeader& header, const packet::Frame& frame) noexcept {
    const std::uint32_t field = std::uint32_t{header.checksum_start} + header.checksum_offset;
    if (field + 2 > frame.captured) return;
    const auto checksum = base::checksum_of(frame.bytes().subspan(header.checksum_start));
    base::store_be16(frame.data + field, checksum == 0 ? std::uint16_t{0xffff} : checksum);
}

bool is_transports(const VnetHeader& header, const Transport& transport) noexcept {
    return transport && header.checksum_start == transport.offset &&
           header.checksum_offset == transport.checksum_offset;
}

}  // namespace

bool take_offload(const VnetHeader& header, packet::Frame& frame) noexcept {
    frame.offload = {};
    const bool partial = (header.flags & VnetHeader::needs_checksum) != 0;
    const auto kind = static_cast<std::uint8_t>(header.gso_type & ~VnetHeader::gso_ecn);
    if (!partial && kind == VnetHeader::gso_none) return true;
    const auto transport = transport_of(frame);
    if (kind == VnetHeader::gso_none || kind == VnetHeader::gso_udp_fragments) {
        frame.offload.partial_checksum = partial && is_transports(header, transport);
        if (partial && !frame.offload.partial_checksum) complete_elsewhere(header, frame);
        return true;
    }
    if (!transport) return true;  // no IPv4: whoever looks at it says so
    const auto expected = transport.is_tcp ? VnetHeader::gso_tcp4 : VnetHeader::gso_udp_segments;
    if (kind != expected || header.segment_size == 0) return false;
    // Merged frames may come with their checksums verified instead: each segment's, which are gone.
    frame.offload = {.segment_size = header.segment_size, .size_is_guess = false, .partial_checksum = true};
    return true;
}

bool hand_offload(packet::Frame& frame, VnetHeader& header) noexcept {
    header = {};
    if (!frame.offload.partial_checksum && frame.offload.segment_size == 0) return true;
    const auto transport = transport_of(frame);
    if (!transport) return frame.offload.segment_size == 0;
    const bool segments = frame.offload.segment_size != 0 && transport.payload() > frame.offload.segment_size;
    const auto end = transport.offset + transport.length;
    if (end != frame.captured) {
        if (!segments) {
            complete_checksum(frame);
            return true;
        }
        if (transport.ip.at + transport.ip.total_length() != frame.data + end) return false;
        frame.captured = frame.length = end;
    }
    store_partial_checksum(transport);
    header.flags = VnetHeader::needs_checksum;
    header.checksum_start = static_cast<std::uint16_t>(transport.offset);
    header.checksum_offset = static_cast<std::uint16_t>(transport.checksum_offset);
    if (!segments) return true;
    header.gso_type = transport.is_tcp ? VnetHeader::gso_tcp4 : VnetHeader::gso_udp_segments;
    if (transport.is_tcp && (packet::TcpView{transport.at}.flags() & packet::tcp_flag::cwr) != 0) {
        header.gso_type |= VnetHeader::gso_ecn;
    }
    header.header_length = static_cast<std::uint16_t>(transport.offset + transport.header);
    header.segment_size = frame.offload.segment_size;
    return true;
}

}  // namespace captures::port
