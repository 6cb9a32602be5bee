#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "captures/packet/frame.hpp"
#include "captures/packet/packet.hpp"
#include "dnat/flow_table.hpp"
#include "dnat/fragments.hpp"
#include "dnat/rewrite.hpp"
#include "gateway/pipeline/admission.hpp"
#include "gateway/pipeline/observer.hpp"
#include "gateway/pipeline/tables.hpp"
#include "gateway/pipeline/tracked_flows.hpp"
#include "policy/verdict.hpp"
#include "policy/window_change.hpp"

namespace gateway::pipeline {

/// Later times count as this one, so that no deadline that is computed from them overflows (timeouts end at a week).
inline constexpr captures::base::Time latest_time = captures::base::Time::max() - std::chrono::hours{24 * 366};

struct PipelineCounters {
    std::array<std::uint64_t, policy::reason_count> reasons{};
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;  ///< on the wire
    std::uint64_t synthesized = 0;
    std::uint64_t flows_created = 0;
    std::uint64_t flows_peak = 0;
    std::uint64_t clock_steps_back = 0;
};

/// One burst's way through all folders: see pipeline.cpp.
class Pipeline {
public:
    struct Settings {
        Vantage vantage = Vantage::outside;
        config::LimitConfig limits;
        std::uint64_t hash_seed = 0;
        dnat::FlowTable::Index flow_index = dnat::FlowTable::Index::grows;
        std::size_t flows_at_once = SIZE_MAX;  ///< that a change visits; `sweep` visits as many of those that are left
    };

    /// `doors` must outlive the pipeline; they may change between calls.
    Pipeline(std::shared_ptr<const Tables> tables, const policy::Doors& doors, const Settings& settings);

    /// Judges frames, in order, and tells `observer`. Time is that of the frames; where it runs backwards it stands still.
    void process(std::span<captures::packet::Frame> frames, Observer& observer);

    /// Lets time pass: flows and fragments end at their deadlines, up to and including `now`.
    void advance(captures::base::Time now, Observer& observer);

    /// Other doors from now on; they must outlive the pipeline, or their replacement. Their times are `ahead` of frames'.
    void use(const policy::Doors& doors, captures::base::Duration ahead = {}) noexcept;

    /// Longer datagrams that must not be fragmented do not leave on that side. Replay knows of no such limit.
    void set_mtu(captures::packet::Side side, std::uint32_t mtu) noexcept {
        mtu_[static_cast<std::size_t>(side)] = mtu;
    }

    /// From now on what does not come in untagged Ethernet is `unsupported`, and a datagram that leaves out its length
    /// malformed, since neither can be sent on. Replay keeps what surrounds a datagram.
    void take_only_untagged() noexcept { only_untagged_ = true; }

    /// Nothing ends by itself before this.
    [[nodiscard]] captures::base::Time next_deadline() const noexcept;

    // What changes flows. Each visits no more of them at once than the settings say. A flow that was not visited yet is judged again
    // before its next packet, before it expires and before it is shown; until then it keeps its place in the table and its port.

    /// New rules: flows that they would not admit end, silently; all others live on. Visits all flows that are left of earlier
    /// changes first.
    void use(std::shared_ptr<const Tables> tables, Observer& observer);
    /// Ends all flows that any of these windows admitted: none of their packets passes from now on, later ones are
    /// `window_cut`. Costs the flows of these windows.
    void cut(std::span<const policy::WindowId> windows, captures::base::Time now, Observer& observer);
    /// One after the other: flows of the older window count as the newer's. Costs the flows of these windows.
    void adopt(std::span<const policy::Adoption> adoptions, Observer& observer);
    /// Visits flows that are left of these changes, while there are any: `is_behind`.
    void sweep(Observer& observer);
    [[nodiscard]] bool is_behind() const noexcept { return flows_.is_behind(); }

    /// Calls `look(flow)` for flows among `count` places from `first` on; true if there are places beyond.
    template <class Look>
    [[nodiscard]] bool visit(dnat::FlowIndex first, std::uint32_t count, Look look) {
        return flows_.table().visit(first, count, [&](dnat::FlowIndex index) {
            if (flows_.is_current(index) || flows_.judge_again(index, now_)) look(std::as_const(flows_[index]));
        });
    }

    /// Ends one flow: RSTs to both ends of a TCP connection, silently otherwise. False where there is none.
    bool end(const dnat::Arrived& arrived, captures::base::Time now, Observer& observer);

    /// The input ends: fragments that still wait are dropped.
    void finish(Observer& observer);

    [[nodiscard]] const PipelineCounters& counters() const noexcept { return counters_; }
    [[nodiscard]] const dnat::FlowTable& flows() const noexcept { return flows_.table(); }
    [[nodiscard]] const Tables& tables() const noexcept { return *rules_.tables; }

private:
    enum class Direction : std::uint8_t {
        toward_target,  ///< from outside
        toward_client,  ///< from inside
        untranslated,   ///< a reply on the outside wire
    };

