#include "tests/support/random_traffic.hpp"

#include "tests/support/pipeline_bench.hpp"

namespace support {

using captures::base::Endpoint;
using captures::packet::Side;
using gateway::pipeline::Vantage;
using namespace std::chrono_literals;

RandomTraffic::RandomTraffic(std::uint64_t seed, Vantage vantage) : random_{seed}, vantage_{vantage} {
    // Few clients and ports, so that these collide; listeners that admit all, some and none.
    const std::array tcp_listeners{"203.0.113.10:50022", "203.0.113.10:8080",  "203.0.113.10:5432",
                                   "203.0.113.10:50023", "203.0.113.10:50080", "10.0.1.4:2222",
                                   "203.0.113.10:50022", "203.0.113.10:8080",  "203.0.113.10:9"};
    const std::array udp_listeners{"203.0.113.10:53", "203.0.113.10:5353", "203.0.113.10:54"};
    const std::array clients{"198.51.100.7", "198.51.100.8", "192.0.2.5", "192.0.2.6"};
    for (const auto* const address : clients) {
        for (std::uint16_t port = 40000; port < 40003; ++port) {
            const Endpoint client{Where{address}.endpoint.address, port};
            for (const auto* const listener : tcp_listeners) {
                if (one_in(3))
                    talks_.push_back({.client = client, .called = Where{listener}.endpoint, .is_udp = false});
            }
            for (const auto* const listener : udp_listeners) {
                if (one_in(3)) talks_.push_back({.client = client, .called = Where{listener}.endpoint, .is_udp = true});
            }
        }
    }
}

TrafficStep RandomTraffic::next() {
    pass_time();
    if (auto happens = event()) return std::move(*happens);
    if (!pending_.empty() && !one_in(3)) {
        const auto chosen = random_.below(pending_.size());
        auto [frame, talk] = std::move(pending_[chosen]);
        pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(chosen));
        return packet_step(std::move(frame), talk);
    }
    const auto talk = random_.below(talks_.size());
    auto packet = one_in(25) ? noise() : packet_of(talk);
    if (one_in(40)) packet.ttl(static_cast<std::uint8_t>(random_.below(3)));
    const bool is_udp = talks_[talk].is_udp;
    auto frame = packet.build();
    if (is_udp && frame.bytes()[23] == std::byte{17} && one_in(4)) {
        cut_into_fragments(packet.payload_size(150 + random_.below(400)), talk);
        return next();
    }
    return packet_step(std::move(frame), talk);
}

TrafficStep RandomTraffic::packet_step(OwnedFrame owned, std::size_t talk) {
    auto properties = owned.frame();
    properties.time = now_ - late_by_;
    late_by_ = {};
    properties.number = ++packets_;
    TrafficStep step;
    step.time = now_;
    step.frame.emplace(owned.bytes(), properties);
    step.talk = talk;
    return step;
}

/// No two packets come at the same time, so that nothing depends on which of them is first.
void RandomTraffic::pass_time() {
    const auto upto = [this](captures::base::Duration most) {
        now_ += captures::base::Duration{1 +
                                         static_cast<std::int64_t>(random_.below(std::uint64_t{1} << 32) *
                                                                   (static_cast<std::uint64_t>(most.count()) >> 32))};
    };
    now_ += captures::base::Duration{1 + static_cast<std::int64_t>(random_.below(1'000'000))};
    if (one_in(6)) upto(1s);
    if (one_in(40)) upto(30s);
    if (one_in(400)) upto(200s);
}

