#include "gateway/pipeline/pipeline.hpp"

#include <algorithm>

#include "captures/packet/link_layer.hpp"

// Theory of operation: one burst's way through all folders.
//
//   captures   decode          every length check, once
//   dnat       FlowTable       one batched look-up for all packets of the run, from either side
//   policy     admit           for first packets only: rules, windows, NSGs
//   dnat       insert, advance commits a flow, or follows its state
//   dnat       rewrite         the only code that translates a packet
//   gateway    Observer        writes, logs, counts
//
// A burst is cut into runs within which no flow can expire, so that expiry needs no check per packet: a run ends before
// the next deadline and before the shortest timeout after its first packet. Dense traffic makes one run of a
// burst. Decisions of a run are taken in order and committed at once, since a packet may depend on the one before
// it; bytes are changed only after all of them are known. A look-up that a later decision made stale (a flow ended or
// was begun within the run) is repeated.

namespace gateway::pipeline {

using captures::base::Time;
using captures::packet::Defect;
using captures::packet::Frame;
using captures::packet::Kind;
using captures::packet::Packet;
using captures::packet::Side;
using dnat::FlowIndex;
using dnat::no_flow;
using policy::Fate;
using policy::Reason;

namespace {

/// Why the table of fragments does not take one.
std::string_view refusal_text(dnat::FragmentTable::Outcome outcome) noexcept {
    using enum dnat::FragmentTable::Outcome;
    switch (outcome) {
        case repeated: return "it repeats what came before";
        case overlapping: return "it overlaps what came before";
        case scattered: return "its datagram is scattered in too many pieces";
        case no_room: return "too many datagrams in fragments";
        case ruled:
        case held: break;
    }
    return {};
}

}  // namespace

Pipeline::Pipeline(std::shared_ptr<const Tables> tables, const policy::Doors& doors, const Settings& settings)
    : rules_{std::move(tables), &doors},
      settings_{settings},
      flows_{rules_, settings.limits.flows, settings.hash_seed, settings.flow_index},
      fragments_{settings.limits.fragmented_datagrams, settings.limits.held_fragments} {}

void Pipeline::process(std::span<Frame> frames, Observer& observer) {
    while (!frames.empty()) {
        const auto burst = frames.first(std::min(frames.size(), run_capacity));
        frames = frames.subspan(burst.size());
        decode_burst(burst);
        for (std::size_t begin = 0; begin < burst.size();) {
            advance(clock_[begin], observer);
            const auto end = decide_run(burst, begin, run_until(burst, begin));
            if (end != begin) carry_out(burst, begin, end, observer);
            begin = end;
        }
    }
}

/// One past the last frame that comes before anything can expire. `advance` has dealt with all up to clock_[begin].
std::size_t Pipeline::run_until(std::span<const Frame> frames, std::size_t begin) noexcept {
    const auto limit = std::min(next_deadline(), clock_[begin] + rules_.tables->timeouts().shortest());
    if (clock_[frames.size() - 1] < limit) [[likely]]
        return frames.size();
    auto end = begin + 1;
    while (clock_[end] < limit) ++end;
    return end;
}

/// What was found, unless decisions since then may have changed that.
inline FlowIndex Pipeline::flow_of(std::size_t i) const noexcept {
    const bool none_ended = flows_.table().erasures() == found_at_;
    if (found_[i] == no_flow && none_ended && flows_.table().size() == found_among_) return no_flow;
    return flows_.table().confirm(none_ended ? found_[i] : no_flow, keys_[i], hashes_[i]);
}

/// Returns one past the last packet that it has decided. Stops behind a packet that released held fragments, since those
/// leave right after it; and before a packet whose flow is judged again, if something may now expire within the run.
std::size_t Pipeline::decide_run(std::span<Frame> frames, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
        auto flow = flow_of(i);
        if (flow != no_flow && !flows_.is_current(flow)) [[unlikely]] {
            if (!flows_.judge_again(flow, clock_[i])) flow = no_flow;
            if (next_deadline() <= clock_[end - 1]) return i;
        }
        decide(i, frames[i], flow);
        if (releases_) return i + 1;
    }
    return end;
}