    [[nodiscard]] Direction direction_of(const captures::packet::Frame& frame,
                                         const captures::packet::Packet& packet) const noexcept;
    [[nodiscard]] static dnat::FlowKey key_of(const captures::packet::Packet& packet, Direction direction) noexcept;
    [[nodiscard]] static dnat::FlowKey key_of_error(const captures::packet::Packet& packet, Direction direction,
                                                    captures::packet::Side side) noexcept;
    void decode_burst(std::span<captures::packet::Frame> frames) noexcept;
    [[nodiscard]] bool may_be_first(std::size_t i) const noexcept;
    void prefetch_firsts(std::size_t count) noexcept;
    [[nodiscard]] std::size_t run_until(std::span<const captures::packet::Frame> frames, std::size_t begin) noexcept;
    [[nodiscard]] std::size_t decide_run(std::span<captures::packet::Frame> frames, std::size_t begin, std::size_t end);
    [[nodiscard]] dnat::FlowIndex flow_of(std::size_t i) const noexcept;
    void decide(std::size_t i, const captures::packet::Frame& frame, dnat::FlowIndex flow);
    void decide_other(std::size_t i, const captures::packet::Frame& frame, dnat::FlowIndex flow);
    void decide_segment(std::size_t i, const captures::packet::Frame& frame, dnat::FlowIndex flow);
    void decide_miss(std::size_t i, const captures::packet::Frame& frame);
    void decide_first(std::size_t i, const captures::packet::Frame& frame);
    void decide_known_udp(std::size_t i, const captures::packet::Frame& frame, dnat::FlowIndex index);
    void decide_cut_udp(std::size_t i, const captures::packet::Frame& frame, dnat::FlowIndex index);
    void decide_known_tcp(std::size_t i, const captures::packet::Frame& frame, dnat::FlowIndex index);
    void decide_known_syn(std::size_t i, const captures::packet::Frame& frame, dnat::FlowIndex index);
    void follow_tcp(std::size_t i, const captures::packet::Frame& frame, dnat::FlowIndex index, policy::Reason passes);
    [[nodiscard]] Admission admit_again(const dnat::Flow& flow, captures::base::Time now) const noexcept;
    void refuse(std::size_t i, const Admission& admission) noexcept;
    void decide_error(std::size_t i, const captures::packet::Frame& frame, dnat::FlowIndex index);
    void decide_fragment(std::size_t i, const captures::packet::Frame& frame);
    void decide_first_fragment(std::size_t i, const captures::packet::Frame& frame, dnat::FlowIndex flow);
    void forward(std::size_t i, const dnat::Flow& flow, policy::Reason reason) noexcept;
    void drop(std::size_t i, policy::Reason reason, std::string_view detail = {}) noexcept;
    [[nodiscard]] bool is_departure(std::size_t i) const noexcept;
    [[nodiscard]] bool may_leave(std::size_t i, const captures::packet::Frame& frame) noexcept;
    [[nodiscard]] static bool fits(const captures::packet::Packet& packet, const captures::packet::Frame& frame,
                                   std::uint32_t mtu) noexcept;
    void carry_out(std::span<captures::packet::Frame> frames, std::size_t begin, std::size_t end, Observer& observer);
    void emit_released(const dnat::FragmentRuling& ruling, std::string_view detail, Observer& observer);
    void sweep_at_most(std::size_t flows, Observer& observer);
    void end_flow(dnat::FlowIndex index, captures::base::Time when, Observer& observer);
    void send_resets(const dnat::Flow& flow, captures::base::Time when, Observer& observer);

    RuleSet rules_;
    std::array<std::uint32_t, 2> mtu_{0xffffffff, 0xffffffff};  ///< by side
    bool only_untagged_ = false;
    Settings settings_;
    TrackedFlows flows_;
    dnat::FragmentTable fragments_;
    PipelineCounters counters_;
    captures::base::Time now_ = captures::base::Time::min();

    static constexpr dnat::FragmentRuling no_first_fragment{
        .reason = static_cast<std::uint8_t>(policy::Reason::fragment), .rule = no_rule};

    /// Packets that are looked up together: enough to overlap their cache misses, few enough that all about them stays in
    /// the first-level cache (tests/bench/packet_path).
    static constexpr std::size_t run_capacity = 64;

    // Of these, parallel arrays.
    std::array<captures::packet::Packet, run_capacity> packets_;
    std::array<captures::base::Time, run_capacity> clock_;
    std::array<Direction, run_capacity> directions_;
    std::array<dnat::FlowKey, run_capacity> keys_;
    std::array<std::uint32_t, run_capacity> hashes_;
    std::array<dnat::FlowIndex, run_capacity> found_;
    std::array<dnat::RuleTable::Match, run_capacity> matches_;  ///< of those from outside for which none was found
    std::uint64_t found_at_ = 0;                                ///< erasures then
    std::uint32_t found_among_ = 0;                             ///< flows then
    std::array<Verdict, run_capacity> verdicts_;
    std::array<dnat::Translation, run_capacity> translations_;
    bool releases_ = false;  ///< the packet just decided released held fragments
    dnat::FragmentRuling release_ruling_;
    std::string_view release_detail_;
};

}  // namespace gateway::pipeline
