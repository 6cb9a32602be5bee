#include "policy/access_record.hpp"

#include <algorithm>
#include <utility>

namespace policy {

using captures::base::Time;
using captures::base::to_iso8601;
using captures::base::to_rfc3339;

namespace {

tl::unexpected<Refusal> refuse(std::string_view code, std::string message) {
    return tl::unexpected<Refusal>{Refusal{std::string{code}, std::move(message)}};
}

}  // namespace

std::string_view to_string(Status status) noexcept {
    switch (status) {
        case Status::initiating: return "Initiating";
        case Status::initiated: return "Initiated";
        case Status::revoked: return "Revoked";
    }
    return "";
}

std::string_view to_string(StatusReason reason) noexcept {
    switch (reason) {
        case StatusReason::user_requested: return "UserRequested";
        case StatusReason::expired: return "Expired";
        case StatusReason::newer_request_initiated: return "NewerRequestInitiated";
    }
    return "";
}

void AccessRecord::initiate() noexcept {
    if (status == Status::initiating) status = Status::initiated;
}

void AccessRecord::revoke(Time now, StatusReason reason) noexcept {
    if (status == Status::revoked) return;
    status = Status::revoked;
    status_reason = reason;
    if (reason != StatusReason::expired) end = now;
}

tl::expected<void, Refusal> AccessRecord::extend(Time now, Time new_end, const JitPort& rule) {
    const auto where = " for port " + std::to_string(port) + " of machine " + machine;
    if (!is_open(now)) {
        return refuse(refusal_code::request_not_found, "no window is open" + where + ": request access anew");
    }
    if (new_end <= now) {
        return refuse(refusal_code::invalid_input,
                      "new end " + to_rfc3339(new_end, 0) + where + " is not in the future");
    }
    if (const auto* source = rule.first_outside(sources)) {
        return refuse(refusal_code::not_a_subset,
                      "source " + to_string(*source) + where + " is no longer allowed by the policy");
    }
    const auto limit = std::min(rule.max_duration, longest_window);
    if (new_end > later(start, limit)) {
        return refuse(refusal_code::not_a_subset, "an end at " + to_rfc3339(new_end, 0) + where +
                                                      " is longer than the policy's " + to_iso8601(limit) +
                                                      " after the start: it can be extended until " +
                                                      to_rfc3339(later(start, limit), 0));
    }
    end = new_end;
    return {};
}

}  // namespace policy
