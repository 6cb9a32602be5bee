#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gateway/api/authenticator.hpp"
#include "gateway/config_changes.hpp"
#include "gateway/control_plane.hpp"

namespace gateway {

/// How the reading of a configuration anew went, for whoever asked for it and for the log.
struct ReloadReport {
    bool taken = false;   ///< else the old one stays, whole
    Findings findings;    ///< the mistakes for which it was not taken; or warnings
    std::string refusal;  ///< why else it was not taken
    std::vector<ConfigChange> changes;
    std::vector<std::string> kept;  ///< what differs, and only a start can change
};

/// Takes rules, machines, policies, principals and roles from the file. `caller`: see ControlPlane::reload.
[[nodiscard]] ReloadReport reload(const std::filesystem::path& path, ControlPlane& control,
                                  api::Authenticator& authenticator, const Caller* caller, captures::Time now);

/// A service's configuration: relative paths in it are relative to its file's folder.
void make_absolute(Config& config, const std::filesystem::path& folder);

/// The file of `store.url`.
[[nodiscard]] std::string store_file(const Config& config);

}  // namespace gateway
