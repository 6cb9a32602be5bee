#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <tl/expected.hpp>

#include "captures/port/interface.hpp"
#include "captures/port/interface_claim.hpp"
#include "captures/port/isolation.hpp"
#include "captures/port/open_port.hpp"
#include "gateway/access/enforcer.hpp"
#include "gateway/config/config.hpp"
#include "gateway/live/data_plane.hpp"
#include "gateway/live/recorder.hpp"

namespace gateway::live {

/// A flow, as `portcullis flows` shows it.
struct FlowView {
    dnat::Flow flow;
    captures::base::Duration idle{};
    captures::base::Duration left{};  ///< until it ends, unless another packet comes
    std::string rule;                 ///< collection/name
};

/// Which flows; empty members select all.
struct FlowFilter {
    std::optional<captures::base::Prefix> client;
    std::optional<captures::base::Ipv4Address> target;
    std::optional<std::uint16_t> port;  ///< of the listener or of the target
    std::optional<captures::base::Protocol> protocol;
    std::optional<policy::WindowId> window;
    std::size_t limit = 1000;
};

/// A second's worth, over the last one that is whole.
struct Rates {
    double received_packets = 0;
    double received_bytes = 0;
    double sent_packets = 0;
    double sent_bytes = 0;
};

struct SideStatus {
    std::string interface;
    std::string driver;  ///< empty: the interface is lost
    MacAddress mac{};
    std::uint32_t mtu = 0;
    captures::port::Port::Numbers numbers;  ///< of this and all earlier bindings
    Rates rates;
    std::uint64_t not_for_us = 0;
    Egress::Numbers egress;
    Neighbours::Numbers arp;
    std::vector<Neighbours::Entry> neighbours;  ///< where they were asked for
};

struct LiveStatus {
    captures::base::Time now{};
    captures::base::Duration uptime{};
    std::array<SideStatus, 2> sides;
    pipeline::PipelineCounters counters;
    std::uint32_t flows = 0;
    std::uint32_t flows_capacity = 0;
    DataPlane::IcmpNumbers icmp;
    Recorder::Numbers logs;
};

/// The live gateway as the control thread sees it: opens interfaces, carries decisions to the data plane's thread, gets
/// a lost interface back, and tells what goes on. All calls from one thread.
///
/// Whatever fails, doors stay as closed as they were: without a data plane nothing is forwarded at all.
class LiveGateway final : public access::Enforcer {
public:
    enum class Level : std::uint8_t { info, warning };
    using Log = std::function<void(Level, const std::string&)>;

    /// Opens both interfaces; packets move once `load` has been called. The error is for a person. Precondition:
    /// config.live.
    [[nodiscard]] static tl::expected<std::unique_ptr<LiveGateway>, std::string> open(const config::Config& config,
                                                                                      const LogFiles& logs, Log log);
    /// The same over ports that are open already, and that nobody opens again when they are lost.
    [[nodiscard]] static tl::expected<std::unique_ptr<LiveGateway>, std::string> over(const config::Config& config,
                                                                                      std::array<Wire, 2> wires,
                                                                                      const LogFiles& logs, Log log);
    LiveGateway(const LiveGateway&) = delete;
    LiveGateway& operator=(const LiveGateway&) = delete;
    ~LiveGateway() override;

    void load(const config::Config& config, const policy::DoorState& state, captures::base::Time now) noexcept override;
    void apply(const policy::WindowDelta& delta, captures::base::Time now) noexcept override;
    /// Why `load` could not use the rules: nothing is forwarded then.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

    /// Once a second: sees to lost interfaces and a wall clock that was set. False: the data plane has ended by itself.
    /// Does not return while the data plane's thread does not answer, which is the service manager's to notice.
    [[nodiscard]] bool tick(captures::base::Time now);

    enum class Detail : std::uint8_t { numbers, neighbours };
    /// Nothing: the data plane has ended.
    [[nodiscard]] std::optional<LiveStatus> status(Detail detail);
    [[nodiscard]] std::vector<FlowView> flows(const FlowFilter& filter);
    [[nodiscard]] bool end_flow(const dnat::Arrived& arrived);
    /// What it wrote down, and the latest decisions.
    [[nodiscard]] Recorder& recorder() noexcept { return *recorder_; }

private:
    /// What is done to an interface while it is the gateway's, and undone at the end.
    struct Hold {
        std::optional<captures::port::InterfaceClaim> claim;
        std::optional<captures::port::Isolation> isolation;
        std::optional<captures::port::OffloadGuard> offloads;
    };
    struct Opened {
        Wire wire;
        std::string driver;
        Hold hold;
    };

    static constexpr std::size_t index(captures::packet::Side side) noexcept { return static_cast<std::size_t>(side); }

    explicit LiveGateway(const config::Config& config, Log log);

    [[nodiscard]] const std::string& name(captures::packet::Side side) const noexcept {
        return live_.at(side).interface;
    }
    [[nodiscard]] tl::expected<Opened, std::string> open_wire(captures::packet::Side side) const;
    /// The same, without claim and isolation.
    [[nodiscard]] tl::expected<Opened, std::string> open_port(captures::packet::Side side) const;
    void tell(captures::packet::Side side, const captures::port::OpenedPort& opened) const;
    [[nodiscard]] DataPlane::Settings settings_of(const config::Config& config) const;
    [[nodiscard]] std::optional<std::string> open_logs(const config::Config& config, const LogFiles& logs);
    void begin(const config::Config& config);
    void hand_over(captures::base::Time now, const policy::WindowDelta& delta);
    void supervise(captures::packet::Side side);
    [[nodiscard]] std::optional<std::string> health_problem(captures::packet::Side side);
    void keep_isolated(captures::packet::Side side);
    void tell_of_conflict(captures::packet::Side side);
    void lose(captures::packet::Side side, const std::string& why);
    void get_back(captures::packet::Side side);
    void measure();
    [[nodiscard]] captures::port::Port::Numbers numbers_of(DataPlane& plane, captures::packet::Side side) const;

    config::LiveConfig live_;
    Log log_;
    std::string problem_;
    std::array<std::optional<Hold>, 2> holds_;  // outlive the data plane
    std::array<Wire, 2> wires_;                 // until it begins
    std::array<std::string, 2> drivers_;
    std::array<bool, 2> lost_{};
    std::array<captures::base::Time, 2> conflict_told_{};
    std::array<captures::port::Port::Numbers, 2> bygone_;    ///< of ports that were lost
    std::array<captures::port::Port::Numbers, 2> measured_;  ///< at `measured_at_`
    captures::base::Time measured_at_{};
    std::array<Rates, 2> rates_{};
    std::shared_ptr<const pipeline::Tables> tables_;
    std::shared_ptr<dnat::RuleList> mapped_rules_;  ///< that the tables know by name
    /// The same doors twice: those that the data plane asks, and those that are changed and handed over next. So nobody waits
    /// while doors change, and a change costs what it changes.
    std::unique_ptr<policy::Doors> asked_;  // both outlive the data plane
    std::unique_ptr<policy::Doors> spare_;
    captures::base::Duration ahead_{};
    captures::base::Time started_{};
    std::unique_ptr<Recorder> recorder_;  // outlives the data plane
    std::unique_ptr<DataPlane> data_plane_;
    std::jthread thread_;
};

}  // namespace gateway::live
