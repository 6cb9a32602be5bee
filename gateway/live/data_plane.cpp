#include "gateway/live/data_plane.hpp"

#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace gateway::live {

using captures::base::Duration;
using captures::base::Time;
using captures::packet::both_sides;
using captures::packet::Frame;
using captures::packet::Side;
using policy::Reason;

namespace {

/// After a frame the next one is near: it is looked for so long before sleeping, which costs two context switches.
constexpr auto busy_poll = std::chrono::microseconds{50};
/// So that a lost wake-up costs little; nothing depends on it.
constexpr auto longest_sleep = std::chrono::milliseconds{100};

/// Of those that a change concerns, between two bursts: some 0.1 ms, mostly for resets.
constexpr std::size_t flows_at_once = 256;

Duration since_boot() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace

DataPlane::DataPlane(const Settings& settings, pipeline::RuleSet rules, std::array<Wire, 2> wires, Tap* tap)
    : clock_offset_{std::chrono::system_clock::now().time_since_epoch() - since_boot()},
      rules_{std::move(rules)},
      pipeline_{std::make_unique<pipeline::Pipeline>(
          rules_.tables, *rules_.doors,
          pipeline::Pipeline::Settings{.vantage = pipeline::Vantage::both,
                                       .limits = settings.limits,
                                       .hash_seed = settings.hash_seed,
                                       .flow_index = dnat::FlowTable::Index::sized_ahead,
                                       .flows_at_once = flows_at_once})},
      burst_{std::make_unique<captures::packet::Burst>()},
      tap_{tap} {
    pipeline_->use(*rules_.doors, rules_.ahead);
    pipeline_->take_only_untagged();
    for (const auto side : both_sides) {
        const auto i = index(side);
        addresses_[i] = settings.networks[i].address;
        sides_[i].wire = std::move(wires[i]);
        sides_[i].egress = std::make_unique<Egress>(settings.networks[i], settings.others[i],
                                                    [this](const Frame& frame) { note_undeliverable(frame); });
        if (tap_ != nullptr && tap_->takes_departures()) sides_[i].egress->tell(*tap_, side);
    }
}

DataPlane::~DataPlane() = default;

Time DataPlane::now() const noexcept { return Time{clock_offset_ + since_boot()}; }

void DataPlane::stop() noexcept {
    stopping_ = true;
    static_cast<void>(mailbox_.run([] {}));  // wakes it
}

void DataPlane::run() {
    try {
        loop();
    } catch (...) {
        failed_ = true;  // out of memory is all that can be; nothing is forwarded from here on
    }
    mailbox_.close();
}

void DataPlane::loop() {
    now_ = now();
    for (const auto side : both_sides) connect(side);
    auto awake_until = now_;
    while (!stopping_.load(std::memory_order_relaxed)) {
        mailbox_.attend();
        now_ = now();
        std::size_t received = 0;
        for (const auto side : both_sides) received += receive(side, now_);
        advance(now_);
        const bool is_behind = pipeline_->is_behind();
        if (is_behind) pipeline_->sweep(*this);
        tell_undeliverable();
        for (auto& side : sides_) side.egress->flush();
        if (received != 0 || is_behind) {
            awake_until = now_ + busy_poll;
        } else if (now_ < awake_until) {
            ::sched_yield();
        } else {
            sleep(now_);
        }
    }
}

void DataPlane::connect(Side side) {
    auto& [wire, egress, not_for_us] = sides_[index(side)];
    if (wire.port == nullptr) return egress->unbind();
    egress->bind(*wire.port, wire.mac, wire.mtu, now_);
    egress->flush();
    pipeline_->set_mtu(side, wire.mtu);
}

std::size_t DataPlane::receive(Side side, Time now) {
    auto* const port = sides_[index(side)].wire.port.get();
    if (port == nullptr) return 0;
    const auto count = port->receive(burst_->frames);
    const auto ours = keep_ours(side, std::span{burst_->frames}.first(count), now);
    if (ours != 0) pipeline_->process(std::span{burst_->frames}.first(ours), *this);
    return count;
}

/// Stamps frames and moves those that are addressed to this gateway to the front: a switch that does not know better sends
/// others', too.
std::size_t DataPlane::keep_ours(Side side, std::span<Frame> frames, Time now) {
    auto& edge = sides_[index(side)];
    std::size_t kept = 0;
    for (auto& frame : frames) {
        frame.time = now;
        frame.side = side;
        frame.link_type = captures::packet::LinkType::ethernet;
        const bool whole = frame.captured >= ethernet_size;
        const bool arp = whole && is_arp(frame.bytes());
        if (arp) edge.egress->receive_arp(frame, now);
        if (!arp && (!whole || !std::equal(edge.wire.mac.begin(), edge.wire.mac.end(), frame.data))) {
            ++edge.not_for_us;
            continue;
        }
        frame.number = ++frames_;
        frames[kept++] = frame;
    }
    return kept;
}

void DataPlane::advance(Time now) {
    pipeline_->advance(now, *this);
    for (auto& side : sides_) side.egress->advance(now);
}

void DataPlane::sleep(Time now) {
    auto until = now + longest_sleep;
    std::array<pollfd, 3> set{};
    std::size_t count = 0;
    set[count++] = {mailbox_.descriptor(), POLLIN, 0};
    for (auto& side : sides_) {
        until = std::min(until, side.egress->next_deadline());
        const auto* const port = side.wire.port.get();
        if (port != nullptr && port->works()) set[count++] = {port->descriptor(), POLLIN, 0};
    }
    until = std::min(until, pipeline_->next_deadline());
    const auto left = std::max(until - now, Duration::zero());
    const timespec timeout{0, static_cast<long>(left.count())};
    static_cast<void>(::ppoll(set.data(), count, &timeout, nullptr));
}

void DataPlane::judged(const pipeline::Judged& burst) {
    if (tap_ != nullptr) tap_->judged(burst);
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        const auto reason = burst.verdicts[i].reason;
        if (reason == Reason::ttl_expired || reason == Reason::too_big) [[unlikely]] {
            tell_sender(burst.frames[i], burst.packets[i], burst.verdicts[i]);
        }
    }
}

