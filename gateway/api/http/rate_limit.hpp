#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "captures/base/time.hpp"

namespace gateway::api::http {

/// How often each caller may ask: a token bucket for each, which holds a minute's worth.
///
/// Memory is bounded: at `most_callers` those who have not asked for a minute are forgotten (their buckets are full
/// again), and where that does not help, new callers share one bucket. A clock that jumps back fills nothing.
class RateLimit {
public:
    static constexpr std::size_t most_callers = 4096;

    explicit RateLimit(std::uint32_t requests_per_minute);

    /// `caller`: a principal, or for those without a valid token `peer_caller(address)`. False: answer 429.
    [[nodiscard]] bool allow(std::string_view caller, captures::base::Time now);

    /// How many more requests the caller has at the time of its last one.
    [[nodiscard]] std::uint32_t remaining(std::string_view caller) const;

    /// For Retry-After: until a bucket that is empty holds a request again. At least a second.
    [[nodiscard]] std::chrono::seconds retry_after() const noexcept;

    [[nodiscard]] std::size_t callers() const noexcept { return buckets_.size(); }

private:
    struct Bucket {
        double tokens = 0;
        captures::base::Time filled;
    };

    [[nodiscard]] Bucket& bucket(std::string_view caller, captures::base::Time now);
    void fill(Bucket& bucket, captures::base::Time now) const;
    void forget_full(captures::base::Time now);

    double per_minute_;
    std::map<std::string, Bucket, std::less<>> buckets_;  ///< by lower-case name
    Bucket shared_;
    captures::base::Time forgot_;
};

/// The name under which all callers from an address that have no valid token share a bucket; no principal is called so.
[[nodiscard]] std::string peer_caller(std::string_view address);

}  // namespace gateway::api::http