inline void Pipeline::forward(std::size_t i, const dnat::Flow& flow, Reason reason) noexcept {
    verdicts_[i].reason = reason;
    switch (directions_[i]) {
        case Direction::toward_target: translations_[i] = dnat::toward_target(flow); return;
        case Direction::toward_client: translations_[i] = dnat::toward_client(flow); return;
        case Direction::untranslated: translations_[i] = dnat::untranslated(flow); return;
    }
}

inline void Pipeline::drop(std::size_t i, Reason reason, std::string_view detail) noexcept {
    verdicts_[i].reason = reason;
    verdicts_[i].detail = detail;
}

/// Captures of both wires also hold what the firewall sent: outside from a public IP or its private one, inside from its
/// instance's. Nothing arrives with such a source.
bool Pipeline::is_departure(std::size_t i) const noexcept {
    const auto source = packets_[i].tuple.source.address;
    switch (directions_[i]) {
        case Direction::toward_target: return rules_.tables->owns(source) && source != rules_.tables->instance();
        case Direction::toward_client: return source == rules_.tables->instance();
        case Direction::untranslated: break;
    }
    return false;
}

inline bool Pipeline::may_leave(std::size_t i, const Frame& frame) noexcept {
    if (directions_[i] == Direction::untranslated) return true;
    const auto mtu = mtu_[directions_[i] == Direction::toward_target ? 1 : 0];
    static_assert(static_cast<int>(Side::inside) == 1);
    const auto& packet = packets_[i];
    if (packet.ttl > 1 && (packet.length <= mtu || fits(packet, frame, mtu))) [[likely]]
        return true;
    drop(i, packet.ttl <= 1 ? Reason::ttl_expired : Reason::too_big);
    return false;
}

/// A frame that stands for several segments leaves as those; a datagram that may be fragmented, as fragments.
bool Pipeline::fits(const Packet& packet, const Frame& frame, std::uint32_t mtu) noexcept {
    if (packet.length <= mtu || !packet.ipv4().dont_fragment()) return true;
    if (frame.offload.size_is_guess) return true;
    if (frame.offload.segment_size != 0) {
        constexpr std::uint32_t udp_header = 8;
        const auto transport = packet.kind == Kind::tcp ? packet.tcp().header_length() : udp_header;
        if (packet.header_length + transport + frame.offload.segment_size <= mtu) return true;
    }
    return false;
}

inline void Pipeline::decide_known_udp(std::size_t i, const Frame& frame, FlowIndex index) {
    auto& flow = flows_[index];
    if (flow.state == dnat::FlowState::cut) [[unlikely]]
        return decide_cut_udp(i, frame, index);
    flow.last_seen = clock_[i];
    forward(i, flow, directions_[i] == Direction::toward_target ? Reason::established : Reason::reply);
}

inline void Pipeline::decide_segment(std::size_t i, const Frame& frame, FlowIndex flow) {
    if (flow == no_flow) [[unlikely]]
        return decide_miss(i, frame);
    verdicts_[i].rule = flows_[flow].rule;
    verdicts_[i].window = flows_[flow].window;
    if (!may_leave(i, frame)) return;
    if (packets_[i].kind == Kind::tcp) return decide_known_tcp(i, frame, flow);
    decide_known_udp(i, frame, flow);
}

/// What is nearly always the case comes first, and in a chain of tail calls: a UDP packet of a known flow, unfragmented.
void Pipeline::decide(std::size_t i, const Frame& frame, FlowIndex flow) {
    auto& verdict = verdicts_[i];
    verdict = {};
    verdict.arrived = directions_[i] == Direction::toward_target ? Side::outside : Side::inside;
    verdict.ttl = directions_[i] == Direction::untranslated ? dnat::TtlStep::up : dnat::TtlStep::down;
    now_ = clock_[i];
    if (packets_[i].is_segment()) [[likely]] {
        if (packets_[i].more_fragments) return decide_first_fragment(i, frame, flow);
        return decide_segment(i, frame, flow);
    }
    decide_other(i, frame, flow);
}

