#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "captures/source.hpp"
#include "gateway/access.hpp"
#include "gateway/pipeline.hpp"
#include "gateway/scenario.hpp"

namespace gateway {

/// A request, extension or revocation of the scenario that was refused. It does not stop the replay.
struct RefusedEvent {
    Place place;
    captures::Time time;
    std::string what;  ///< "request of operator@lab.example for web01 port 22"
    policy::Refusal refusal;
};

struct WindowUse {
    policy::AccessRecord record;
    std::uint64_t flows = 0;  ///< that it admitted
};

struct RuleUse {
    std::string rule;  ///< `collection/rule`, and the group where several have that name
    std::uint64_t flows = 0;
};

/// What a replay comes to.
struct ReplayResult {
    PipelineCounters counters;
    std::uint64_t flows_active = 0;
    std::vector<RuleUse> rules;      ///< every NAT rule, hit or not, in order of evaluation
    std::vector<WindowUse> windows;  ///< in the order of approval
    std::vector<RefusedEvent> refused;
    std::size_t events_not_reached = 0;  ///< scheduled after the last packet
    captures::Time first{};              ///< of the capture's packets
    captures::Time last{};
    std::optional<captures::ReadError> read_error;
    bool several_wires = false;  ///< frames of an inside interface, although the vantage is outside
    bool stopped = false;        ///< because `keep_going` said so
    double seconds = 0;
};

/// Runs a capture through the firewall's rules and a timeline of access requests, in the capture's time.
///
/// Memory is bounded by the tables and the scenario, not by the length of the capture. The same input gives the same output,
/// to the byte. At one instant windows expire first, then the scenario's events happen in the order of the file, then
/// packets are judged.
class Replay {
public:
    /// The error is for a person. Precondition: the scenario's reloads are loaded.
    [[nodiscard]] static tl::expected<std::unique_ptr<Replay>, std::string> create(Config config, Scenario scenario,
                                                                                   Vantage vantage);

    /// Observers are told in the order in which they were added; they must outlive the run.
    void add(Observer& observer);

    [[nodiscard]] std::uint64_t packets() const noexcept { return pipeline_.counters().packets; }

    /// `keep_going` is asked after every burst; it may draw a progress bar.
    [[nodiscard]] ReplayResult run(captures::Source& source, const std::function<bool()>& keep_going);

private:
    struct Scheduled {
        captures::Time time;
        const Event* event;
    };
    class Audience;
    class Usage;

    Replay(Config config, Scenario scenario, Vantage vantage, std::shared_ptr<const Tables> tables);

    void schedule(captures::Time first_packet);
    void feed(std::span<captures::Frame> frames, Observer& observer);
    [[nodiscard]] captures::Time next_due() const noexcept;
    void run_due(captures::Time now, Observer& observer);
    void happen(const Event& event, captures::Time now, Observer& observer);
    void open(const RequestEvent& event, const Place& place, captures::Time now);
    void reload(const ReloadEvent& event, captures::Time now, Observer& observer);
    void follow_mapped_ports();
    void end_windows(const std::vector<WindowEnd>& ends, captures::Time now, Observer& observer);
    void refuse(const Place& place, captures::Time now, std::string what, policy::Refusal refusal);

    Vantage vantage_;
    Config config_;
    Scenario scenario_;  ///< which owns the configurations of reloads
    const Config* current_ = &config_;
    Access access_;
    Pipeline pipeline_;
    std::vector<Observer*> observers_;
    std::vector<Scheduled> timeline_;  ///< sorted by time
    std::size_t next_event_ = 0;
    std::uint64_t mapped_generation_ = access_.mapped_generation();  ///< of access_, as the pipeline's tables know it
    captures::Time clock_ = captures::Time::min();
    ReplayResult result_;
};

}  // namespace gateway
