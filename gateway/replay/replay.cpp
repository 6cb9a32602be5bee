#include "gateway/replay/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

namespace gateway::replay {

using captures::base::Time;
using captures::packet::Frame;

/// Tells all observers, in order.
class Replay::Audience final : public pipeline::Observer {
public:
    explicit Audience(std::vector<pipeline::Observer*> observers) : observers_{std::move(observers)} {}

    void judged(const pipeline::Judged& burst) override {
        for (auto* const each : observers_) each->judged(burst);
    }
    void rewritten(const pipeline::Judged& burst) override {
        for (auto* const each : observers_) each->rewritten(burst);
    }
    void synthesized(const Frame& frame) override {
        for (auto* const each : observers_) each->synthesized(frame);
    }
    void release() override {
        for (auto* const each : observers_) each->release();
    }

private:
    std::vector<pipeline::Observer*> observers_;
};

/// Counts which rules and windows admit flows. Rules are counted by index while a rule set lasts, by name and group across
/// reloads.
class Replay::Usage final : public pipeline::Observer {
public:
    void judged(const pipeline::Judged& burst) override {
        if (burst.tables != tables_ || burst.tables->mapped_rules().size() != mapped_rules_) fold(burst.tables);
        for (const auto& verdict : burst.verdicts) {
            if (verdict.reason != policy::Reason::dnat) continue;
            ++hits_[verdict.rule];
            if (verdict.window != 0) ++windows_[verdict.window];
        }
    }
    void rewritten(const pipeline::Judged&) override {}
    void synthesized(const Frame&) override {}

    /// Ends the counting under one rule set and begins another's.
    void fold(const pipeline::Tables* next) {
        for (std::size_t index = 0; index < hits_.size(); ++index) by_name_[names_[index]] += hits_[index];
        tables_ = next;
        hits_.clear();
        names_.clear();
        if (next == nullptr) return;
        mapped_rules_ = next->mapped_rules().size();
        for (std::uint32_t index = 0; index < next->first_mapped() + mapped_rules_; ++index) {
            names_.push_back(next->rule(index).name);
        }
        for (const auto& name : names_) {
            if (by_name_.try_emplace(name, 0).second) order_.push_back(name);
        }
        hits_.resize(names_.size());
    }

    [[nodiscard]] std::vector<RuleUse> rules() const {
        std::map<std::string, std::size_t> namesakes;
        for (const auto& name : order_) ++namesakes[to_string(name)];
        std::vector<RuleUse> uses;
        for (const auto& name : order_) {
            auto text = to_string(name);
            if (namesakes.at(text) > 1) text += fmt::format(" of group {}", name.group);
            uses.push_back({std::move(text), by_name_.at(name)});
        }
        return uses;
    }
    [[nodiscard]] std::uint64_t flows_of(policy::WindowId window) const {
        const auto found = windows_.find(window);
        return found == windows_.end() ? 0 : found->second;
    }

private:
    const pipeline::Tables* tables_ = nullptr;
    std::uint32_t mapped_rules_ = 0;  ///< of them, whose rules are among `names_`
    std::vector<std::uint64_t> hits_;
    std::vector<dnat::RuleName> names_;
    std::vector<dnat::RuleName> order_;
    std::map<dnat::RuleName, std::uint64_t> by_name_;
    std::map<policy::WindowId, std::uint64_t> windows_;
};

tl::expected<std::unique_ptr<Replay>, std::string> Replay::create(config::Config config, Scenario scenario,
                                                                  pipeline::Vantage vantage) {
    auto mapped_rules = std::make_shared<dnat::RuleList>();  // none is given before the first request
    auto tables = pipeline::Tables::build(config, mapped_rules);
    if (!tables) return tl::unexpected(tables.error());
    return std::unique_ptr<Replay>{
        new Replay{std::move(config), std::move(scenario), vantage, std::move(*tables), std::move(mapped_rules)}};
}

Replay::Replay(config::Config config, Scenario scenario, pipeline::Vantage vantage,
               std::shared_ptr<const pipeline::Tables> tables, std::shared_ptr<dnat::RuleList> mapped_rules)
    : vantage_{vantage},
      config_{std::move(config)},
      scenario_{std::move(scenario)},
      access_{config_},
      mapped_rules_{std::move(mapped_rules)},
      pipeline_{std::move(tables), access_.doors(), {.vantage = vantage, .limits = config_.limits}} {}

void Replay::add(pipeline::Observer& observer) { observers_.push_back(&observer); }

ReplayResult Replay::run(captures::file::Source& source, const std::function<bool()>& keep_going) {
    const auto started = std::chrono::steady_clock::now();
    Usage usage;
    usage.fold(&pipeline_.tables());
    auto all = observers_;
    all.insert(all.begin(), &usage);
    Audience audience{std::move(all)};
    const auto burst = std::make_unique<captures::packet::Burst>();
    source.use_zero_copy([&audience] { audience.release(); });

    for (source.read(*burst); burst->count != 0 && !result_.stopped; source.read(*burst)) {
        if (timeline_.empty() && clock_ == Time::min()) {
            result_.first = burst->frames[0].time;
            schedule(result_.first);
        }
        feed(burst->view(), audience);
        result_.stopped = !keep_going();
        if (result_.stopped) break;
    }
    pipeline_.finish(audience);
    audience.release();
    source.use_zero_copy({});
    usage.fold(nullptr);

    result_.read_error = source.error();
    result_.counters = pipeline_.counters();
    result_.flows_active = pipeline_.flows().size();
    result_.last = clock_ == Time::min() ? Time{} : clock_;
    result_.rules = usage.rules();
    for (const auto& record : access_.records()) result_.windows.push_back({record, usage.flows_of(record.id)});
    result_.events_not_reached = (timeline_.empty() ? scenario_.events.size() : timeline_.size()) - next_event_;
    result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return std::move(result_);
}

void Replay::schedule(Time first_packet) {
    for (const auto& event : scenario_.events) {
        const auto* const after = std::get_if<captures::base::Duration>(&event.at);
        const auto first = std::clamp(first_packet, Time{}, pipeline::latest_time);
        const auto relative = first + std::min(after == nullptr ? captures::base::Duration{} : *after,
                                               pipeline::latest_time - first);
        timeline_.push_back({after == nullptr ? std::get<Time>(event.at) : relative, &event});
    }
    std::ranges::stable_sort(timeline_, {}, &Scheduled::time);
}

/// Cuts the frames where something is due between them. From the outside vantage all are of the outside wire.
void Replay::feed(std::span<Frame> frames, pipeline::Observer& observer) {
    auto latest = clock_;
    for (auto& frame : frames) {
        latest = std::max(latest, frame.time);
        if (frame.side == captures::packet::Side::outside || vantage_ == pipeline::Vantage::both) continue;
        frame.side = captures::packet::Side::outside;
        result_.several_wires = true;
    }
    auto due = next_due();  // packets do not move it
    if (latest < due) [[likely]] {
        clock_ = std::min(latest, pipeline::latest_time);
        return pipeline_.process(frames, observer);
    }
    std::size_t begin = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        clock_ = std::max(clock_, std::min(frames[i].time, pipeline::latest_time));
        if (clock_ < due) [[likely]]
            continue;
        pipeline_.process(frames.subspan(begin, i - begin), observer);
        begin = i;
        for (; due <= clock_; due = next_due()) run_due(due, observer);
    }
    pipeline_.process(frames.subspan(begin), observer);
}

