#include "tests/support/packet_checks.hpp"

#include <boost/test/unit_test.hpp>

#include "captures/base/checksum.hpp"
#include "captures/packet/print.hpp"

namespace support {

namespace {

using captures::packet::Kind;
using captures::packet::Packet;

std::string text_of(const std::string& text) { return '"' + text + '"'; }
std::string text_of(std::string_view text) { return '"' + std::string{text} + '"'; }
std::string text_of(std::uint64_t value) { return std::to_string(value); }
std::string text_of(Kind kind) { return std::string{captures::packet::name_of(kind)}; }

template <class T>
std::string compare(std::string_view what, const T& expected, const T& found) {
    if (expected == found) return {};
    return std::string{what} + " is " + text_of(found) + ", not " + text_of(expected);
}

std::string compare(std::string_view what, const Where& expected, captures::base::Endpoint found) {
    if (expected.has_port) return compare(what, to_string(expected.endpoint), to_string(found));
    return compare(what, to_string(expected.endpoint.address), to_string(found.address));
}

std::string compare_number(std::string_view what, std::uint64_t expected, std::uint64_t found) {
    return compare(what, expected, found);
}

bool is_whole(const Packet& packet) { return packet.captured == packet.length && !packet.is_fragmented(); }

std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t transport_header_length(const Packet& packet) {
    if (packet.kind == Kind::tcp) return packet.tcp().header_length();
    if (packet.kind == Kind::udp) return captures::packet::UdpView::size;
    return packet.kind == Kind::icmp_error ? captures::packet::IcmpView::header_size : 0;
}

std::span<const std::byte> behind_ip(const Packet& packet) {
    return {packet.transport(), packet.captured - packet.header_length};
}

/// The quoted datagram as a packet of its own; malformed where the quote is only a piece of it.
Packet decode_quoted(const Packet& packet) {
    const auto bytes = behind_ip(packet).subspan(captures::packet::IcmpView::header_size);
    captures::packet::Frame frame;
    frame.data = packet.icmp().quoted();
    frame.captured = frame.length = static_cast<std::uint32_t>(bytes.size());
    frame.link_type = captures::packet::LinkType::ipv4;
    return captures::packet::decode(frame);
}

std::string check_transport(const Packet& packet, std::string_view what) {
    const auto expected = captures::packet::transport_checksum(packet);
    if (!expected) return {};
    const bool is_udp_packet = packet.kind == Kind::udp;
    const auto found = is_udp_packet ? packet.udp().checksum() : packet.tcp().checksum();
    if (is_udp_packet && found == 0) return {};
    return compare_number(what, *expected, found);
}

}  // namespace

bool check_all(const CheckedFrame& frame, std::initializer_list<PacketCheck> checks) {
    const Checked checked{frame.frame, captures::packet::decode(frame.frame)};
    bool all = true;
    for (const auto& holds : checks) {
        const auto wrong = holds(checked);
        all = all && wrong.empty();
        BOOST_CHECK_MESSAGE(wrong.empty(), frame.file << ':' << frame.line << ": " << wrong << "\n  in "
                                                      << captures::packet::describe(checked.packet) << '\n'
                                                      << to_hex(frame.frame.bytes()));
    }
    return all;
}

PacketCheck is(Kind kind) {
    return [kind](const Checked& checked) { return compare("kind", kind, checked.packet.kind); };
}

PacketCheck malformed(captures::packet::Defect defect) {
    return [defect](const Checked& checked) {
        return compare("defect", to_string(defect), to_string(checked.packet.defect));
    };
}

std::string is_tcp(const Checked& checked) { return compare("kind", Kind::tcp, checked.packet.kind); }
std::string is_udp(const Checked& checked) { return compare("kind", Kind::udp, checked.packet.kind); }
std::string is_icmp_error(const Checked& checked) { return compare("kind", Kind::icmp_error, checked.packet.kind); }
std::string is_fragment(const Checked& checked) { return compare("kind", Kind::fragment, checked.packet.kind); }

PacketCheck from(Where endpoint) {
    return [endpoint](const Checked& checked) { return compare("source", endpoint, checked.packet.tuple.source); };
}

PacketCheck to(Where endpoint) {
    return [endpoint](const Checked& checked) {
        return compare("destination", endpoint, checked.packet.tuple.destination);
    };
}

PacketCheck ttl(int ttl) {
    return [ttl](const Checked& checked) {
        return compare_number("TTL", static_cast<std::uint64_t>(ttl), checked.packet.ttl);
    };
}

PacketCheck id(int identification) {
    return [identification](const Checked& checked) {
        return compare_number("IP identification", static_cast<std::uint64_t>(identification),
                              checked.packet.ipv4().identification());
    };
}

PacketCheck length(std::size_t bytes) {
    return [bytes](const Checked& checked) { return compare_number("length", bytes, checked.packet.length); };
}

PacketCheck fragment_at(std::size_t offset, bool more) {
    return [offset, more](const Checked& checked) {
        auto wrong = compare_number("fragment offset", offset, checked.packet.fragment_offset);
        if (!wrong.empty()) return wrong;
        return compare_number("more-fragments flag", more ? 1 : 0, checked.packet.more_fragments ? 1 : 0);
    };
}

PacketCheck flags(std::string_view letters) {
    return [expected = std::string{letters}](const Checked& checked) {
        return compare("TCP flags", expected, captures::packet::flag_letters(checked.packet.tcp_flags));
    };
}

PacketCheck seq(std::uint32_t number) {
    return [number](const Checked& checked) { return compare_number("seq", number, checked.packet.sequence); };
}

PacketCheck ack_number(std::uint32_t number) {
    return [number](const Checked& checked) { return compare_number("ack", number, checked.packet.acknowledgment); };
}

PacketCheck payload(std::string_view text) {
    return [expected = std::string{text}](const Checked& checked) {
        if (checked.packet.ip == nullptr || checked.packet.kind == Kind::malformed) return std::string{"no payload"};
        const auto bytes = behind_ip(checked.packet);
        const auto header = transport_header_length(checked.packet);
        if (bytes.size() < header) return std::string{"the transport header is cut"};
        return compare("payload", std::string_view{expected}, as_text(bytes.subspan(header)));
    };
}

std::string no_checksum(const Checked& checked) {
    if (checked.packet.kind != Kind::udp) return "not UDP";
    return compare_number("UDP checksum", 0, checked.packet.udp().checksum());
}

PacketCheck icmp(int type, int code) {
    return [type, code](const Checked& checked) {
        if (checked.packet.kind != Kind::icmp_error) return std::string{"not an ICMP error"};
        const auto view = checked.packet.icmp();
        const auto wrong = compare_number("ICMP type", static_cast<std::uint64_t>(type), view.type());
        return wrong.empty() ? compare_number("ICMP code", static_cast<std::uint64_t>(code), view.code()) : wrong;
    };
}

PacketCheck quotes_from(Where endpoint) {
    return [endpoint](const Checked& checked) {
        if (checked.packet.kind != Kind::icmp_error) return std::string{"not an ICMP error"};
        return compare("quoted source", endpoint, captures::packet::quoted_tuple(checked.packet).source);
    };
}

PacketCheck quotes_to(Where endpoint) {
    return [endpoint](const Checked& checked) {
        if (checked.packet.kind != Kind::icmp_error) return std::string{"not an ICMP error"};
        return compare("quoted destination", endpoint, captures::packet::quoted_tuple(checked.packet).destination);
    };
}

PacketCheck on_side(captures::packet::Side side) {
    return [side](const Checked& checked) {
        return checked.frame.side == side ? std::string{} : std::string{"it is on the other side"};
    };
}

PacketCheck on_link(captures::packet::LinkType type) {
    return [type](const Checked& checked) {
        return compare_number("link type", static_cast<std::uint64_t>(type),
                              static_cast<std::uint64_t>(checked.frame.link_type));
    };
}

PacketCheck captured_bytes(std::size_t bytes) {
    return [bytes](const Checked& checked) { return compare_number("captured bytes", bytes, checked.frame.captured); };
}

std::string checksums_hold(const Checked& checked) {
    const auto& packet = checked.packet;
    if (packet.ip == nullptr || packet.kind == Kind::malformed) return "no checksums: not a sound IPv4 packet";
    if (!captures::base::checksum_holds({packet.ip, packet.header_length})) return "IPv4 header checksum is wrong";
    if (packet.kind != Kind::icmp_error) return check_transport(packet, "TCP or UDP checksum");
    if (is_whole(packet) && !captures::base::checksum_holds(behind_ip(packet))) return "ICMP checksum is wrong";
    const captures::packet::Ipv4View quoted{packet.icmp().quoted()};
    if (!captures::base::checksum_holds({quoted.at, quoted.header_length()})) return "quoted IPv4 checksum is wrong";
    return check_transport(decode_quoted(packet), "quoted TCP or UDP checksum");
}

std::string transport_checksum_is_wrong(const Checked& checked) {
    const auto& packet = checked.packet;
    if (packet.kind == Kind::malformed && packet.defect == captures::packet::Defect::icmp_checksum) return {};
    if (!captures::packet::transport_checksum(packet)) return "not a whole TCP or UDP packet";
    return check_transport(packet, "").empty() ? "transport checksum holds, or there is none" : "";
}

}  // namespace support
