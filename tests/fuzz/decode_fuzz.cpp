// Decodes any bytes as a frame of any link type, and checks what `decode` promises to those who never look at a length
// again. Input: a byte for the link type, two for the bytes on the wire beyond those captured, then the frame.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "captures/packet/packet.hpp"
#include "captures/packet/print.hpp"

namespace {

using captures::packet::Defect;
using captures::packet::Frame;
using captures::packet::Kind;
using captures::packet::LinkType;
using captures::packet::Packet;

constexpr std::size_t header_size = 3;
constexpr std::array link_types{LinkType::ethernet, LinkType::linux_sll, LinkType::linux_sll2, LinkType::raw,
                                LinkType::null,     LinkType::loop,      LinkType::ipv4,       LinkType::ipv6,
                                LinkType::raw_12,   LinkType::raw_14,    LinkType{147}};

void require(bool holds) {
    if (!holds) std::abort();
}

/// Where the packet says that its headers end.
std::size_t headers_of(const Packet& packet) {
    const std::size_t header = packet.header_length;
    switch (packet.kind) {
        case Kind::tcp: return header + captures::packet::TcpView::shortest;
        case Kind::udp: return header + captures::packet::UdpView::size;
        case Kind::icmp_error: {
            const captures::packet::Ipv4View quoted{packet.icmp().quoted()};
            return header + captures::packet::IcmpView::header_size + quoted.header_length() +
                   captures::packet::IcmpView::quoted_transport;
        }
        default: return header;
    }
}

void require_promises(const Frame& frame, const Packet& packet) {
    require((packet.kind == Kind::malformed) == (packet.defect != Defect::none));
    const bool usable = packet.kind == Kind::tcp || packet.kind == Kind::udp || packet.kind == Kind::icmp_error ||
                        packet.kind == Kind::fragment;
    if (!usable) return;
    const auto offset = packet.ip - frame.data;
    require(offset >= 0 && packet.captured <= frame.captured - static_cast<std::size_t>(offset));
    require(packet.captured <= packet.length && packet.length <= frame.length);
    require(packet.header_length >= captures::packet::Ipv4View::shortest && packet.header_length <= packet.captured);
    require(headers_of(packet) <= packet.captured);
    require((packet.kind == Kind::fragment) == (packet.fragment_offset != 0));
    if (packet.kind == Kind::tcp) require(packet.segment_length <= packet.length);
}

/// Touches every byte that a later stage may rely on.
void use(const Packet& packet) {
    require(!captures::packet::describe(packet).empty());
    static_cast<void>(captures::packet::transport_checksum(packet));
    if (packet.kind == Kind::icmp_error) {
        const auto quoted = captures::packet::quoted_tuple(packet);
        require(quoted.protocol == captures::base::Protocol::tcp || quoted.protocol == captures::base::Protocol::udp);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < header_size) return 0;
    std::vector<std::byte> bytes(size - header_size);  // of exactly that size, for AddressSanitizer
    std::transform(data + header_size, data + size, bytes.begin(), [](std::uint8_t value) { return std::byte{value}; });
    Frame frame;
    frame.data = bytes.data();
    frame.captured = static_cast<std::uint32_t>(bytes.size());
    frame.length = frame.captured + data[1] * 256u + data[2];
    frame.link_type = link_types[data[0] % link_types.size()];
    const auto packet = captures::packet::decode(frame);
    require_promises(frame, packet);
    use(packet);
    return 0;
}
