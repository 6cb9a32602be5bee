#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "policy/jit_policy.hpp"

namespace policy {

/// One port of a request, as asked. Exactly one of `duration` and `end_time` must be given; no source means the
/// caller's own address.
struct RequestedPort {
    std::uint16_t number = 0;
    std::vector<std::string> sources;  ///< texts as given: address, CIDR or `*`
    std::optional<captures::base::Duration> duration;
    std::optional<captures::base::Time> end_time;
};

struct AccessRequest {
    std::string requestor;
    std::string machine;
    std::vector<RequestedPort> ports;
    std::string justification;
    std::optional<captures::base::Ipv4Address> caller_address;  ///< stands in for an omitted source
};

/// Why a request is refused. `code` is one of `refusal_code`, `message` names the port, source or limit that broke it.
struct Refusal {
    std::string code;
    std::string message;

    bool operator==(const Refusal&) const = default;
};

/// Azure's error codes, or in its manner where its own is not documented; beside them the HTTP status.
namespace refusal_code {
inline constexpr std::string_view invalid_input = "InvalidInitiateInput";       // 400
inline constexpr std::string_view not_a_subset = "RequestNotSubsetOfPolicy";    // 400, undocumented
inline constexpr std::string_view not_authorized = "AuthorizationFailed";       // 403
inline constexpr std::string_view policy_not_found = "PolicyNotFound";          // 404
inline constexpr std::string_view request_not_found = "AccessRequestNotFound";  // 404, ours
inline constexpr std::string_view no_mapped_port = "MappedPortsExhausted";      // 409, ours
}  // namespace refusal_code

/// What one request may carry at most.
inline constexpr std::size_t most_sources = 500;            ///< of all ports together
inline constexpr std::size_t longest_justification = 1000;  ///< in characters of UTF-8

/// A port that passed: what a window will be made of.
struct ApprovedPort {
    JitPort rule;  ///< of the policy
    std::vector<captures::base::Prefix> sources;
    captures::base::Time end;
};

/// What is wrong with the request whatever the policy says: Azure judges this before it looks for the policy.
[[nodiscard]] std::optional<Refusal> malformed(const AccessRequest& request);

/// Validates in the API's order: shape of the body, machine in policy, then for each port: in policy, source a subset
/// of the policy's, duration within the port's maximum and within 5 min..1 day. All ports or none. A port that
/// the policy lists twice, for TCP and for UDP, is asked for in both and yields two.
[[nodiscard]] tl::expected<std::vector<ApprovedPort>, Refusal> validate(const AccessRequest& request,
                                                                        const JitPolicy& policy,
                                                                        captures::base::Time now);

/// `time` + `duration`, or the last (first) moment that can be told where that would be beyond it.
[[nodiscard]] captures::base::Time later(captures::base::Time time, captures::base::Duration duration) noexcept;

}  // namespace policy
