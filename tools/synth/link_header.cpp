#include "tools/synth/link_header.hpp"

#include "captures/base/bytes.hpp"

namespace tools {

namespace {

using captures::packet::LinkType;

class Bytes {
public:
    void add16(std::uint16_t value) {
        bytes_.resize(bytes_.size() + 2);
        captures::base::store_be16(bytes_.data() + bytes_.size() - 2, value);
    }
    void add32(std::uint32_t value) {
        add16(static_cast<std::uint16_t>(value >> 16));
        add16(static_cast<std::uint16_t>(value));
    }
    void add_mac(captures::base::Ipv4Address owner) {
        add16(0x0200);
        add32(owner.value);
    }
    void add_type(const LinkHeader& header) {
        for (const auto& tag : header.tags) {
            add16(tag.ethertype);
            add16(tag.control);
        }
        add16(header.ethertype);
    }
    [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

private:
    std::vector<std::byte> bytes_;
};

constexpr std::uint16_t arphrd_ethernet = 1;
constexpr std::uint16_t mac_length = 6;

void add_sll(Bytes& bytes, const LinkHeader& header) {
    bytes.add16(0);  // sent to us
    bytes.add16(arphrd_ethernet);
    bytes.add16(mac_length);
    bytes.add_mac(header.source);
    bytes.add16(0);  // the address field has 8 bytes
    bytes.add_type(header);
}

/// The protocol stands first, the tags behind the header, each followed by the type of what it tags.
void add_sll2(Bytes& bytes, const LinkHeader& header) {
    bytes.add16(header.tags.empty() ? header.ethertype : header.tags.front().ethertype);
    bytes.add16(0);  // reserved
    bytes.add32(1);  // interface index
    bytes.add16(arphrd_ethernet);
    bytes.add16(mac_length);  // packet type 0 (to us), then the length of the address
    bytes.add_mac(header.source);
    bytes.add16(0);
    for (std::size_t i = 0; i < header.tags.size(); ++i) {
        bytes.add16(header.tags[i].control);
        bytes.add16(i + 1 < header.tags.size() ? header.tags[i + 1].ethertype : header.ethertype);
    }
}

std::uint32_t family_of(std::uint16_t ethertype) {
    switch (ethertype) {
        case 0x0800: return 2;
        case 0x86dd: return 30;  // Darwin's AF_INET6
        default: return 0;
    }
}

}  // namespace

std::vector<std::byte> link_header_bytes(const LinkHeader& header) {
    Bytes bytes;
    switch (header.type) {
        case LinkType::ethernet:
            bytes.add_mac(header.destination);
            bytes.add_mac(header.source);
            bytes.add_type(header);
            break;
        case LinkType::linux_sll: add_sll(bytes, header); break;
        case LinkType::linux_sll2: add_sll2(bytes, header); break;
        case LinkType::null: bytes.add32(__builtin_bswap32(family_of(header.ethertype))); break;
        case LinkType::loop: bytes.add32(family_of(header.ethertype)); break;
        case LinkType::raw:
        case LinkType::raw_12:
        case LinkType::raw_14:
        case LinkType::ipv4:
        case LinkType::ipv6: break;
    }
    return bytes.take();
}

}  // namespace tools
