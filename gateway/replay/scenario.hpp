#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "captures/base/five_tuple.hpp"
#include "gateway/config/config.hpp"
#include "policy/access_request.hpp"
#include "policy/verdict.hpp"

namespace gateway::replay {

/// When something happens: after the first packet of the input, or at a time of day.
using Moment = std::variant<captures::base::Duration, captures::base::Time>;

struct RequestEvent {
    policy::AccessRequest request;
};
struct ExtendEvent {
    std::string by;
    std::string machine;
    std::uint16_t port = 0;
    captures::base::Duration duration{};  ///< from the event on
};
struct RevokeEvent {
    std::string by;
    std::string machine;
    std::uint16_t port = 0;
    bool cut = false;  ///< end live flows, too
};
/// The firewall gets another rule set, as by a deployment.
struct ReloadEvent {
    std::string config;  ///< path of a configuration; a relative one is already joined to the scenario's folder
    std::shared_ptr<const config::Config> loaded{};  ///< from there
};

struct Event {
    Moment at;
    std::variant<RequestEvent, ExtendEvent, RevokeEvent, ReloadEvent> what;
    config::Place place;
};

/// What is expected of one packet, by its number in the input.
struct PacketExpectation {
    std::uint64_t packet = 0;
    std::optional<policy::Fate> fate;
    std::optional<policy::Reason> reason;
    std::optional<std::string> rule;  ///< `collection/rule`
    config::Place place;
};

/// What is expected of all packets of a flow, both directions together.
struct FlowExpectation {
    captures::base::FiveTuple flow;  ///< as the client sends it
    std::optional<std::uint64_t> forwarded;
    std::optional<std::uint64_t> dropped;
    std::optional<policy::Reason> reason;  ///< of every dropped packet, or of every forwarded one that begins a flow
    config::Place place;
};

/// The timeline of a replay.
struct Scenario {
    std::vector<Event> events;  ///< in the order of the file
    std::vector<PacketExpectation> packets;
    std::vector<FlowExpectation> flows;
};

/// With the configurations of its reloads: a mistake in one of them is one of the scenario.
[[nodiscard]] tl::expected<Scenario, config::Findings> load_scenario(const std::string& path);
/// Without them.
[[nodiscard]] tl::expected<Scenario, config::Findings> parse_scenario(std::string_view text, const std::string& name,
                                                                      const std::string& directory = ".");
/// What is wrong with the configurations of the scenario's reloads, and where they are asked for. Each is read once.
[[nodiscard]] config::Findings load_reloads(Scenario& scenario);

}  // namespace gateway::replay
