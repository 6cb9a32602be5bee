#include "gateway/pipeline/tcp_reset.hpp"

#include <algorithm>

#include "captures/base/bytes.hpp"
#include "captures/base/checksum.hpp"
#include "captures/base/five_tuple.hpp"
#include "captures/packet/link_layer.hpp"
#include "captures/packet/tcp.hpp"

namespace gateway::pipeline {

namespace {

using captures::base::store_be16;
using captures::base::store_be32;
using captures::base::store_u8;
using captures::packet::ethertype_ipv4;
using captures::packet::LinkType;

constexpr std::uint16_t ip_size = 20;
constexpr std::uint16_t tcp_size = 20;
constexpr std::uint8_t ttl = 64;

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
    auto* const ip = bytes_.data() + offset;
    store_u8(ip, 0x45);
    store_be16(ip + 2, ip_size + tcp_size);
    store_be16(ip + 6, 0x4000);
    store_u8(ip + 8, ttl);
    store_u8(ip + 9, static_cast<std::uint8_t>(captures::base::Protocol::tcp));
    store_be32(ip + 12, reset.from.address.value);
    store_be32(ip + 16, reset.to.address.value);
    store_be16(ip + 10, captures::base::checksum_of({ip, ip_size}));

    auto* const tcp = ip + ip_size;
    store_be16(tcp, reset.from.port);
    store_be16(tcp + 2, reset.to.port);
    store_be32(tcp + 4, reset.sequence);
    store_be32(tcp + 8, reset.acknowledges ? reset.acknowledgment : 0);
    store_u8(tcp + 12, tcp_size / 4 << 4);
    const auto flags = reset.acknowledges ? captures::packet::tcp_flag::rst | captures::packet::tcp_flag::ack
                                          : captures::packet::tcp_flag::rst;
    store_u8(tcp + 13, static_cast<std::uint8_t>(flags));
    const auto sum = captures::base::sum_of({tcp, tcp_size}) +
                     captures::base::pseudo_header_sum(reset.from.address, reset.to.address,
                                                       static_cast<std::uint8_t>(captures::base::Protocol::tcp),
                                                       tcp_size);
    store_be16(tcp + captures::packet::TcpView::checksum_offset,
               static_cast<std::uint16_t>(~captures::base::fold(sum)));

    const auto size = offset + ip_size + tcp_size;
    frame_ = {.data = bytes_.data(),
              .captured = size,
              .length = size,
              .time = time,
              .number = 0,
              .link_type = link_type,
              .side = side};
}

}  // namespace gateway::pipeline
