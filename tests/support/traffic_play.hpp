#pragma once

#include <vector>

#include "tests/support/random_traffic.hpp"
#include "tests/support/reference_nat.hpp"

/// Made-up traffic, played before the reference and before pipelines.
namespace support {

struct TrafficPlay {
    std::vector<TrafficStep> steps;
    std::vector<Told> expected;  ///< what the reference told, `comparable`
};

/// Makes up so many steps and has the reference judge them, which tells how machines answer.
[[nodiscard]] TrafficPlay make_up(std::uint64_t seed, gateway::pipeline::Vantage vantage, std::size_t size);

/// What one pipeline tells of the steps, fed in bursts of at most `burst` frames.
class TrafficStage {
public:
    explicit TrafficStage(gateway::pipeline::Vantage vantage) : bench_{traffic_configs()[0], vantage} {}

    [[nodiscard]] std::vector<Told> play(const std::vector<TrafficStep>& steps, std::size_t burst);
    /// The same without what reference and pipeline need not agree about.
    [[nodiscard]] std::vector<Told> play_comparable(const std::vector<TrafficStep>& steps, std::size_t burst);

    [[nodiscard]] Bench& bench() noexcept { return bench_; }

private:
    void feed();
    void happen(const TrafficStep& step);

    Bench bench_;
    std::vector<captures::packet::Frame> frames_;
    std::vector<std::vector<std::byte>> bytes_;
};

/// True if both told the same; else one error says where they part, and what came before.
bool check_same(const std::vector<Told>& found, const std::vector<Told>& expected);

}  // namespace support
