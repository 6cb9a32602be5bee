#include "gateway/pipeline/tcp_reset.hpp"

#include <span>

#include "captures/base/bytes.hpp"
#include "captures/packet/header_writer.hpp"
#include "captures/packet/ipv4.hpp"
#include "captures/packet/link_layer.hpp"
#include "captures/packet/tcp.hpp"

namespace gateway::pipeline {

namespace {

using captures::base::Protocol;
using captures::base::store_be16;
using captures::base::store_be32;
using captures::base::store_u8;
using captures::packet::ethertype_ipv4;
using captures::packet::LinkType;
using captures::packet::TcpView;
using captures::packet::tcp_flag::ack;
using captures::packet::tcp_flag::rst;

constexpr std::uint16_t datagram_size = captures::packet::Ipv4View::shortest + TcpView::shortest;

/// Writes the link-layer header and returns its size; unknown link types never reach here, as nothing of them is IP.
std::uint32_t write_link_layer(std::byte* to, LinkType type) noexcept {
    switch (type) {
        case LinkType::ethernet:
            store_be32(to, 0x02504300);
            store_be32(to + 4, 0x00020250);
            store_be32(to + 8, 0x43000001);
            store_be16(to + 12, ethertype_ipv4);
            return 14;
        case LinkType::linux_sll:
            store_be16(to, 4);      // sent by us
            store_be16(to + 2, 1);  // ARPHRD_ETHER
            store_be16(to + 14, ethertype_ipv4);
            return 16;
        case LinkType::linux_sll2:
            store_be16(to, ethertype_ipv4);
            store_be16(to + 8, 1);
            store_u8(to + 10, 4);
            return 20;
        case LinkType::null: captures::base::store_native(to, std::uint32_t{2}); return 4;
        case LinkType::loop: store_be32(to, 2); return 4;
        default: return 0;
    }
}

}  // namespace

ResetFrame::ResetFrame(const Reset& reset, LinkType link_type, captures::packet::Side side,
                       captures::base::Time time) noexcept {
    const auto offset = write_link_layer(bytes_.data(), link_type);
    const std::span ip{bytes_.data() + offset, captures::packet::Ipv4View::shortest};
    captures::packet::write_ipv4(ip, {.source = reset.from.address,
                                      .destination = reset.to.address,
                                      .protocol = static_cast<std::uint8_t>(Protocol::tcp),
                                      .total_length = datagram_size});
    const std::span tcp{ip.data() + ip.size(), TcpView::shortest};
    captures::packet::write_tcp(tcp, {.source_port = reset.from.port,
                                      .destination_port = reset.to.port,
                                      .sequence = reset.sequence,
                                      .acknowledgment = reset.acknowledges ? reset.acknowledgment : 0,
                                      .flags = static_cast<std::uint8_t>(reset.acknowledges ? rst | ack : rst)});
    TcpView{tcp.data()}.set_checksum(
        captures::packet::transport_checksum(reset.from.address, reset.to.address, Protocol::tcp, tcp));

    const auto size = offset + datagram_size;
    frame_ = {.data = bytes_.data(),
              .captured = size,
              .length = size,
              .time = time,
              .number = 0,
              .link_type = link_type,
              .side = side};
}

}  // namespace gateway::pipeline
