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
/// A flow's packets are those of both directions, forwarded or not: TCP and UDP packets that carry its ports, the fragments
/// behind such a one, and ICMP errors that quote such a one. What packets from inside must carry, the flow's first packet
/// tells, as it is translated; so before it nothing from inside counts.
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

    struct DatagramKey {
        captures::FiveTuple addresses;  ///< ports are 0
        std::uint16_t identification = 0;
        captures::Side side = captures::Side::outside;
        auto operator<=>(const DatagramKey&) const = default;
    };
    struct Datagram {
        FlowTally* flow = nullptr;
        captures::Time until{};  ///< then its identification is another's

        explicit operator bool() const noexcept { return flow != nullptr; }
    };

    void count(const Judged& burst, std::size_t i);
    [[nodiscard]] FlowTally* flow_of(const Judged& burst, std::size_t i);
    [[nodiscard]] FlowTally* flow_of(const captures::FiveTuple& tuple, const Verdict& verdict);
    [[nodiscard]] static DatagramKey key_of(const captures::Packet& packet, const Verdict& verdict);
    [[nodiscard]] std::string failure_of(const PacketExpectation& expected, const Happened& happened) const;
    [[nodiscard]] static std::string failure_of(const FlowExpectation& expected, const FlowTally& tally);

    std::vector<PacketExpectation> packets_;
    std::vector<FlowExpectation> flows_;
    std::map<std::uint64_t, Happened> by_packet_;
    std::map<captures::FiveTuple, FlowTally> by_flow_;     ///< as the client sends it
    std::map<captures::FiveTuple, FlowTally*> by_answer_;  ///< as the VM answers
    std::map<DatagramKey, Datagram> datagrams_;            ///< of these flows, in fragments
    std::uint64_t last_packet_ = 0;
};

}  // namespace gateway
