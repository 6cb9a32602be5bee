#include "tests/support/reference_nat.hpp"

#include <algorithm>

#include "captures/base/bytes.hpp"
#include "tests/support/reference_bytes.hpp"

namespace support {

using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::base::load_be16;
using captures::base::load_be32;
using captures::base::load_u8;
using captures::base::Protocol;
using captures::base::Time;
using captures::packet::Frame;
using captures::packet::Side;
using gateway::pipeline::Vantage;
using policy::Reason;

namespace {

constexpr std::size_t link = 14;
constexpr std::size_t none = SIZE_MAX;
constexpr unsigned icmp_number = 1;
constexpr unsigned tcp_number = 6;
constexpr unsigned udp_number = 17;
namespace flag = captures::packet::tcp_flag;

}  // namespace

std::vector<Told> ReferenceNat::packet(const Frame& frame) {
    pass_time(frame.time);
    Packet packet;
    packet.bytes.assign(frame.data, frame.data + frame.captured);
    packet.frame = frame;
    judge(packet);
    return std::exchange(told_, {});
}

void ReferenceNat::judge(Packet& packet) {
    auto* const ip = packet.bytes.data() + link;
    const auto ethertype = load_be16(packet.bytes.data() + 12);
    if (ethertype == 0x86dd) return tell(packet, {.reason = Reason::unsupported});
    if (ethertype != 0x0800) return tell(packet, {.reason = Reason::not_ip});
    if (sum_words(ip, header_of(ip)) != 0xffff) return tell(packet, {.reason = Reason::malformed});
    packet.protocol = load_u8(ip + 9);
    packet.offset = (load_be16(ip + 6) & 0x1fffU) * 8U;
    packet.more = (load_be16(ip + 6) & 0x2000) != 0;
    packet.first = packet.offset == 0;
    packet.payload = static_cast<std::uint32_t>(load_be16(ip + 2) - header_of(ip));
    const bool ported = packet.first && (packet.protocol == tcp_number || packet.protocol == udp_number);
    packet.source = endpoint_at(ip, true, ported);
    packet.destination = endpoint_at(ip, false, ported);
    packet.way = vantage_ == Vantage::outside ? (owns(packet.source.address) ? Way::untranslated : Way::to_target)
                 : packet.frame.side == Side::outside ? Way::to_target
                                                      : Way::to_client;
    if (packet.protocol == icmp_number) return tell(packet, judge_error(packet));
    if (!ported && packet.first) return tell(packet, {.reason = Reason::unsupported});
    if (departs(packet)) return tell(packet, {.reason = Reason::departure});
    if (!packet.first) return judge_later_fragment(packet);
    std::vector<Packet> released;
    Ruling ruling{.reason = Reason::fragment};
    if (!packet.more || takes_first(packet, released)) {
        ruling = judge_transport(packet);
        if (packet.more) rule_datagram(packet, ruling);
    }
    tell(packet, ruling);
    if (ruling.reason == Reason::dnat) ruling.reason = Reason::established;
    for (const auto& one : released) tell(one, ruling);
}

bool ReferenceNat::departs(const Packet& packet) const {
    const bool is_instance = packet.source.address == config_.firewall.instance_ip;
    if (packet.way == Way::to_client) return is_instance;
    return packet.way == Way::to_target && owns(packet.source.address) && !is_instance;
}

ReferenceNat::Ruling ReferenceNat::judge_transport(const Packet& packet) {
    const auto index = find_flow(packet.source, packet.destination, packet.protocol, packet.way);
    if (index != none) return judge_flow(packet, index);
    if (packet.way == Way::to_target) {
        return owns(packet.source.address) ? Ruling{.reason = Reason::malformed} : judge_first(packet);
    }
    const auto& to = packet.destination.address;
    const bool hairpin = packet.way == Way::to_client && owns(to) && to != config_.firewall.instance_ip;
    return {.reason = hairpin ? Reason::hairpin : Reason::no_flow};
}

/// `port`: from which it is delivered, where that is known.
ReferenceNat::Ruling ReferenceNat::admission_of(const captures::base::FiveTuple& arrived, bool opens, Endpoint& target,
                                                std::optional<std::uint16_t> port) const {
    Ruling ruling{.reason = Reason::no_listener};
    const dnat::NatRule* matched = nullptr;
    for (const auto& rule : config_.nat_rules) {
        const auto& called = arrived.destination.port;
        if (rule.destination != arrived.destination.address ||
            std::ranges::count(rule.protocols, arrived.protocol) == 0 ||
            std::ranges::none_of(rule.destination_ports, [=](const auto& range) { return range.contains(called); })) {
            continue;
        }
        ruling.reason = Reason::no_nat_rule;
        const auto& from = arrived.source.address;
        const bool admits = std::ranges::any_of(rule.sources, [=](const auto& range) { return range.contains(from); });
        if (matched == nullptr && admits) matched = &rule;
    }
    if (ruling.reason == Reason::no_listener) return ruling;
    if (!opens) return {.reason = Reason::invalid_state};
    if (matched == nullptr) return ruling;
    ruling.rule = to_string(matched->name);
    target = matched->translated;
    const bool guarded = (target == Where{"10.1.0.4:22"}.endpoint && arrived.protocol == Protocol::tcp) ||
                         (target == Where{"10.1.0.4:5353"}.endpoint && arrived.protocol == Protocol::udp);
    if (guarded) {
        const policy::Window* best = nullptr;
        for (const auto& window : windows_) {
            if (now_ < window.start || now_ >= window.end || !window.sources[0].contains(arrived.source.address))
                continue;
            if (best == nullptr || window.end >= best->end) best = &window;
        }
        if (best == nullptr) return ruling.reason = Reason::jit_closed, ruling;
        ruling.window = best->id;
    }
    if (!port) port = free_port(target, static_cast<unsigned>(arrived.protocol), arrived.source.port);
    const captures::base::FiveTuple delivered{{config_.firewall.instance_ip, *port}, target, arrived.protocol};
    ruling.reason = Reason::dnat;
    if (const auto* const machine = config_.machine(target.address)) {
        for (const auto& name : machine->nsg) {
            if (config_.nsg(name)->judge(delivered).access == policy::Access::deny) ruling.reason = Reason::nsg_deny;
        }
    }
    return ruling;
}

ReferenceNat::Ruling ReferenceNat::judge_first(const Packet& packet) {
    const auto* const ip = packet.bytes.data() + link;
    const bool opens = packet.protocol == udp_number || is_syn(packet);
    Flow flow;
    const captures::base::FiveTuple arrived{packet.source, packet.destination, static_cast<Protocol>(packet.protocol)};
    auto ruling = admission_of(arrived, opens, flow.target);
    if (ruling.reason != Reason::dnat) return ruling;
    if (load_u8(ip + 8) <= 1) return ruling.reason = Reason::ttl_expired, ruling;
    flow.client = packet.source;
    flow.called = packet.destination;
    flow.protocol = arrived.protocol;
    flow.instance = {config_.firewall.instance_ip, free_port(flow.target, packet.protocol, packet.source.port)};
    flow.rule = ruling.rule;
    flow.window = ruling.window;
    flow.east_west = packet.destination.address == config_.firewall.private_ip;
    flow.last_seen = now_;
    if (flow.protocol == Protocol::tcp) (void)follow(flow, packet, true);
    flows_.push_back(flow);
    return ruling_of(flow, Reason::dnat, packet.way);
}

ReferenceNat::Ruling ReferenceNat::judge_flow(const Packet& packet, std::size_t index) {
    auto& flow = flows_[index];
    const bool from_client = packet.way == Way::to_target;
    const auto ttl = load_u8(packet.bytes.data() + link + 8);
    const auto passes = from_client ? Reason::established : Reason::reply;
    if (packet.way != Way::untranslated && ttl <= 1) return ruling_of(flow, Reason::ttl_expired, packet.way);
    bool begins = false;
    if (from_client && is_syn(packet)) {
        auto asked = ask_again(flow);
        if (asked.reason != Reason::dnat) return asked;
        begins = !flow.cut && flow.phase == Phase::opening && flow.window != asked.window;
        if (begins) flow.window = asked.window;
    }
    auto step = Step::counts;
    if (flow.protocol == Protocol::tcp) {
        step = follow(flow, packet, from_client);
    } else if (flow.cut) {
        step = from_client && ask_again(flow).reason == Reason::dnat ? Step::reopens : Step::refused;
    }
    if (step == Step::refused)
        return ruling_of(flow, flow.cut ? Reason::window_cut : Reason::invalid_state, packet.way);
    if (step == Step::reopens) {
        flows_.erase(flows_.begin() + static_cast<std::ptrdiff_t>(index));
        return judge_first(packet);
    }
    if (step == Step::counts) flow.last_seen = now_;
    return ruling_of(flow, begins ? Reason::dnat : passes, packet.way);
}

/// A TCP SYN without ACK.
bool ReferenceNat::is_syn(const Packet& packet) {
    const auto* const ip = packet.bytes.data() + link;
    return packet.protocol == tcp_number && (load_u8(ip + header_of(ip) + 13) & (flag::syn | flag::ack)) == flag::syn;
}

ReferenceNat::Ruling ReferenceNat::ask_again(const Flow& flow) const {
    Endpoint target;
    return admission_of({flow.client, flow.called, flow.protocol}, true, target, flow.instance.port);
}

/// Whether the segment passes, and whether it counts against the idle time.
ReferenceNat::Step ReferenceNat::follow(Flow& flow, const Packet& packet, bool from_client) {
    const auto* const ip = packet.bytes.data() + link;
    const auto* const segment = ip + header_of(ip);
    const auto flags = load_u8(segment + 13);
    const bool syn = (flags & flag::syn) != 0;
    const bool ack = (flags & flag::ack) != 0;
    const auto sequence = load_be32(segment + 4);
    const auto number = load_be32(segment + 8);
    const auto data = packet.payload - (load_u8(segment + 12) >> 4) * 4U;
    const auto end = sequence + data + (syn ? 1 : 0) + ((flags & flag::fin) != 0 ? 1 : 0);
    auto& sender = from_client ? flow.from_client : flow.from_server;
    const auto& receiver = from_client ? flow.from_server : flow.from_client;
    const bool over = flow.cut || flow.phase == Phase::closing || flow.phase == Phase::reset;
    if (syn && !ack && over) return from_client ? Step::reopens : Step::refused;
    if (flow.cut) return Step::refused;
    const bool in_window = (sender.spoke && sequence == sender.next) ||
                           (receiver.acked && sequence - receiver.ack < std::max(receiver.window, 1U));
    if ((flags & flag::rst) != 0) {
        const bool refuses = !sender.spoke && ack && number == receiver.next;
        if (!(in_window || refuses) || flow.phase == Phase::reset) return Step::silent;
        flow.phase = Phase::reset;
        return Step::counts;
    }
    const bool was_open = flow.from_client.acked && flow.from_server.acked;
    if (flow.phase == Phase::reset && (syn || !was_open)) return Step::silent;
    if (flow.phase == Phase::open && syn) return Step::silent;
    if (flow.phase == Phase::opening && !flow.answered) {
        if (from_client && syn && !ack) sender = {};  // it begins, or begins again
        if (!from_client && (!syn || (ack && flow.from_client.next - number > 65535))) return Step::counts;
        if (!from_client) flow.answered = true;
    }
    // Numbers that are further ahead than the other side ever offered room for are nobody's.
    const auto near = [](std::uint32_t ahead, std::uint32_t base, std::uint32_t window) {
        return static_cast<std::int32_t>(ahead - base) <= 0 || ahead - base <= std::max(window, 65535U);
    };
    const bool fits = !receiver.acked || near(sequence, receiver.ack, receiver.window);
    if (!sender.spoke || syn || (fits && static_cast<std::int32_t>(end - sender.next) > 0)) sender.next = end;
    sender.spoke = true;
    const bool credible = receiver.spoke && near(number, receiver.next, sender.window);
    const bool forward = !sender.acked || static_cast<std::int32_t>(number - sender.ack) >= 0;
    if (ack && credible && forward) {
        sender.ack = number;
        sender.acked = true;
    }
    sender.window = load_be16(segment + 14);
    if (flow.phase == Phase::closing) return Step::silent;
    if (flow.phase == Phase::reset) {  // RFC 6146: established again, whatever was before
        flow.from_client.finished = flow.from_server.finished = false;
        flow.phase = Phase::open;
        return Step::counts;
    }
    if ((flags & flag::fin) != 0 && in_window && flow.answered) {
        // Each side may open and close in one; then there is no more waiting for the handshake to end.
        sender.finished = true;
        flow.phase = flow.from_client.finished && flow.from_server.finished ? Phase::closing : Phase::open;
    } else if (flow.phase == Phase::opening && flow.answered && flow.from_client.acked && flow.from_server.acked) {
        flow.phase = Phase::open;
    }
    return Step::counts;
}

ReferenceNat::Ruling ReferenceNat::judge_error(const Packet& packet) {
    const auto* const message = packet.bytes.data() + link + header_of(packet.bytes.data() + link);
    const auto type = load_u8(message);
    if (type != 3 && type != 4 && type != 11 && type != 12) return {.reason = Reason::unsupported};
    if (departs(packet)) return {.reason = Reason::departure};
    if (packet.way == Way::to_target && owns(packet.source.address)) return {.reason = Reason::malformed};
    const auto* const quoted = message + 8;
    // It went against what it quotes, so its own tuple is that one's answer.
    const auto from = endpoint_at(quoted, false, true);
    const auto to = endpoint_at(quoted, true, true);
    const auto index = find_flow(from, to, load_u8(quoted + 9), packet.way);
    if (index == none || to.address != packet.destination.address) return {.reason = Reason::no_flow};
    const auto& flow = flows_[index];
    if (flow.cut) return ruling_of(flow, Reason::window_cut, packet.way);
    const bool over = packet.way != Way::untranslated && load_u8(packet.bytes.data() + link + 8) <= 1;
    return ruling_of(flow, over ? Reason::ttl_expired : Reason::related, packet.way);
}

}  // namespace support