void Pipeline::decide_other(std::size_t i, const Frame& frame, FlowIndex flow) {
    const auto defect = packets_[i].defect;
    switch (packets_[i].kind) {
        case Kind::tcp:
        case Kind::udp: return decide_segment(i, frame, flow);
        case Kind::icmp_error: return decide_error(i, frame, flow);
        case Kind::fragment: return decide_fragment(i, frame);
        case Kind::unsupported: {
            const bool tagged = only_untagged_ && packets_[i].ip != nullptr &&
                                packets_[i].ip != frame.data + captures::packet::ethernet_size;
            return drop(i, Reason::unsupported, tagged ? "the frame has a VLAN tag" : "");
        }
        case Kind::not_ip: return drop(i, Reason::not_ip);
        case Kind::malformed: {
            const bool in_pieces = defect == Defect::tiny_fragment || defect == Defect::fragment_length;
            return drop(i, in_pieces ? Reason::fragment : Reason::malformed, to_string(defect));
        }
    }
}

void Pipeline::decide_miss(std::size_t i, const Frame& frame) {
    const auto& tuple = packets_[i].tuple;
    if (directions_[i] == Direction::toward_target && !rules_.tables->owns(tuple.source.address)) [[likely]]
        return decide_first(i, frame);
    if (is_departure(i)) return drop(i, Reason::departure);
    if (directions_[i] == Direction::toward_target) {
        // The instance's address never leaves outside, so it is forged there.
        return drop(i, Reason::malformed, "source is the firewall's own address");
    }
    const bool hairpin = directions_[i] == Direction::toward_client && rules_.tables->owns(tuple.destination.address) &&
                         tuple.destination.address != rules_.tables->instance();
    drop(i, hairpin ? Reason::hairpin : Reason::no_flow);
}

void Pipeline::decide_first(std::size_t i, const Frame& frame) {
    const auto& packet = packets_[i];
    const dnat::Arrived arrived{packet.tuple};
    const bool opens = packet.kind == Kind::udp ||
                       (packet.has(captures::packet::tcp_flag::syn) && !packet.has(captures::packet::tcp_flag::ack));
    const auto match = found_[i] == no_flow ? matches_[i] : match_nat(*rules_.tables, *rules_.doors, arrived);
    if (!match.listening) return drop(i, Reason::no_listener);  // so says `admit`, but of these there are floods
    auto admission = admit_before_nsgs(*rules_.tables, *rules_.doors, arrived, match, opens, clock_[i] + rules_.ahead);
    if (admission.reason != Reason::dnat) return refuse(i, admission);
    flows_.prefetch_insert(admission);
    const auto port = flows_.table().choose_port(arrived, admission.target, rules_.tables->instance());
    const captures::base::Endpoint instance{rules_.tables->instance(), port.value_or(packet.tuple.source.port)};
    ask_nsgs(admission, *rules_.tables, instance, packet.tuple.protocol);
    if (admission.reason != Reason::dnat) return refuse(i, admission);
    verdicts_[i].rule = admission.rule;
    verdicts_[i].window = admission.window;
    if (!may_leave(i, frame)) return;
    if (flows_.table().is_full()) return drop(i, Reason::table_full);
    if (!port) return drop(i, Reason::ports_exhausted);

    const auto index = flows_.insert(arrived, admission, instance);
    auto& flow = flows_[index];
    flow.east_west = rules_.tables->is_private_ip(packet.tuple.destination.address);
    flow.link_type = frame.link_type;
    flow.last_seen = clock_[i];
    if (packet.kind == Kind::tcp) dnat::begin(flow.state, flow.tcp, packet);
    flows_.table().touch(index, rules_.tables->timeouts());
    ++counters_.flows_created;
    counters_.flows_peak = std::max<std::uint64_t>(counters_.flows_peak, flows_.table().size());
    forward(i, flow, Reason::dnat);
}

