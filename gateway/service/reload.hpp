#pragma once

#include <filesystem>
#include <string>

#include "gateway/api/sign_in/authenticator.hpp"
#include "gateway/config/reload_report.hpp"
#include "gateway/control_plane/control_plane.hpp"

namespace gateway::service {

/// Takes rules, machines, policies, principals and roles from the file. `caller`: see ControlPlane::reload.
[[nodiscard]] config::ReloadReport reload(const std::filesystem::path& path, control_plane::ControlPlane& control,
                                          api::sign_in::Authenticator& authenticator,
                                          const control_plane::Caller* caller, captures::base::Time now);

/// A service's configuration: relative paths in it are relative to its file's folder.
void make_absolute(config::Config& config, const std::filesystem::path& folder);

/// The file of `store.url`.
[[nodiscard]] std::string store_file(const config::Config& config);

}  // namespace gateway::service
