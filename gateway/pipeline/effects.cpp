// Effects: bytes change, frames leave, flows end by time, by new rules or by a cut. Decisions are in pipeline.cpp.

#include <algorithm>
#include <utility>

#include "gateway/pipeline/pipeline.hpp"
#include "gateway/pipeline/tcp_reset.hpp"

namespace gateway::pipeline {

using captures::base::Time;
using captures::packet::Frame;
using captures::packet::Side;
using policy::Fate;
using policy::Reason;

namespace {

/// The wire that carries what is written: an untranslated reply is shown as the inside wire had it.
Side leaving_side(const Verdict& verdict) noexcept {
    return verdict.ttl == dnat::TtlStep::up ? Side::inside : captures::packet::opposite(verdict.arrived);
}

}  // namespace

void Pipeline::advance(Time now, Observer& observer) {
    now = std::clamp(now, now_, latest_time);
    while (next_deadline() <= now) {
        const auto flow = flows_.table().expired(now, rules_.tables->timeouts());
        if (flow && !flows_.is_current(*flow)) {
            static_cast<void>(flows_.judge_again(*flow, now_));
            continue;
        }
        const bool fragment_first = fragments_.next_deadline() <= now &&
                                    (!flow ||
                                     fragments_.next_deadline() < flows_[*flow].deadline(rules_.tables->timeouts()));
        if (fragment_first) {
            if (fragments_.expire(now))
                emit_released(no_first_fragment, "its first fragment did not come in time", observer);
        } else if (flow) {
            // New tables may bring a deadline forward, even to before what has been judged already.
            end_flow(*flow, std::max(now_, flows_[*flow].deadline(rules_.tables->timeouts())), observer);
        } else {
            break;
        }
    }
    now_ = now;
}

void Pipeline::finish(Observer& observer) {
    while (fragments_.next_deadline() != Time::max() && fragments_.expire(fragments_.next_deadline())) {
        emit_released(no_first_fragment, "the capture ended before its first fragment", observer);
    }
}

void Pipeline::carry_out(std::span<Frame> frames, std::size_t begin, std::size_t end, Observer& observer) {
    const auto count = end - begin;
    const auto run = frames.subspan(begin, count);
    const Judged judged{run,
                        {&packets_[begin], count},
                        {&verdicts_[begin], count},
                        {&translations_[begin], count},
                        rules_.tables.get()};
    observer.judged(judged);
    for (std::size_t i = begin; i < end; ++i) {
        const auto& verdict = verdicts_[i];
        if (verdict.held) continue;
        ++counters_.reasons[static_cast<std::size_t>(verdict.reason)];
        if (verdict.fate() != Fate::forward) continue;
        dnat::rewrite(packets_[i], translations_[i], verdict.ttl);
        frames[i].side = leaving_side(verdict);
    }
    observer.rewritten(judged);
    if (releases_) emit_released(release_ruling_, release_detail_, observer);
    releases_ = false;
}

void Pipeline::emit_released(const dnat::FragmentRuling& ruling, std::string_view detail, Observer& observer) {
    for (const auto& held : fragments_.released()) {
        auto frame = held.frame;
        const auto packet = captures::packet::decode(frame);
        Verdict verdict;
        verdict.reason = static_cast<Reason>(ruling.reason);
        verdict.arrived = frame.side;
        verdict.rule = ruling.rule;
        verdict.window = ruling.window;
        verdict.detail = detail;
        const bool untranslated = settings_.vantage == Vantage::outside && frame.side == Side::inside;
        if (untranslated) frame.side = Side::outside;  // where it was captured
        verdict.ttl = untranslated ? dnat::TtlStep::up : dnat::TtlStep::down;
        if (ruling.forward && !untranslated) {
            const auto mtu = mtu_[static_cast<std::size_t>(leaving_side(verdict))];
            if (!fits(packet, frame, mtu)) verdict.reason = Reason::too_big;
            if (packet.ttl <= 1) verdict.reason = Reason::ttl_expired;
        }
        ++counters_.reasons[static_cast<std::size_t>(verdict.reason)];

        const Judged judged{{&frame, 1}, {&packet, 1}, {&verdict, 1}, {&ruling.translation, 1}, rules_.tables.get()};
        observer.judged(judged);
        if (verdict.fate() == Fate::forward) {
            dnat::rewrite(packet, ruling.translation, verdict.ttl);
            frame.side = leaving_side(verdict);
        }
        observer.rewritten(judged);
    }
}

void Pipeline::use(std::shared_ptr<const Tables> tables, Observer& observer) {
    // A flow that the rules before these ended must not live on because these would admit it.
    if (flows_.is_behind()) sweep_at_most(SIZE_MAX, observer);
    rules_.tables = std::move(tables);
    flows_.follow_rules();
    sweep(observer);
    fragments_.forget_rulings([](const dnat::FragmentRuling&) { return true; });  // they name rules by their old index
}

void Pipeline::use(const policy::Doors& doors, captures::base::Duration ahead) noexcept {
    rules_.doors = &doors;
    rules_.ahead = ahead;
}

void Pipeline::cut(std::span<const policy::WindowId> windows, captures::base::Time now, Observer& observer) {
    advance(now, observer);
    if (windows.empty()) return;
    WindowSet ended{windows.begin(), windows.end()};
    fragments_.forget_rulings([&](const dnat::FragmentRuling& ruling) { return ended.contains(ruling.window); });
    flows_.cut(std::move(ended));
    sweep(observer);
}

void Pipeline::sweep(Observer& observer) { sweep_at_most(settings_.flows_at_once, observer); }

void Pipeline::sweep_at_most(std::size_t flows, Observer& observer) {
    flows_.sweep(flows, now_, [&](const dnat::Flow& flow) { send_resets(flow, now_, observer); });
}

bool Pipeline::end(const dnat::Arrived& arrived, captures::base::Time now, Observer& observer) {
    advance(now, observer);
    const auto index = flows_.table().find(dnat::FlowKey::of(arrived.tuple, Side::outside));
    if (index == dnat::no_flow || (!flows_.is_current(index) && !flows_.judge_again(index, now_))) return false;
    send_resets(flows_[index], now_, observer);
    flows_.erase(index);
    return true;
}

void Pipeline::adopt(std::span<const policy::Adoption> adoptions, Observer& observer) {
    if (adoptions.empty()) return;
    auto heirs = heirs_of(adoptions);
    fragments_.change_rulings([&](dnat::FragmentRuling& ruling) {
        const auto heir = ruling.window == 0 ? heirs.end() : heirs.find(ruling.window);
        if (heir != heirs.end()) ruling.window = heir->second;
    });
    flows_.adopt(std::move(heirs));
    sweep(observer);
}

void Pipeline::end_flow(dnat::FlowIndex index, captures::base::Time when, Observer& observer) {
    const auto& flow = flows_[index];
    if (flow.reset_due || (is_open(flow.state) && !flow.east_west)) send_resets(flow, when, observer);
    flows_.erase(index);
}

void Pipeline::send_resets(const dnat::Flow& flow, captures::base::Time when, Observer& observer) {
    if (flow.protocol != captures::base::Protocol::tcp) return;
    const auto& client = flow.tcp.client;
    const auto& server = flow.tcp.server;
    const Reset to_client{flow.called, flow.client, server.next, client.next, true};
    const Reset to_target{flow.instance, flow.target, client.next, server.next, server.seen};
    for (const auto& [reset, side] : {std::pair{to_client, Side::outside}, std::pair{to_target, Side::inside}}) {
        ResetFrame frame{reset, flow.link_type, side, when};
        ++counters_.synthesized;
        observer.synthesized(frame.frame());
    }
}

captures::base::Time Pipeline::next_deadline() const noexcept {
    return std::min(flows_.table().next_deadline(), fragments_.next_deadline());
}

}  // namespace gateway::pipeline
