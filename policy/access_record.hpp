#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "policy/access_request.hpp"
#include "policy/access_windows.hpp"
#include "policy/jit_policy.hpp"

namespace policy {

/// Life cycle of one port of a request (Azure's `status` and `statusReason`).
///
///   Initiating --> Initiated --> Revoked
///
/// Initiating: approved, the door is not open yet; may become Initiated or Revoked. Initiated: the door is open until
/// `end`; may be extended or Revoked. Revoked: final, with the reason Expired, UserRequested or
/// NewerRequestInitiated; nothing may be done to it any more.
enum class Status : std::uint8_t { initiating, initiated, revoked };
enum class StatusReason : std::uint8_t { user_requested, expired, newer_request_initiated };

[[nodiscard]] std::string_view to_string(Status status) noexcept;
[[nodiscard]] std::string_view to_string(StatusReason reason) noexcept;

/// One approved port of one request, open or past.
struct AccessRecord {
    WindowId id = 0;
    std::string request;  ///< id of the request that it came with; empty in a scenario
    std::string requestor;
    std::string machine;
    std::string policy;
    std::string justification;
    std::uint16_t port = 0;
    std::optional<captures::base::Protocol> protocol;
    std::vector<captures::base::Prefix> sources;
    captures::base::Time start;
    captures::base::Time end;
    OnExpiry on_expiry = OnExpiry::keep;
    Status status = Status::initiating;
    StatusReason status_reason = StatusReason::user_requested;
    std::optional<captures::base::Endpoint>
        listener;  ///< where its sources reach the port: public address, mapped port

    [[nodiscard]] bool is_open(captures::base::Time now) const noexcept {
        return status == Status::initiated && start <= now && now < end;
    }
    void initiate() noexcept;  ///< nothing happens once it is revoked
    /// Ends it at `now`; `end` keeps the planned time when it expired and becomes `now` otherwise. Nothing happens to
    /// a record that is revoked already.
    void revoke(captures::base::Time now, StatusReason reason) noexcept;
    /// Moves `end` to `new_end`; refused when not open, not later than now, longer in all than the policy's maximum, or
    /// when the rule has come to exclude its sources.
    [[nodiscard]] tl::expected<void, Refusal> extend(captures::base::Time now, captures::base::Time new_end,
                                                     const JitPort& rule);
};

}  // namespace policy
