#include "gateway/live/fragmenter.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "captures/base/checksum.hpp"
#include "captures/packet/ipv4.hpp"
#include "gateway/live/arp.hpp"

namespace gateway::live {

using captures::packet::Ipv4View;

namespace {

constexpr std::uint8_t copied_flag = 0x80;
constexpr std::uint32_t more_flag = 0x2000;
constexpr std::uint32_t reserved_flag = 0x8000;

}  // namespace

Fragmenter::Fragmenter(const captures::packet::Frame& frame, std::uint32_t mtu) noexcept
    : frame_{frame},
      mtu_{std::max(mtu, least_mtu)},
      header_{Ipv4View{frame.data + ethernet_size}.header_length()},
      start_{static_cast<std::uint32_t>(ethernet_size) + header_} {
    const Ipv4View ip{frame.data + ethernet_size};
    assert(ip.version() == 4 && ethernet_size + ip.total_length() <= frame.captured && header_ <= ip.total_length());
    payload_ = ip.total_length() - header_;
    offset_ = static_cast<std::uint16_t>(ip.fragment_offset() / 8);
    more_ = ip.more_fragments();
    copy_later_options(ip.at, header_);
}

std::uint32_t Fragmenter::write_next(std::span<std::byte> to) noexcept {
    if (done_ == payload_) return 0;
    assert(to.size() >= ethernet_size + mtu_);
    const auto left = payload_ - done_;
    const bool is_last = left <= mtu_ - header_;
    const auto size = is_last ? left : (mtu_ - header_) / 8 * 8;

    std::memcpy(to.data(), frame_.data, ethernet_size + Ipv4View::shortest);
    const Ipv4View ip{to.data() + ethernet_size};
    const auto* const options = done_ == 0 ? frame_.data + ethernet_size + Ipv4View::shortest : later_options_.data();
    std::memcpy(ip.at + Ipv4View::shortest, options, header_ - Ipv4View::shortest);
    std::memcpy(ip.at + header_, frame_.data + start_ + done_, size);
    captures::base::store_u8(ip.at, static_cast<std::uint8_t>(0x40 | header_ / 4));
    captures::base::store_be16(ip.at + 2, static_cast<std::uint16_t>(header_ + size));
    const std::uint32_t more = !is_last || more_ ? more_flag : 0;
    const std::uint32_t reserved = captures::base::load_be16(ip.at + 6) & reserved_flag;
    captures::base::store_be16(ip.at + 6, static_cast<std::uint16_t>(reserved | more | (offset_ + done_ / 8)));
    ip.set_checksum(0);
    ip.set_checksum(captures::base::checksum_of({ip.at, header_}));

    const auto length = static_cast<std::uint32_t>(ethernet_size) + header_ + size;
    done_ += size;
    header_ = later_header_;
    return length;
}

/// What follows an option that cannot be read is not repeated.
void Fragmenter::copy_later_options(const std::byte* ip, std::uint32_t length) noexcept {
    constexpr std::uint8_t end_of_list = 0;
    constexpr std::uint8_t no_operation = 1;
    std::uint32_t copied = 0;
    for (std::uint32_t at = Ipv4View::shortest; at < length;) {
        const auto type = captures::base::load_u8(ip + at);
        if (type == end_of_list) break;
        if (type == no_operation) {
            ++at;
            continue;
        }
        if (at + 2 > length) break;
        const std::uint32_t size = captures::base::load_u8(ip + at + 1);
        if (size < 2 || at + size > length) break;
        if ((type & copied_flag) != 0) {
            std::memcpy(later_options_.data() + copied, ip + at, size);
            copied += size;
        }
        at += size;
    }
    later_header_ = static_cast<std::uint32_t>(Ipv4View::shortest) + (copied + 3) / 4 * 4;
}

}  // namespace gateway::live
