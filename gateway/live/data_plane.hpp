#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "captures/port/port.hpp"
#include "gateway/live/egress.hpp"
#include "gateway/live/icmp_error.hpp"
#include "gateway/live/mailbox.hpp"
#include "gateway/live/tap.hpp"
#include "gateway/pipeline/pipeline.hpp"
#include "policy/window_change.hpp"

namespace gateway::live {

/// An interface as the data plane uses it; empty port: lost.
struct Wire {
    std::unique_ptr<captures::port::Port> port;
    MacAddress mac{};
    std::uint32_t mtu = 0;
};

/// What the data plane takes over between two bursts. Doors must stay as they are until others are handed over.
struct Handover {
    pipeline::RuleSet rules;
    std::vector<policy::Adoption> adopted;  ///< since the one before
    std::vector<policy::WindowId> cut;      ///< after that
};

/// Both directions of a live gateway, in one thread.
///
/// Theory of operation. A loop takes a burst from either side, hands ARP to that side's neighbours and all of it to the
/// pipeline, and sends what the pipeline lets through; when both sides have been silent for a moment it sleeps until a
/// frame, a deadline or a task comes. Nothing in it waits, locks, allocates (in the steady state) or logs. What other
/// threads want of it they give as tasks, which it runs between two bursts: so a door has moved when the task is
/// done. Only tasks allocate: views for what they show, changes of windows for as many as change. Time is the wall clock's
/// at the start plus what CLOCK_BOOTTIME has counted since: a step of the wall clock ends no flow.
class DataPlane final : private pipeline::Observer {
public:
    struct Settings {
        std::array<Network, 2> networks;  ///< by side
        std::array<std::vector<captures::base::Ipv4Address>, 2>
            others;  ///< that a side answers for beside its own address
        config::LimitConfig limits;
        std::uint64_t hash_seed = 0;
    };
    DataPlane(const Settings& settings, pipeline::RuleSet rules, std::array<Wire, 2> wires, Tap* tap);
    DataPlane(const DataPlane&) = delete;
    DataPlane& operator=(const DataPlane&) = delete;
    ~DataPlane() override;

    /// The thread's body, until `stop`.
    void run();
    void stop() noexcept;
    /// True after `run` has ended otherwise than by `stop`.
    [[nodiscard]] bool failed() const noexcept { return failed_; }

    // Tasks, from one other thread; each is done when it returns, and false if the data plane has ended.

    [[nodiscard]] bool use(Handover& handover);
    [[nodiscard]] bool bind(captures::packet::Side side, Wire& wire);
    [[nodiscard]] bool answer_for(captures::packet::Side side, const std::vector<captures::base::Ipv4Address>& others);
    [[nodiscard]] bool end_flow(const dnat::Arrived& arrived, bool& found);
    /// Runs `look` between two bursts; it must be short.
    [[nodiscard]] bool inspect(const std::function<void(DataPlane&, captures::base::Time)>& look);

    // For `inspect`.

    [[nodiscard]] const pipeline::Pipeline& pipeline() const noexcept { return *pipeline_; }
    [[nodiscard]] pipeline::Pipeline& pipeline() noexcept { return *pipeline_; }
    [[nodiscard]] const Egress& egress(captures::packet::Side side) const noexcept {
        return *sides_[index(side)].egress;
    }
    [[nodiscard]] const Wire& wire(captures::packet::Side side) const noexcept { return sides_[index(side)].wire; }
    [[nodiscard]] std::uint64_t not_for_us(captures::packet::Side side) const noexcept {
        return sides_[index(side)].not_for_us;
    }

    struct IcmpNumbers {
        std::uint64_t time_exceeded = 0;
        std::uint64_t too_big = 0;
        std::uint64_t unreachable = 0;
        std::uint64_t suppressed = 0;  ///< beyond the rate, or nobody to tell
    };
    [[nodiscard]] const IcmpNumbers& icmp() const noexcept { return icmp_; }

    /// The data plane's clock, from any thread.
    [[nodiscard]] captures::base::Time now() const noexcept;

private:
    struct Edge {
        Wire wire;
        std::unique_ptr<Egress> egress;
        std::uint64_t not_for_us = 0;
    };

    static constexpr std::size_t index(captures::packet::Side side) noexcept { return static_cast<std::size_t>(side); }

    void loop();
    void connect(captures::packet::Side side);
    [[nodiscard]] std::size_t receive(captures::packet::Side side, captures::base::Time now);
    [[nodiscard]] std::size_t keep_ours(captures::packet::Side side, std::span<captures::packet::Frame> frames,
                                        captures::base::Time now);
    void advance(captures::base::Time now);
    void sleep(captures::base::Time now);
    void take(Handover& handover);

    void judged(const pipeline::Judged& burst) override;
    void rewritten(const pipeline::Judged& burst) override;
    void synthesized(const captures::packet::Frame& frame) override;
    void forward(captures::packet::Frame frame, const captures::packet::Packet& packet);
    void tell_sender(const captures::packet::Frame& frame, const captures::packet::Packet& packet,
                     const pipeline::Verdict& verdict);
    void note_undeliverable(const captures::packet::Frame& frame);
    void tell_undeliverable();

    captures::base::Duration clock_offset_;
    captures::base::Time now_{};
    pipeline::RuleSet rules_;
    std::unique_ptr<pipeline::Pipeline> pipeline_;
    std::array<Edge, 2> sides_;
    std::array<captures::base::Ipv4Address, 2> addresses_;
    std::unique_ptr<captures::packet::Burst> burst_;
    std::uint64_t frames_ = 0;
    Tap* tap_;
    IcmpBudget icmp_budget_;
    IcmpNumbers icmp_;
    /// About what nobody got, until it is the pipeline's turn.
    std::array<std::optional<IcmpErrorFrame>, IcmpBudget::burst> undeliverable_;
    std::size_t undeliverable_count_ = 0;
    Mailbox mailbox_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> failed_{false};
};

}  // namespace gateway::live
