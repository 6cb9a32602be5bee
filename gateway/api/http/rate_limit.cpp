#include "gateway/api/http/rate_limit.hpp"

#include <algorithm>
#include <cmath>

#include "policy/names.hpp"

namespace gateway::api::http {

namespace {

constexpr double seconds_a_minute = 60;
constexpr captures::base::Duration pause_of_forgetting = std::chrono::seconds{
    1};  // a walk over all is not for every request

}  // namespace

RateLimit::RateLimit(std::uint32_t requests_per_minute)
    : per_minute_{static_cast<double>(std::max(requests_per_minute, 1U))}, shared_{per_minute_, {}} {}

bool RateLimit::allow(std::string_view caller, captures::base::Time now) {
    auto& own = bucket(caller, now);
    fill(own, now);
    if (own.tokens < 1) return false;
    own.tokens -= 1;
    return true;
}

std::uint32_t RateLimit::remaining(std::string_view caller) const {
    const auto found = buckets_.find(policy::to_lower(caller));
    return static_cast<std::uint32_t>(found == buckets_.end() ? shared_.tokens : found->second.tokens);
}

std::chrono::seconds RateLimit::retry_after() const noexcept {
    return std::chrono::seconds{static_cast<std::int64_t>(std::ceil(seconds_a_minute / per_minute_))};
}

RateLimit::Bucket& RateLimit::bucket(std::string_view caller, captures::base::Time now) {
    auto name = policy::to_lower(caller);
    if (const auto found = buckets_.find(name); found != buckets_.end()) return found->second;
    if (buckets_.size() >= most_callers) forget_full(now);
    if (buckets_.size() >= most_callers) return shared_;
    return buckets_.emplace(std::move(name), Bucket{per_minute_, now}).first->second;
}

void RateLimit::fill(Bucket& bucket, captures::base::Time now) const {
    if (now > bucket.filled) {
        const std::chrono::duration<double> passed = now - bucket.filled;
        bucket.tokens = std::min(per_minute_, bucket.tokens + passed.count() * per_minute_ / seconds_a_minute);
    }
    bucket.filled = now;
}

void RateLimit::forget_full(captures::base::Time now) {
    if (now >= forgot_ && now - forgot_ < pause_of_forgetting) return;
    forgot_ = now;
    std::erase_if(buckets_, [&](const auto& each) {
        auto filled = each.second;
        fill(filled, now);
        return filled.tokens >= per_minute_;
    });
}

std::string peer_caller(std::string_view address) { return "peer " + std::string{address}; }

}  // namespace gateway::api::http