void DataPlane::rewritten(const pipeline::Judged& burst) {
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        const auto& verdict = burst.verdicts[i];
        if (verdict.held || verdict.fate() != policy::Fate::forward) continue;
        forward(burst.frames[i], burst.packets[i]);
    }
}

void DataPlane::forward(Frame frame, const captures::packet::Packet& packet) {
    auto& egress = *sides_[index(frame.side)].egress;
    if (frame.offload.size_is_guess) {
        const std::uint32_t headers = std::uint32_t{packet.header_length} + packet.tcp().header_length();
        const auto most = static_cast<std::uint16_t>(egress.mtu() - std::min<std::uint32_t>(egress.mtu() - 1, headers));
        frame.offload.segment_size = std::min(frame.offload.segment_size, most);
    }
    // Fragments that were held lie in the pipeline's memory, all else in the port's.
    if (packet.is_fragmented()) [[unlikely]] {
        egress.send_copy(frame, now_);
    } else {
        egress.send(frame, now_);
    }
}

void DataPlane::synthesized(const Frame& frame) { sides_[index(frame.side)].egress->send_copy(frame, now_); }

/// In the name of the address by way of which the sender sent it.
void DataPlane::tell_sender(const Frame& frame, const captures::packet::Packet& packet,
                            const pipeline::Verdict& verdict) {
    if (!may_be_answered(frame, packet) || !icmp_budget_.take(now_)) {
        ++icmp_.suppressed;
        return;
    }
    const auto arrived = index(verdict.arrived);
    IcmpError error{IcmpError::Kind::time_exceeded, addresses_[arrived]};
    if (verdict.reason == Reason::too_big) {
        error.kind = IcmpError::Kind::fragmentation_needed;
        error.next_hop_mtu = static_cast<std::uint16_t>(std::min<std::uint32_t>(sides_[1 - arrived].wire.mtu, 0xffff));
        ++icmp_.too_big;
    } else {
        ++icmp_.time_exceeded;
    }
    IcmpErrorFrame made{error, frame, packet};
    auto answer = made.frame();
    answer.time = now_;
    answer.side = verdict.arrived;
    sides_[arrived].egress->send_copy(answer, now_);
}

/// The frame is translated already, and its sender knows the packet by other addresses. So what is made is what the last
/// router on that wire would say, in the name of whom the packet was for; it takes the way of all ICMP errors.
void DataPlane::note_undeliverable(const Frame& frame) {
    const bool is_own = frame.number == 0;  // an RST
    const auto packet = captures::packet::decode(frame);
    if (is_own || !may_be_answered(frame, packet)) return;
    if (undeliverable_count_ == undeliverable_.size() || !icmp_budget_.take(now_)) {
        ++icmp_.suppressed;
        return;
    }
    const IcmpError error{IcmpError::Kind::host_unreachable, packet.tuple.destination.address};
    undeliverable_[undeliverable_count_++].emplace(error, frame, packet);
}

void DataPlane::tell_undeliverable() {
    if (undeliverable_count_ == 0) [[likely]]
        return;
    const auto errors = std::span{burst_->frames}.first(std::exchange(undeliverable_count_, 0));
    for (std::size_t i = 0; i < errors.size(); ++i) {
        errors[i] = undeliverable_[i]->frame();
        errors[i].time = now_;
        errors[i].number = ++frames_;
    }
    icmp_.unreachable += errors.size();
    pipeline_->process(errors, *this);
}

bool DataPlane::use(Handover& handover) {
    return mailbox_.run([&] { take(handover); });
}

/// What it had goes back in `handover`, so that the other thread frees it.
void DataPlane::take(Handover& handover) {
    const bool new_rules = handover.rules.tables != rules_.tables;
    std::swap(rules_, handover.rules);
    pipeline_->use(*rules_.doors, rules_.ahead);
    if (new_rules) pipeline_->use(rules_.tables, *this);
    now_ = now();
    pipeline_->adopt(handover.adopted, *this);
    pipeline_->cut(handover.cut, now_, *this);
    for (auto& side : sides_) side.egress->flush();
}

bool DataPlane::bind(Side side, Wire& wire) {
    return mailbox_.run([&] {
        now_ = now();
        std::swap(sides_[index(side)].wire, wire);
        connect(side);
    });
}

bool DataPlane::answer_for(Side side, const std::vector<captures::base::Ipv4Address>& others) {
    return mailbox_.run([&] {
        auto& egress = *sides_[index(side)].egress;
        egress.answer_for(others, now());
        egress.flush();
    });
}

bool DataPlane::end_flow(const dnat::Arrived& arrived, bool& found) {
    return mailbox_.run([&] {
        now_ = now();
        found = pipeline_->end(arrived, now_, *this);
        for (auto& side : sides_) side.egress->flush();
    });
}

bool DataPlane::inspect(const std::function<void(DataPlane&, Time)>& look) {
    return mailbox_.run([&] { look(*this, now()); });
}

}  // namespace gateway::live
