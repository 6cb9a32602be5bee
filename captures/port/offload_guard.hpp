#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "captures/base/file_descriptor.hpp"

namespace captures::port {

/// Turns off what of an interface a driver cannot do with, and on again at destruction: only what was on, and nothing
/// that somebody else has turned on or off since. After a SIGKILL it stays off.
class OffloadGuard {
public:
    /// Frames merged on arrival, whose borders a driver without PACKET_VNET_HDR cannot know.
    static constexpr std::array<std::string_view, 5> merging{"rx-gro", "rx-gro-hw", "rx-lro", "rx-gro-list",
                                                             "rx-udp-gro-forwarding"};

    /// Features by the kernel's names (`ethtool -k` shows most of them); those that it does not know are off. An interface
    /// without ethtool has no offloads.
    [[nodiscard]] static tl::expected<OffloadGuard, std::string> turn_off(const std::string& interface,
                                                                          std::span<const std::string_view> features);

    OffloadGuard(OffloadGuard&&) = default;
    OffloadGuard& operator=(OffloadGuard&&) = delete;
    OffloadGuard(const OffloadGuard&) = delete;
    OffloadGuard& operator=(const OffloadGuard&) = delete;
    ~OffloadGuard();

    /// What was on and is off now, by the kernel's names.
    [[nodiscard]] const std::vector<std::string>& features() const noexcept { return features_; }

private:
    OffloadGuard() = default;

    std::string interface_;
    base::FileDescriptor socket_;        ///< of the namespace in which it was turned off
    std::vector<std::uint32_t> was_on_;  ///< a bit a feature
    std::vector<std::string> features_;
};

}  // namespace captures::port
