#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/control_plane/requests.hpp"

namespace gateway::control_plane {

/// A line of the page "Just-in-time VM access" (facts: defender-for-cloud/just-in-time-access-usage).
struct MachineView {
    enum class State : std::uint8_t { configured, not_configured, unsupported };
    std::string name;
    std::string id;
    std::string os;
    State state = State::unsupported;
    std::string severity;  ///< of one not configured: High, Low or Healthy
    std::string reason;    ///< of one not configured or unsupported
    std::string policy;
    std::vector<policy::JitPort> ports;
    std::size_t approved_requests = 0;  ///< in the last seven days
    std::optional<captures::base::Time> last_access;
    std::string last_user;
    std::vector<ConnectionView> connections;  ///< those that the caller may see
};

[[nodiscard]] std::string_view to_string(MachineView::State state) noexcept;

/// What callers see of machines.
class Machines {
public:
    Machines(Core& core, const Requests& requests) : core_{core}, requests_{requests} {}

    /// Open windows of the caller, or of all where the caller may read connections, on a machine (by name or id) or on
    /// all of them. For a named machine, 404 where there is none.
    [[nodiscard]] Answer<std::vector<ConnectionView>> connections(const Caller& caller,
                                                                  std::optional<std::string> machine,
                                                                  std::optional<std::uint16_t> port,
                                                                  captures::base::Time now);
    [[nodiscard]] Answer<std::vector<MachineView>> list(const Caller& caller, captures::base::Time now);

private:
    Core& core_;
    const Requests& requests_;
};

}  // namespace gateway::control_plane
