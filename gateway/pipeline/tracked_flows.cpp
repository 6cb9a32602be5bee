#include "gateway/pipeline/tracked_flows.hpp"

#include <algorithm>
#include <cassert>

namespace gateway::pipeline {

using captures::base::Time;
using dnat::FlowIndex;
using dnat::FlowState;
using dnat::no_flow;
using policy::WindowId;

Heirs heirs_of(std::span<const policy::Adoption> adoptions) {
    Heirs heirs;
    for (auto at = adoptions.size(); at-- > 0;) {  // backwards: an heir may have one, too
        const auto& [older, newer] = adoptions[at];
        const auto next = heirs.find(newer);
        heirs.insert_or_assign(older, next == heirs.end() ? newer : next->second);
    }
    return heirs;
}

TrackedFlows::TrackedFlows(const RuleSet& rules, std::uint32_t capacity, std::uint64_t seed,
                           dnat::FlowTable::Index index)
    : rules_{&rules}, table_{capacity, seed, index}, of_windows_{table_} {}

FlowIndex TrackedFlows::insert(const dnat::Arrived& arrived, const Admission& admission,
                               captures::base::Endpoint instance) {
    const auto index = table_.insert(arrived, admission.target, instance);
    auto& flow = table_[index];
    flow.rule = admission.rule;
    flow.window = admission.window;
    flow.generation = generation_;
    if (flow.window != 0) of_windows_.add(index);
    return index;
}

void TrackedFlows::erase(FlowIndex index) noexcept {
    if (table_[index].window != 0) of_windows_.remove(index);
    table_.erase(index);
}

void TrackedFlows::give_to(FlowIndex index, WindowId window) {
    auto& flow = table_[index];
    if (flow.window != 0) of_windows_.remove(index);
    flow.window = window;
    if (window != 0) of_windows_.add(index);
}

bool TrackedFlows::judge_again(FlowIndex index, Time now) {
    auto& flow = table_[index];
    const auto judged = flow.generation;
    if (is_newer(rules_generation_, judged)) {
        const auto& [tables, doors, ahead] = *rules_;
        if (!still_admitted(*tables, *doors, flow.arrived(), flow.delivered(), flow.window, flow.rule)) {
            erase(index);
            return false;
        }
        table_.touch(index, tables->timeouts());
    }
    for (const auto& change : changes_) {  // all of them came after the rules
        if (change.generation != 0 && is_newer(change.generation, judged)) carry_out(change, index, now);
    }
    flow.generation = generation_;
    return true;
}

std::uint32_t TrackedFlows::next_generation() noexcept {
    if (++generation_ == 0) ++generation_;
    return generation_;
}

void TrackedFlows::follow_rules() noexcept {
    assert(!is_behind());
    rules_generation_ = next_generation();
    swept_ = 0;
}

void TrackedFlows::adopt(Heirs heirs) {
    if (heirs.empty()) return;
    Change change;
    for (const auto& [older, heir] : heirs) change.left.push_back(older);
    change.heirs = std::move(heirs);
    changes_.push_back(std::move(change));
}

void TrackedFlows::cut(WindowSet windows) {
    if (windows.empty()) return;
    Change change;
    change.left.assign(windows.begin(), windows.end());
    change.cut = std::move(windows);
    changes_.push_back(std::move(change));
}

/// Precondition: the flow is behind this change.
void TrackedFlows::carry_out(const Change& change, FlowIndex index, Time now) {
    const auto& flow = table_[index];
    if (flow.window == 0 || flow.state == FlowState::cut) return;
    if (const auto heir = change.heirs.find(flow.window); heir != change.heirs.end()) give_to(index, heir->second);
    if (change.cut.contains(flow.window)) cut(index, now);
}

/// Nothing of it passes from now on. Where its ends must be told, it stays in its window's list until they are.
void TrackedFlows::cut(FlowIndex index, Time now) noexcept {
    auto& flow = table_[index];
    flow.reset_due = is_open(flow.state) || flow.state == FlowState::syn_sent || flow.state == FlowState::syn_received;
    flow.state = FlowState::cut;
    flow.last_seen = now;
    table_.touch(index, rules_->tables->timeouts());
    if (!flow.reset_due) of_windows_.remove(index);
}

bool TrackedFlows::is_behind(FlowIndex index, const Change& change) const noexcept {
    const auto& flow = table_[index];
    return change.generation == 0 || flow.reset_due || is_newer(change.generation, flow.generation);
}

/// Puts flows that are behind the change into `behind_`: of each window the oldest, since those that came after the change are
/// newer. Returns how much of `most` was used: each flow and each window counts.
std::size_t TrackedFlows::collect(Change& change, std::size_t most) {
    behind_.clear();
    std::size_t used = 0;
    while (!change.left.empty() && used < most) {
        auto index = of_windows_.first(change.left.back());
        for (; index != no_flow && is_behind(index, change) && used < most; index = of_windows_.next(index)) {
            behind_.push_back(index);
            ++used;
        }
        if (index != no_flow && is_behind(index, change)) break;
        change.left.pop_back();
        used = std::min(used + 1, most);
    }
    std::ranges::sort(behind_);
    return used;
}

/// Changes that are not finished concern all flows' next packets from now on.
void TrackedFlows::begin_generations() noexcept {
    for (auto& change : changes_) {
        if (change.generation == 0) change.generation = next_generation();
    }
}

void TrackedFlows::sweep_rules(std::size_t most, Time now) {
    const auto visit = [&](FlowIndex index) {
        if (!is_current(index)) static_cast<void>(judge_again(index, now));
    };
    const auto places = static_cast<std::uint32_t>(std::min<std::size_t>(most, table_.capacity()));
    swept_ = table_.visit(swept_, places, visit) ? swept_ + places : no_flow;
}

}  // namespace gateway::pipeline