Time Replay::next_due() const noexcept {
    const auto event = next_event_ < timeline_.size() ? timeline_[next_event_].time : Time::max();
    return std::min(event, access_.next_expiry().value_or(Time::max()));
}

void Replay::run_due(Time now, pipeline::Observer& observer) {
    pipeline_.advance(now, observer);
    end_windows(access_.expire(now), now, observer);
    while (next_event_ < timeline_.size() && timeline_[next_event_].time <= now) {
        happen(*timeline_[next_event_++].event, now, observer);
    }
}

void Replay::happen(const Event& event, Time now, pipeline::Observer& observer) {
    if (const auto* const request = std::get_if<RequestEvent>(&event.what))
        return open(*request, event.place, now, observer);
    if (const auto* const reloaded = std::get_if<ReloadEvent>(&event.what)) return reload(*reloaded, now, observer);
    if (const auto* const extend = std::get_if<ExtendEvent>(&event.what)) {
        const auto extended = access_.extend(extend->by, extend->machine, extend->port, extend->duration, now);
        if (extended) return;
        return refuse(event.place, now,
                      fmt::format("extension by {} for {} port {}", extend->by, extend->machine, extend->port),
                      extended.error());
    }
    const auto& revoke = std::get<RevokeEvent>(event.what);
    const auto revoked = access_.revoke(revoke.by, revoke.machine, revoke.port, revoke.cut, now);
    if (revoked) return end_windows(*revoked, now, observer);
    refuse(event.place, now, fmt::format("revocation by {} for {} port {}", revoke.by, revoke.machine, revoke.port),
           revoked.error());
}

void Replay::open(const RequestEvent& event, const config::Place& place, Time now, pipeline::Observer& observer) {
    const auto& request = event.request;
    auto change = access_.plan_request({&request, 1}, now);
    if (!change) {
        std::string ports;
        for (const auto& port : request.ports) ports += fmt::format("{}{}", ports.empty() ? "" : ", ", port.number);
        return refuse(place, now,
                      fmt::format("request of {} for {} port{} {}", request.requestor, request.machine,
                                  request.ports.size() == 1 ? "" : "s", ports),
                      change.error());
    }
    const auto delta = access_.commit(std::move(*change));
    pipeline::append(*mapped_rules_, delta.mapped_rules);
    pipeline_.adopt(delta.adopted, observer);
}

void Replay::reload(const ReloadEvent& event, Time now, pipeline::Observer& observer) {
    const auto& config = *event.loaded;
    auto orphans = access_.plan_policies(config.jit_policies, now);
    end_windows(orphans.ends, now, observer);
    access_.commit(std::move(orphans));
    access_.use(config);
    mapped_rules_ = std::make_shared<dnat::RuleList>();
    pipeline::append(*mapped_rules_, access_.state().mapped_rules);
    // Cannot fail: these rules were built when the scenario was read. If it does, nothing may go on.
    pipeline_.use(pipeline::Tables::build(config, mapped_rules_).value(), observer);
}

void Replay::end_windows(const std::vector<policy::WindowEnd>& ends, Time now, pipeline::Observer& observer) {
    std::vector<policy::WindowId> cuts;
    for (const auto& end : ends) {
        if (end.cut) cuts.push_back(end.id);
    }
    pipeline_.cut(cuts, now, observer);
}

void Replay::refuse(const config::Place& place, Time now, std::string what, policy::Refusal refusal) {
    result_.refused.push_back({place, now, std::move(what), std::move(refusal)});
}

}  // namespace gateway::replay
