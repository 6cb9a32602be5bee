#pragma once

#include <filesystem>
#include <string>

#include "gateway/api/authenticator.hpp"
#include "gateway/control_plane.hpp"
#include "gateway/reload_report.hpp"

namespace gateway {

/// Takes rules, machines, policies, principals and roles from the file. `caller`: see ControlPlane::reload.
[[nodiscard]] ReloadReport reload(const std::filesystem::path& path, ControlPlane& control,
                                  api::Authenticator& authenticator, const Caller* caller, captures::Time now);

/// A service's configuration: relative paths in it are relative to its file's folder.
void make_absolute(Config& config, const std::filesystem::path& folder);

/// The file of `store.url`.
[[nodiscard]] std::string store_file(const Config& config);

}  // namespace gateway
