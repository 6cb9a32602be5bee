#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "captures/file/source.hpp"
#include "gateway/access/access.hpp"
#include "gateway/pipeline/pipeline.hpp"
#include "gateway/replay/scenario.hpp"

namespace gateway::replay {

/// A request, extension or revocation of the scenario that was refused. It does not stop the replay.
struct RefusedEvent {
    config::Place place;
    captures::base::Time time;
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
    pipeline::PipelineCounters counters;
    std::uint64_t flows_active = 0;
    std::vector<RuleUse> rules;      ///< every NAT rule, hit or not, in order of evaluation
    std::vector<WindowUse> windows;  ///< in the order of approval
    std::vector<RefusedEvent> refused;
    std::size_t events_not_reached = 0;  ///< scheduled after the last packet
    captures::base::Time first{};        ///< of the capture's packets
    captures::base::Time last{};
    std::optional<captures::file::ReadError> read_error;
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
    [[nodiscard]] static tl::expected<std::unique_ptr<Replay>, std::string> create(config::Config config,
                                                                                   Scenario scenario,
                                                                                   pipeline::Vantage vantage);

    /// Observers are told in the order in which they were added; they must outlive the run.
    void add(pipeline::Observer& observer);

    [[nodiscard]] std::uint64_t packets() const noexcept { return pipeline_.counters().packets; }

    /// `keep_going` is asked after every burst; it may draw a progress bar.
    [[nodiscard]] ReplayResult run(captures::file::Source& source, const std::function<bool()>& keep_going);

private:
    struct Scheduled {
        captures::base::Time time;
        const Event* event;
    };
    class Audience;
    class Usage;

    Replay(config::Config config, Scenario scenario, pipeline::Vantage vantage,
           std::shared_ptr<const pipeline::Tables> tables, std::shared_ptr<dnat::RuleList> mapped_rules);

    void schedule(captures::base::Time first_packet);
    void feed(std::span<captures::packet::Frame> frames, pipeline::Observer& observer);
    [[nodiscard]] captures::base::Time next_due() const noexcept;
    void run_due(captures::base::Time now, pipeline::Observer& observer);
    void happen(const Event& event, captures::base::Time now, pipeline::Observer& observer);
    void open(const RequestEvent& event, const config::Place& place, captures::base::Time now,
              pipeline::Observer& observer);
    void reload(const ReloadEvent& event, captures::base::Time now, pipeline::Observer& observer);
    void end_windows(const std::vector<policy::WindowEnd>& ends, captures::base::Time now,
                     pipeline::Observer& observer);
    void refuse(const config::Place& place, captures::base::Time now, std::string what, policy::Refusal refusal);

    pipeline::Vantage vantage_;
    config::Config config_;
    Scenario scenario_;  ///< which owns the configurations of reloads
    access::Access access_;
    std::shared_ptr<dnat::RuleList> mapped_rules_;  ///< that the pipeline's tables know by name
    pipeline::Pipeline pipeline_;
    std::vector<pipeline::Observer*> observers_;
    std::vector<Scheduled> timeline_;  ///< sorted by time
    std::size_t next_event_ = 0;
    captures::base::Time clock_ = captures::base::Time::min();
    ReplayResult result_;
};

}  // namespace gateway::replay