std::optional<TrafficStep> RandomTraffic::event() {
    TrafficStep step;
    step.time = now_;
    if (one_in(60)) {
        static constexpr std::array sources{"198.51.100.7", "198.51.100.0/24", "192.0.2.5", "*"};
        step.what = TrafficStep::What::open_window;
        step.source = sources[random_.below(sources.size())];
        step.duration = 5s + captures::base::Duration{static_cast<std::int64_t>(random_.below(60)) * 1'000'000'000};
        ++opened_;
        return step;
    }
    if (opened_ != 0 && one_in(150)) {
        step.what = one_in(2) ? TrafficStep::What::cut_window : TrafficStep::What::close_window;
        step.window = static_cast<policy::WindowId>(opened_ - random_.below(std::min<policy::WindowId>(opened_, 4)));
        return step;
    }
    if (one_in(1500)) {
        step.what = TrafficStep::What::reload;
        step.config = random_.below(traffic_configs().size());
        return step;
    }
    return {};
}

Side RandomTraffic::side_of(bool from_client) const {
    return from_client || vantage_ == Vantage::outside ? Side::outside : Side::inside;
}

std::pair<Endpoint, Endpoint> RandomTraffic::ends(const Talk& talk, bool from_client) const {
    if (from_client) return {talk.client, talk.called};
    return vantage_ == Vantage::both ? std::pair{talk.target, talk.instance} : std::pair{talk.called, talk.client};
}

PacketBuilder RandomTraffic::between(const Talk& talk, bool from_client) {
    const auto [from, to] = ends(talk, from_client);
    auto packet = talk.is_udp ? udp(from, to) : tcp(from, to);
    return packet.side(side_of(from_client)).id(++identification_);
}

PacketBuilder RandomTraffic::packet_of(std::size_t talk) {
    auto& chosen = talks_[talk];
    if (chosen.known && one_in(15)) return error_about(chosen);
    return chosen.is_udp ? datagram_of(chosen) : segment_of(chosen);
}

PacketBuilder RandomTraffic::datagram_of(Talk& talk) {
    auto packet = between(talk, !talk.known || one_in(2)).payload_size(random_.below(60));
    return one_in(5) ? packet.no_checksum() : packet;
}

PacketBuilder RandomTraffic::segment_of(Talk& talk) {
    if (!talk.client_opened || one_in(30)) {
        if (!talk.client_opened || one_in(2)) talk.client_next = static_cast<std::uint32_t>(random_.next());
        talk.client_opened = true;
        talk.server_opened = false;
        if (!talk.known && one_in(10)) return between(talk, true).ack(1).seq(talk.client_next);  // in mid-stream
        return between(talk, true).syn().seq(talk.client_next++);
    }
    const bool from_client = !talk.known || one_in(2);
    if (!talk.server_opened) {
        if (from_client && one_in(12)) return between(talk, true).rst().seq(talk.client_next);
        if (from_client) return between(talk, true).syn().seq(talk.client_next - 1);
        if (one_in(12)) return between(talk, false).rst().ack(talk.client_next).seq(0);           // refused
        if (one_in(12)) return between(talk, false).syn().ack(talk.client_next - 100000).seq(7);  // an old answer
        talk.server_opened = true;
        talk.server_next = static_cast<std::uint32_t>(random_.next());
        return between(talk, false).syn().ack(talk.client_next).seq(talk.server_next++);
    }
    auto& mine = from_client ? talk.client_next : talk.server_next;
    const auto theirs = from_client ? talk.server_next : talk.client_next;
    auto packet = between(talk, from_client).seq(mine).window(static_cast<std::uint16_t>(random_.below(65536)));
    switch (random_.below(20)) {
        case 0: ++mine; return packet.fin().ack(theirs);
        case 1: return packet.rst().ack(theirs);
        case 2: return packet.rst().seq(mine - 0x30000000);
        case 3: return packet.seq(mine - 1).ack(theirs);  // keep-alive
        case 4: return packet.syn().seq(mine - 77);       // a port used anew
        case 5: return packet.syn().seq(mine - 77).ack(theirs - 5);
        case 6: return packet.fin().ack(theirs).seq(mine - 0x30000000);
        default: break;
    }
    const auto size = random_.below(100);
    packet.ack(theirs).payload_size(size);
    mine += static_cast<std::uint32_t>(size);
    return packet;
}

/// From either end or a router on the way, about what its receiver sent; or, wrongly, about what it sent itself.
PacketBuilder RandomTraffic::error_about(const Talk& talk) {
    const bool from_client = one_in(2);
    const auto [sender, receiver] = ends(talk, from_client);
    const bool wrong = one_in(6);
    const auto from = wrong ? sender : receiver;
    const auto to = wrong ? receiver : sender;
    auto about = talk.is_udp ? udp(from, to) : tcp(from, to);
    about.ack(talk.client_next).seq(talk.server_next).payload_size(random_.below(30));
    const bool by_router = one_in(4) && (from_client || vantage_ == Vantage::both);
    const auto source = by_router ? Where{"192.0.2.254"} : Where{sender.address};
    return icmp_error(one_in(2) ? 3 : 11, 1, source, receiver.address)
        .quoting(about, talk.is_udp || one_in(2) ? 1000 : 8)
        .side(side_of(from_client));
}

PacketBuilder RandomTraffic::noise() {
    switch (random_.below(9)) {
        case 0: return arp("198.51.100.7", "203.0.113.10");
        case 1: return ipv6();
        case 2: return icmp_echo("198.51.100.7", "203.0.113.10");
        case 3: return ip_protocol(47, "198.51.100.7", "203.0.113.10");
        case 4:  // late, too: two packets that count as of one time could end their flows in any order
            late_by_ = captures::base::Duration{static_cast<std::int64_t>(random_.below(std::uint64_t{1} << 32))};
            return tcp("198.51.100.7:1", "203.0.113.11:1").syn();
        case 5: return tcp("198.51.100.7:1", "203.0.113.10:8080").syn().bad_ip_checksum();
        case 6: return tcp("203.0.113.11:4000", "203.0.113.10:8080").syn();
        case 7: return tcp("10.1.0.4:50000", "203.0.113.10:8080").syn().side(side_of(false));
        default: return udp("10.1.0.4:53", "10.0.1.5:9").side(side_of(false));
    }
}

/// Mostly all of them, at times with one missing, one twice or one that overlaps; they come in any order.
void RandomTraffic::cut_into_fragments(const PacketBuilder& whole, std::size_t talk) {
    const auto size = 8 * (8 + random_.below(8));
    for (auto& fragment : fragments_of(whole, size)) {
        if (one_in(20)) continue;
        if (one_in(20)) pending_.emplace_back(fragment, talk);
        pending_.emplace_back(std::move(fragment), talk);
    }
    if (one_in(15)) pending_.emplace_back(fragment_of(whole, size - 8, 16), talk);
}

void RandomTraffic::learn(std::size_t talk, Endpoint instance, Endpoint target) {
    talks_[talk].known = true;
    talks_[talk].instance = instance;
    talks_[talk].target = target;
}

const std::array<gateway::config::Config, 2>& traffic_configs() {
    static const auto configs = [] {
        auto one = lab();
        one.limits = {.flows = 4096, .fragmented_datagrams = 512, .held_fragments = 512};
        one.timeouts = {
            .tcp_idle = 60s, .tcp_idle_east_west = 80s, .tcp_transitory = 45s, .udp_idle = 35s, .fragment = 10s};
        auto other = one;
        other.timeouts.tcp_idle = 40s;
        other.timeouts.tcp_transitory = 50s;
        nat_rule(other, "web").translated.port = 81;
        nat_rule(other, "db").sources = {captures::base::AddressRange::parse("192.0.2.5").value()};
        std::swap(other.nat_rules[0], other.nat_rules[5]);
        return std::array{one, other};
    }();
    return configs;
}

}  // namespace support
