#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gateway/pipeline/pipeline.hpp"
#include "gateway/replay/scenario.hpp"

namespace gateway::replay {

/// Compares a replay with the `[[expect]]` tables of its scenario.
///
/// A flow's packets are those of both directions, forwarded or not: TCP and UDP packets that carry its ports, the fragments
/// behind such a one, and ICMP errors that quote such a one. What packets from inside must carry, the flow's first packet
/// tells, as it is translated; so before it nothing from inside counts.
class Expectations final : public pipeline::Observer {
public:
    explicit Expectations(const Scenario& scenario);

    void judged(const pipeline::Judged& burst) override;
    void rewritten(const pipeline::Judged&) override {}
    void synthesized(const captures::packet::Frame&) override {}

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

    struct DatagramKey {
        captures::base::FiveTuple addresses;  ///< ports are 0
        std::uint16_t identification = 0;
        captures::packet::Side side = captures::packet::Side::outside;
        auto operator<=>(const DatagramKey&) const = default;
    };
    struct Datagram {
        FlowTally* flow = nullptr;
        captures::base::Time until{};  ///< then its identification is another's

        explicit operator bool() const noexcept { return flow != nullptr; }
    };

    void count(const pipeline::Judged& burst, std::size_t i);
    [[nodiscard]] FlowTally* flow_of(const pipeline::Judged& burst, std::size_t i);
    [[nodiscard]] FlowTally* flow_of(const captures::base::FiveTuple& tuple, const pipeline::Verdict& verdict);
    [[nodiscard]] static DatagramKey key_of(const captures::packet::Packet& packet, const pipeline::Verdict& verdict);
    [[nodiscard]] std::string failure_of(const PacketExpectation& expected, const Happened& happened) const;
    [[nodiscard]] static std::string failure_of(const FlowExpectation& expected, const FlowTally& tally);

    std::vector<PacketExpectation> packets_;
    std::vector<FlowExpectation> flows_;
    std::map<std::uint64_t, Happened> by_packet_;
    std::map<captures::base::FiveTuple, FlowTally> by_flow_;     ///< as the client sends it
    std::map<captures::base::FiveTuple, FlowTally*> by_answer_;  ///< as the VM answers
    std::map<DatagramKey, Datagram> datagrams_;                  ///< of these flows, in fragments
    std::uint64_t last_packet_ = 0;
};

}  // namespace gateway::replay
