#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "gateway/api/sign_in/authenticator.hpp"
#include "gateway/config/reload_report.hpp"
#include "gateway/control_plane/control_plane.hpp"

namespace gateway::service {

/// Takes rules, machines, policies, principals and roles from the file; `done` is called once, perhaps later. `caller`: see
/// Policies::reload.
void reload(const std::filesystem::path& path, control_plane::ControlPlane& control,
            api::sign_in::Authenticator& authenticator, const control_plane::Caller* caller, captures::base::Time now,
            std::function<void(config::ReloadReport)> done);

/// A service's configuration: relative paths in it are relative to its file's folder.
void make_absolute(config::Config& config, const std::filesystem::path& folder);

/// The file of `store.url`.
[[nodiscard]] std::string store_file(const config::Config& config);

}  // namespace gateway::service
