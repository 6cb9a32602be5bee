#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "captures/base/time.hpp"
#include "gateway/api/http/server.hpp"
#include "gateway/control_plane/control_plane.hpp"

namespace gateway::api::http {

/// Numbers for Prometheus (text format 0.0.4). They name no machine, address, port or person: everybody may ask.
class Metrics {
public:
    void observe(int status, captures::base::Duration time) noexcept;

    [[nodiscard]] std::string text(const control_plane::ControlPlane::Numbers& control,
                                   const Server::Numbers& server) const;

private:
    /// Upper bounds in seconds; about a doubling of a look-up, then of one that waits for the disk.
    static constexpr std::array bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0};
    static constexpr std::size_t status_classes = 5;

    std::array<std::uint64_t, status_classes> by_class_{};
    std::array<std::uint64_t, bounds.size()> by_time_{};  ///< up to each bound, not cumulative
    std::uint64_t answers_ = 0;
    captures::base::Duration time_{};
};

}  // namespace gateway::api::http
