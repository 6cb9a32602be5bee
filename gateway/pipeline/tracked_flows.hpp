#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "dnat/flow_table.hpp"
#include "gateway/pipeline/admission.hpp"
#include "gateway/pipeline/window_flows.hpp"
#include "policy/window_change.hpp"

namespace gateway::pipeline {

using WindowSet = boost::unordered_flat_set<policy::WindowId>;
using Heirs = boost::unordered_flat_map<policy::WindowId, policy::WindowId>;

/// Who has the flows of older windows in the end, if one adoption comes after the other.
[[nodiscard]] Heirs heirs_of(std::span<const policy::Adoption> adoptions);

/// The flows, and how they follow what changes around them: rules, and the windows that admitted them.
///
/// Theory of operation. No change visits all flows at once: a million of them take 0.2 s. Each flow remembers the generation under
/// which it was last judged. New rules, and changes of windows that concern more flows than may be visited at once, begin a
/// new generation. From then on a flow of an older one is judged again before its next packet is, whichever direction that
/// has, and before it expires; meanwhile `sweep` visits the rest, a few at a time. What happens to a window with few flows is done at
/// once and begins none, unless earlier changes are not finished. A flow that is behind, but would have ended, differs from none in
/// two ways only: it still has its place in the table, and its port of the firewall. And the ends of a connection that was cut
/// get their resets when `sweep` reaches it.
class TrackedFlows {
public:
    /// `rules` must outlive this object.
    TrackedFlows(const RuleSet& rules, std::uint32_t capacity, std::uint64_t seed, dnat::FlowTable::Index index);

    TrackedFlows(const TrackedFlows&) = delete;
    TrackedFlows& operator=(const TrackedFlows&) = delete;
    ~TrackedFlows() = default;

    [[nodiscard]] const dnat::FlowTable& table() const noexcept { return table_; }
    [[nodiscard]] dnat::FlowTable& table() noexcept { return table_; }
    [[nodiscard]] dnat::Flow& operator[](dnat::FlowIndex index) noexcept { return table_[index]; }

    /// Starts loading what `insert` asks for.
    void prefetch_insert(const Admission& admission) const noexcept {
        if (admission.window != 0) of_windows_.prefetch(admission.window);
    }
    /// Commits a flow that was admitted just now; see FlowTable::insert for the preconditions.
    [[nodiscard]] dnat::FlowIndex insert(const dnat::Arrived& arrived, const Admission& admission,
                                         captures::base::Endpoint instance);
    void erase(dnat::FlowIndex index) noexcept;
    /// From now on the flow is that window's.
    void give_to(dnat::FlowIndex index, policy::WindowId window);

    /// Whether nothing has changed since the flow was last judged.
    [[nodiscard]] bool is_current(dnat::FlowIndex index) const noexcept {
        return table_[index].generation == generation_;
    }
    /// Judges the flow by all that has changed since. False: it has ended.
    bool judge_again(dnat::FlowIndex index, captures::base::Time now);

    /// `rules` has new tables: flows that they would not admit end. Precondition: no flow is behind.
    void follow_rules() noexcept;
    /// Flows of windows become those of their heirs.
    void adopt(Heirs heirs);
    /// The flows of these windows are cut.
    void cut(WindowSet windows);
    /// Visits at most so many flows that are behind, those of windows first and in the order of their places. Calls `reset(flow)`
    /// for each connection that was cut; both ends must learn of it.
    template <class Reset>
    void sweep(std::size_t most, captures::base::Time now, Reset reset);
    [[nodiscard]] bool is_behind() const noexcept { return !changes_.empty() || swept_ != dnat::no_flow; }

private:
    /// What happened to windows and has not reached all of their flows.
    struct Change {
        std::uint32_t generation = 0;  ///< that it began; 0: none yet
        Heirs heirs;
        WindowSet cut;
        std::vector<policy::WindowId> left;  ///< windows that may have flows that are behind
    };

    /// Whether generation `one` began after `other`; they are counted modulo 2^32.
    [[nodiscard]] static constexpr bool is_newer(std::uint32_t one, std::uint32_t other) noexcept {
        return static_cast<std::int32_t>(one - other) > 0;
    }
    [[nodiscard]] std::uint32_t next_generation() noexcept;
    void carry_out(const Change& change, dnat::FlowIndex index, captures::base::Time now);
    void cut(dnat::FlowIndex index, captures::base::Time now) noexcept;
    [[nodiscard]] bool is_behind(dnat::FlowIndex index, const Change& change) const noexcept;
    [[nodiscard]] std::size_t collect(Change& change, std::size_t most);
    void begin_generations() noexcept;
    void sweep_rules(std::size_t most, captures::base::Time now);

    const RuleSet* rules_;
    dnat::FlowTable table_;
    WindowFlows of_windows_;
    std::uint32_t generation_ = 1;
    std::uint32_t rules_generation_ = 1;     ///< that the present rules began
    std::deque<Change> changes_;             ///< oldest first
    std::vector<dnat::FlowIndex> behind_;    ///< scratch of `sweep`
    dnat::FlowIndex swept_ = dnat::no_flow;  ///< up to here by the present rules; no_flow: all
};

template <class Reset>
void TrackedFlows::sweep(std::size_t most, captures::base::Time now, Reset reset) {
    while (!changes_.empty() && most > 0) {
        auto& change = changes_.front();
        most -= collect(change, most);
        for (const auto index : behind_) {
            if (!is_current(index) && !judge_again(index, now)) continue;
            if (change.generation == 0) carry_out(change, index, now);
            auto& flow = table_[index];
            if (!flow.reset_due) continue;
            reset(std::as_const(flow));
            flow.reset_due = false;
            of_windows_.remove(index);
        }
        if (change.left.empty()) changes_.pop_front();
    }
    begin_generations();
    if (swept_ != dnat::no_flow) sweep_rules(most, now);
}

}  // namespace gateway::pipeline
