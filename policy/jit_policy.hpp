#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "captures/base/five_tuple.hpp"
#include "captures/base/time.hpp"

namespace policy {

/// What ends with a window.
enum class OnExpiry : std::uint8_t {
    keep,  ///< new flows only; established ones go on (Azure's documented behaviour)
    cut,   ///< established ones, too, at that instant
};

/// Azure's limits on maxRequestAccessDuration and on any request.
inline constexpr captures::base::Duration shortest_window = std::chrono::minutes{5};
inline constexpr captures::base::Duration longest_window = std::chrono::hours{24};

/// Of one machine, in a policy or in a request.
inline constexpr std::size_t most_ports = 100;
/// Of policy and machine together, in characters (defender-for-cloud/just-in-time-access-usage).
inline constexpr std::size_t longest_names = 56;

/// One port of a machine under just-in-time access.
struct JitPort {
    std::uint16_t number = 0;
    std::optional<captures::base::Protocol> protocol;  ///< empty: `*`, TCP and UDP
    std::vector<captures::base::Prefix> allowed_sources;
    captures::base::Duration max_duration = std::chrono::hours{3};

    bool operator==(const JitPort&) const = default;

    /// The first of `sources` that is not wholly within the union of the allowed ones; null where all are.
    [[nodiscard]] const captures::base::Prefix* first_outside(std::span<const captures::base::Prefix> sources) const;

    /// Whether both are about some packet.
    [[nodiscard]] bool overlaps(const JitPort& other) const noexcept;
};

struct JitMachine {
    std::string name;  ///< of a configured virtual machine
    std::vector<JitPort> ports;

    /// The entry that covers all of a port's protocol (empty: TCP and UDP), or null.
    [[nodiscard]] const JitPort* port(std::uint16_t number,
                                      std::optional<captures::base::Protocol> protocol) const noexcept;
};

/// What is wrong with a machine's entry in a policy.
struct JitFault {
    enum class Kind : std::uint8_t {
        no_ports,
        too_many_ports,         ///< `port` is the first beyond `most_ports`
        no_sources,             ///< of a port
        duration_out_of_range,  ///< of a port: not within `shortest_window` and `longest_window`
        port_listed_twice,      ///< `port` overlaps one before it
        machine_listed_twice,
        names_too_long,  ///< together more than `longest_names`
    };
    Kind kind = Kind::no_ports;
    std::size_t port = 0;  ///< its index, for what is about a port
};

/// A jitNetworkAccessPolicy: which ports are closed until somebody asks, and what may be asked for.
struct JitPolicy {
    std::string name = "default";
    std::vector<JitMachine> machines;
    OnExpiry on_expiry = OnExpiry::keep;
    bool justification_required = false;

    [[nodiscard]] const JitMachine* machine(std::string_view vm) const noexcept;  ///< case-insensitive
};

/// What would be wrong with `machine` as the next entry of `policy`: faults of its ports first, in their order. Whether the
/// machine exists, and is under no other policy, is not known here.
[[nodiscard]] std::vector<JitFault> faults_of(const JitMachine& machine, const JitPolicy& policy);

}  // namespace policy