void Pipeline::refuse(std::size_t i, const Admission& admission) noexcept {
    auto& verdict = verdicts_[i];
    verdict.rule = admission.rule;
    verdict.window = admission.window;
    verdict.network_rule = admission.network_rule;
    verdict.nsg = admission.nsg;
    verdict.security_rule = admission.security_rule;
    drop(i, admission.reason);
}

/// UDP has no SYN to begin anew with: after a cut, what a newer window admits does.
void Pipeline::decide_cut_udp(std::size_t i, const Frame& frame, FlowIndex index) {
    const bool anew = directions_[i] == Direction::toward_target &&
                      admit_again(flows_[index], clock_[i]).reason == Reason::dnat;
    if (!anew) return drop(i, Reason::window_cut);
    flows_.erase(index);
    decide_first(i, frame);
}

void Pipeline::decide_known_tcp(std::size_t i, const Frame& frame, FlowIndex index) {
    const auto& packet = packets_[i];
    const bool from_client = directions_[i] == Direction::toward_target;
    const bool opens = from_client && packet.has(captures::packet::tcp_flag::syn) &&
                       !packet.has(captures::packet::tcp_flag::ack);
    if (opens) return decide_known_syn(i, frame, index);
    follow_tcp(i, frame, index, from_client ? Reason::established : Reason::reply);
}

/// A client's SYN always asks, even where a connection lives: the VM may have forgotten that one. A connection that is not
/// open yet belongs to the window that lets its latest SYN in: an earlier one's end has perhaps refused it since. Its rule
/// stays the same, since no other can match while the tables do not change.
void Pipeline::decide_known_syn(std::size_t i, const Frame& frame, FlowIndex index) {
    auto& flow = flows_[index];
    const auto admission = admit_again(flow, clock_[i]);
    if (admission.reason != Reason::dnat) return refuse(i, admission);
    const bool opening = flow.state == dnat::FlowState::syn_sent || flow.state == dnat::FlowState::syn_received;
    if (!opening || flow.window == admission.window) return follow_tcp(i, frame, index, Reason::established);
    verdicts_[i].window = admission.window;
    flows_.give_to(index, admission.window);
    ++counters_.flows_created;
    follow_tcp(i, frame, index, Reason::dnat);
}

void Pipeline::follow_tcp(std::size_t i, const Frame& frame, FlowIndex index, Reason passes) {
    auto& flow = flows_[index];
    const auto& packet = packets_[i];
    const bool from_client = directions_[i] == Direction::toward_target;
    const bool was_cut = flow.state == dnat::FlowState::cut;
    const auto step = dnat::advance(flow.state, flow.tcp, packet, from_client);
    switch (step.outcome) {
        case dnat::TcpOutcome::pass: break;
        case dnat::TcpOutcome::invalid:
            return drop(i, was_cut ? Reason::window_cut : Reason::invalid_state, was_cut ? "" : "the flow is closed");
        case dnat::TcpOutcome::reopen:  // and was admitted: the old flow gives way, once its ends have their resets
            if (flow.reset_due) return drop(i, Reason::window_cut);
            flows_.erase(index);
            return decide_first(i, frame);
    }
    if (step.refreshes) flow.last_seen = clock_[i];
    if (step.changed) flows_.table().touch(index, rules_.tables->timeouts());
    forward(i, flow, passes);
}

Admission Pipeline::admit_again(const dnat::Flow& flow, Time now) const noexcept {
    const auto arrived = flow.arrived();
    const auto match = match_nat(*rules_.tables, *rules_.doors, arrived);
    auto admission = admit_before_nsgs(*rules_.tables, *rules_.doors, arrived, match, true, now + rules_.ahead);
    if (admission.reason == Reason::dnat) ask_nsgs(admission, *rules_.tables, flow.instance, flow.protocol);
    return admission;
}

