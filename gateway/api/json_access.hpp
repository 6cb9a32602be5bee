#pragma once

#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "gateway/control_plane/control_plane.hpp"

/// What `/portcullis/v1` tells, and what it is asked (docs/api.yaml).
namespace gateway::api {

[[nodiscard]] boost::json::object connection_json(const control_plane::ConnectionView& view,
                                                  const config::Config& config);
/// `{"value":[…]}` of them, as text: half of what a look-up costs is saved where no tree of values is built for it.
[[nodiscard]] std::string connections_text(std::span<const control_plane::ConnectionView> views,
                                           const config::Config& config);
[[nodiscard]] boost::json::object machine_json(const control_plane::MachineView& view, const config::Config& config);
/// A request with an id of its own, and where to connect for each of its ports.
[[nodiscard]] boost::json::object access_request_json(const control_plane::RequestView& view);
/// A record that was ended.
[[nodiscard]] boost::json::object ended_json(const policy::AccessRecord& record);

/// Bodies. Fields that are not known are refused by name; errors tell the place.
struct AccessBody {
    std::string machine;
    std::vector<policy::RequestedPort> ports;
    std::string justification;
};
[[nodiscard]] tl::expected<AccessBody, std::string> access_body(std::string_view body);

struct ExtendBody {
    std::string machine;
    std::uint16_t port = 0;
    captures::base::Duration duration{};
};
[[nodiscard]] tl::expected<ExtendBody, std::string> extend_body(std::string_view body);

struct RevokeBody {
    std::string machine;
    std::uint16_t port = 0;
    bool cut = false;
};
[[nodiscard]] tl::expected<RevokeBody, std::string> revoke_body(std::string_view body);

/// Ports of a policy; empty for those of the machine's operating system.
[[nodiscard]] tl::expected<std::vector<policy::JitPort>, std::string> enable_body(std::string_view body);

}  // namespace gateway::api
