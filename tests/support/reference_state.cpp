#include <algorithm>

#include "captures/base/bytes.hpp"
#include "tests/support/reference_bytes.hpp"
#include "tests/support/reference_nat.hpp"

// What the reference NAT remembers: flows, windows, datagrams in fragments; and what it tells.

namespace support {

using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::base::load_u8;
using captures::base::Protocol;
using captures::base::Time;
using captures::packet::Side;
using policy::Reason;

namespace {

constexpr std::size_t link_header = 14;

}  // namespace

// Time

void ReferenceNat::pass_time(Time now) {
    now_ = std::max(now_, now);
    for (;;) {
        const auto flow = std::ranges::min_element(flows_, {}, [this](const Flow& one) { return deadline_of(one); });
        const auto datagram = std::min_element(datagrams_.begin(), datagrams_.end(), [](const auto& a, const auto& b) {
            return a.second.deadline < b.second.deadline;
        });
        const auto flow_ends = flow == flows_.end() ? Time::max() : deadline_of(*flow);
        const auto datagram_ends = datagram == datagrams_.end() ? Time::max() : datagram->second.deadline;
        if (std::min(flow_ends, datagram_ends) > now_) return;
        if (flow_ends <= datagram_ends) {
            if (flow->phase == Phase::open && !flow->cut && !flow->east_west) send_resets(*flow, flow_ends);
            flows_.erase(flow);
        } else {
            for (const auto& one : datagram->second.waiting) tell(one, {.reason = Reason::fragment});
            datagrams_.erase(datagram);
        }
    }
}

Time ReferenceNat::deadline_of(const Flow& flow) const {
    const dnat::Timeouts defaults;
    const auto& set = config_.timeouts;
    const auto transitory = set.tcp_transitory.value_or(defaults.tcp_transitory);
    if (flow.cut) return flow.last_seen + transitory;
    if (flow.protocol == Protocol::udp) return flow.last_seen + set.udp_idle.value_or(defaults.udp_idle);
    if (flow.phase != Phase::open) return flow.last_seen + transitory;
    return flow.last_seen + (flow.east_west ? set.tcp_idle_east_west.value_or(defaults.tcp_idle_east_west)
                                            : set.tcp_idle.value_or(defaults.tcp_idle));
}

// Windows and rules

void ReferenceNat::open_window(std::string_view source, captures::base::Duration duration, Time now) {
    windows_.push_back({.id = ++last_window_,
                        .target = {},
                        .protocol = {},
                        .sources = {captures::base::Prefix::parse(source).value()},
                        .start = now,
                        .end = now + duration});
}

void ReferenceNat::close_window(policy::WindowId id) {
    std::erase_if(windows_, [=](const policy::Window& one) { return one.id == id; });
}

std::vector<Told> ReferenceNat::cut(policy::WindowId id, Time now) {
    pass_time(now);
    for (auto& flow : flows_) {
        if (flow.window != id || flow.cut) continue;
        const bool alive = flow.protocol == Protocol::tcp &&
                           (flow.phase == Phase::open || flow.phase == Phase::opening);
        if (alive) send_resets(flow, now_);
        flow.cut = true;
        flow.last_seen = now_;
    }
    std::erase_if(datagrams_, [=](const auto& one) { return one.second.ruled && one.second.ruling.window == id; });
    return std::exchange(told_, {});
}

void ReferenceNat::reload(const gateway::config::Config& config) {
    config_ = config;
    std::erase_if(flows_, [&](Flow& flow) {
        Endpoint target;
        const auto ruling = admission_of({flow.client, flow.called, flow.protocol}, true, target);
        if (ruling.rule.empty() || target != flow.target) return true;
        if (flow.instance.address != config_.firewall.instance_ip) return true;
        flow.rule = ruling.rule;
        const auto* const machine = config_.machine(flow.target.address);
        if (machine == nullptr) return false;
        return std::ranges::any_of(machine->nsg, [&](const std::string& name) {
            const auto* const nsg = config_.nsg(name);
            const captures::base::FiveTuple delivered{flow.instance, flow.target, flow.protocol};
            return nsg->flush_connection() && nsg->judge(delivered).access == policy::Access::deny;
        });
    });
    std::erase_if(datagrams_, [](const auto& one) { return one.second.ruled; });
}

// Flows

std::size_t ReferenceNat::find_flow(Endpoint source, Endpoint destination, unsigned protocol, Way way) const {
    for (std::size_t index = 0; index < flows_.size(); ++index) {
        const auto& flow = flows_[index];
        if (static_cast<unsigned>(flow.protocol) != protocol) continue;
        const bool matches = way == Way::to_target   ? flow.client == source && flow.called == destination
                             : way == Way::to_client ? flow.target == source && flow.instance == destination
                                                     : flow.called == source && flow.client == destination;
        if (matches) return index;
    }
    return SIZE_MAX;
}

std::uint16_t ReferenceNat::free_port(Endpoint target, unsigned protocol, std::uint16_t wanted) const {
    const auto is_taken = [&](std::uint32_t port) {
        return std::ranges::any_of(flows_, [&](const Flow& flow) {
            return flow.target == target && static_cast<unsigned>(flow.protocol) == protocol &&
                   flow.instance.port == port;
        });
    };
    std::uint32_t port = wanted;
    while (is_taken(port)) port = port == 65535 ? 1024 : port + 1;
    return static_cast<std::uint16_t>(port);
}

bool ReferenceNat::owns(Ipv4Address address) const {
    const auto& firewall = config_.firewall;
    return std::ranges::count(firewall.public_ips, address) != 0 || firewall.private_ip == address ||
           firewall.instance_ip == address;
}

ReferenceNat::Ruling ReferenceNat::ruling_of(const Flow& flow, Reason reason, Way way) {
    Ruling ruling{.reason = reason, .rule = flow.rule, .window = flow.window};
    ruling.source = way == Way::to_target ? flow.instance : way == Way::to_client ? flow.called : flow.target;
    ruling.destination = way == Way::to_target ? flow.target : way == Way::to_client ? flow.client : flow.instance;
    return ruling;
}

// Fragments

ReferenceNat::DatagramKey ReferenceNat::key_of(const Packet& packet) {
    const auto id = captures::base::load_be16(packet.bytes.data() + link_header + 4);
    return {packet.source.address, packet.destination.address, id, packet.protocol, packet.way == Way::to_target};
}

void ReferenceNat::judge_later_fragment(Packet& packet) {
    const auto& to = packet.destination.address;
    if (packet.way == Way::to_target && !owns(to)) return tell(packet, {.reason = Reason::no_listener});
    if (packet.way == Way::to_client && to != config_.firewall.instance_ip) {
        return tell(packet, {.reason = owns(to) ? Reason::hairpin : Reason::no_flow});
    }
    const auto lifetime = config_.timeouts.fragment.value_or(dnat::Timeouts{}.fragment);
    auto& datagram = datagrams_.try_emplace(key_of(packet), Datagram{.deadline = now_ + lifetime}).first->second;
    if (!add(datagram, packet)) return tell(packet, {.reason = Reason::fragment});
    if (!datagram.ruled) return datagram.waiting.push_back(packet);
    tell(packet, datagram.ruling);
    if (complete(datagram)) datagrams_.erase(key_of(packet));
}

/// Whether its datagram has a place for it; what has waited is released either way.
bool ReferenceNat::takes_first(const Packet& packet, std::vector<Packet>& released) {
    const auto lifetime = config_.timeouts.fragment.value_or(dnat::Timeouts{}.fragment);
    auto& datagram = datagrams_.try_emplace(key_of(packet), Datagram{.deadline = now_ + lifetime}).first->second;
    if (!datagram.ruled) released = std::exchange(datagram.waiting, {});
    return add(datagram, packet) && !datagram.ruled;
}

void ReferenceNat::rule_datagram(const Packet& packet, const Ruling& ruling) {
    auto& datagram = datagrams_.at(key_of(packet));
    datagram.ruled = true;
    datagram.ruling = ruling;
    if (ruling.reason == Reason::dnat) datagram.ruling.reason = Reason::established;
    if (complete(datagram)) datagrams_.erase(key_of(packet));
}

/// Notes the bytes that a fragment brings; false where it repeats or contradicts what came before.
bool ReferenceNat::add(Datagram& datagram, const Packet& packet) {
    if (datagram.poisoned) return false;
    const auto end = packet.offset + packet.payload;
    if (datagram.have.size() < end) datagram.have.resize(end);
    const auto from = datagram.have.begin() + packet.offset;
    const auto present = std::count(from, from + packet.payload, true);
    if (present == static_cast<std::ptrdiff_t>(packet.payload)) return false;
    const auto beyond = std::count(from + packet.payload, datagram.have.end(), true);
    const bool second_end = datagram.end != 0 && (!packet.more || end > datagram.end);
    if (present != 0 || second_end || (!packet.more && beyond != 0)) {
        datagram.poisoned = true;
        return false;
    }
    std::fill(from, from + packet.payload, true);
    if (!packet.more) datagram.end = end;
    return true;
}

bool ReferenceNat::complete(const Datagram& datagram) {
    return datagram.end != 0 && std::count(datagram.have.begin(), datagram.have.end(), true) == datagram.end;
}

std::vector<Told> ReferenceNat::finish() {
    while (!datagrams_.empty()) {
        const auto oldest = std::min_element(datagrams_.begin(), datagrams_.end(), [](const auto& a, const auto& b) {
            return a.second.deadline < b.second.deadline;
        });
        for (const auto& one : oldest->second.waiting) tell(one, {.reason = Reason::fragment});
        datagrams_.erase(oldest);
    }
    return std::exchange(told_, {});
}

// Telling

void ReferenceNat::tell(const Packet& packet, const Ruling& ruling) {
    Told one;
    one.number = packet.frame.number;
    one.time = packet.frame.time;
    one.reason = ruling.reason;
    one.rule = ruling.rule;
    one.window = ruling.window;
    one.bytes = packet.bytes;
    auto* const ip = one.bytes.data() + link_header;
    if (one.fate() == policy::Fate::forward && packet.way != Way::untranslated && load_u8(ip + 8) <= 1) {
        one.reason = Reason::ttl_expired;
    }
    if (one.fate() == policy::Fate::forward) {
        translate_packet(ip, ruling.source, ruling.destination, packet.way == Way::untranslated);
        one.side = packet.way == Way::to_client ? Side::outside
                                                : Side::inside;  // untranslated: as the inside wire had it
    }
    told_.push_back(std::move(one));
}

void ReferenceNat::send_resets(const Flow& flow, Time when) {
    send_reset(flow.called, flow.client, flow.from_server, flow.from_client, Side::outside, when);
    send_reset(flow.instance, flow.target, flow.from_client, flow.from_server, Side::inside, when);
}

void ReferenceNat::send_reset(Endpoint from, Endpoint to, const Half& sender, const Half& receiver, Side side,
                              Time when) {
    auto reset = tcp(from, to).rst().seq(sender.next).window(0).df();
    if (receiver.spoke) reset.ack(receiver.next);
    Told one;
    one.time = when;
    one.side = side;
    one.bytes = from_hex("02504300000202504300000108 00");
    const auto datagram = reset.datagram();
    one.bytes.insert(one.bytes.end(), datagram.begin(), datagram.end());
    told_.push_back(std::move(one));
}

}  // namespace support