/// RFC 5508 REQ-4 to 6: translated if the flow is known, dropped in silence if not; it changes and refreshes nothing.
void Pipeline::decide_error(std::size_t i, const Frame& frame, FlowIndex index) {
    const auto& packet = packets_[i];
    if (is_departure(i)) return drop(i, Reason::departure);
    if (directions_[i] == Direction::toward_target && rules_.tables->owns(packet.tuple.source.address)) {
        return drop(i, Reason::malformed, "source is the firewall's own address");
    }
    if (index == no_flow) return drop(i, Reason::no_flow, "ICMP error about no tracked flow");
    if (packet.tuple.destination.address != captures::packet::quoted_tuple(packet).source.address) {
        return drop(i, Reason::no_flow, "ICMP error is not addressed to the sender of what it quotes");
    }
    const auto& flow = flows_[index];
    verdicts_[i].rule = flow.rule;
    verdicts_[i].window = flow.window;
    if (flow.state == dnat::FlowState::cut) return drop(i, Reason::window_cut);
    if (may_leave(i, frame)) forward(i, flow, Reason::related);
}

void Pipeline::decide_fragment(std::size_t i, const Frame& frame) {
    if (is_departure(i)) return drop(i, Reason::departure);
    const auto& destination = packets_[i].tuple.destination.address;
    if (directions_[i] == Direction::toward_target && !rules_.tables->owns(destination))
        return drop(i, Reason::no_listener);
    if (directions_[i] == Direction::toward_client && destination != rules_.tables->instance()) {
        return drop(i, rules_.tables->owns(destination) ? Reason::hairpin : Reason::no_flow);
    }
    auto sided = frame;
    sided.side = verdicts_[i].arrived;
    const auto later = fragments_.later(packets_[i], sided, clock_[i] + rules_.tables->timeouts().fragment);
    using enum dnat::FragmentTable::Outcome;
    switch (later.outcome) {
        case ruled: break;
        case held: verdicts_[i].held = true; return;
        case repeated:
        case overlapping:
        case scattered:
        case no_room: return drop(i, Reason::fragment, refusal_text(later.outcome));
    }
    const auto& ruling = later.ruling;
    verdicts_[i].rule = ruling.rule;
    verdicts_[i].window = ruling.window;
    if (!ruling.forward) return drop(i, static_cast<Reason>(ruling.reason), "as its first fragment");
    if (!may_leave(i, frame)) return;
    verdicts_[i].reason = static_cast<Reason>(ruling.reason);
    translations_[i] = ruling.translation;
}

/// What is decided about a first fragment holds for all others of its datagram.
void Pipeline::decide_first_fragment(std::size_t i, const Frame& frame, FlowIndex flow) {
    if (flow == no_flow && is_departure(i)) return drop(i, Reason::departure);
    auto& verdict = verdicts_[i];
    auto sided = frame;
    sided.side = verdict.arrived;
    const auto refusal = fragments_.first(packets_[i], sided, clock_[i] + rules_.tables->timeouts().fragment);
    releases_ = !fragments_.released().empty();
    if (refusal) {  // before it can open a flow, or move one on
        release_ruling_ = no_first_fragment;
        release_detail_ = "fragments of its datagram overlap";
        return drop(i, Reason::fragment, refusal_text(*refusal));
    }
    decide_segment(i, frame, flow);
    release_ruling_ = {};
    release_ruling_.forward = verdict.fate() == Fate::forward;
    if (release_ruling_.forward) release_ruling_.translation = translations_[i];
    const bool first_of_flow = verdict.reason == Reason::dnat;
    release_ruling_.reason = static_cast<std::uint8_t>(first_of_flow ? Reason::established : verdict.reason);
    release_ruling_.rule = verdict.rule;
    release_ruling_.window = verdict.window;
    release_detail_ = release_ruling_.forward ? "" : "as its first fragment";
    fragments_.rule(release_ruling_);
}

}  // namespace gateway::pipeline
