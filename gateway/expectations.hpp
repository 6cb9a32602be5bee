#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gateway/pipeline.hpp"
#include "gateway/scenario.hpp"

namespace gateway {

/// Compares a replay with the `[[expect]]` tables of its scenario.
///
/// A flow's packets are those TCP and UDP packets of both directions that carry its ports, forwarded or not; from
/// inside only forwarded ones, since nothing else tells whose they are. Fragments behind the first and ICMP errors do not count.
class Expectations final : public Observer {
public:
    explicit Expectations(const Scenario& scenario);

    void judged(const Judged& burst) override;
    void rewritten(const Judged&) override {}
    void synthesized(const captures::Frame&) override {}

    /// After the last packet: each failure in a line that says what was expected, what happened, at which packet
    /// and why; in the order of the scenario.
    [[nodiscard]] std::vector<std::string> failures() const;
    [[nodiscard]] std::size_t count() const noexcept { return packets_.size() + flows_.size(); }

private:
    struct Happened {
        bool came = false;
        policy::Reason reason{};
        std::string rule;
        std::string text;
    };
    struct FlowTally {
        std::uint64_t forwarded = 0;
        std::uint64_t dropped = 0;
        std::map<policy::Reason, std::pair<std::uint64_t, std::string>> reasons;  ///< -> packets, the first of them
    };

    [[nodiscard]] std::string failure_of(const PacketExpectation& expected, const Happened& happened) const;
    [[nodiscard]] static std::string failure_of(const FlowExpectation& expected, const FlowTally& tally);

    std::vector<PacketExpectation> packets_;
    std::vector<FlowExpectation> flows_;
    std::map<std::uint64_t, Happened> by_packet_;
    std::map<captures::FiveTuple, FlowTally> by_flow_;
    std::uint64_t last_packet_ = 0;
};

}  // namespace gateway
