#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "gateway/outputs/decision_log.hpp"

namespace gateway::live {

/// Which decisions; empty members select all.
struct DecisionFilter {
    std::optional<policy::Fate> fate{};
    std::optional<policy::Reason> reason{};
    std::optional<captures::packet::Side> side{};
    std::optional<captures::base::Protocol> protocol{};
    std::optional<captures::base::Prefix> address{};  ///< one of the packet's, before or after translation
    std::optional<std::uint16_t> port{};              ///< likewise

    [[nodiscard]] bool selects(const outputs::Decision& decision) const noexcept;
};

/// The latest decisions, kept while somebody watches: one thread adds, another looks, any may ask whether it is wanted.
///
/// Nobody subscribes: who looks is watching, until he has not looked for a while. So nothing has to be undone for a
/// watcher who vanished, and several of them cost no more than one.
class DecisionHistory {
public:
    static constexpr std::size_t capacity = 8192;
    static constexpr auto watch_timeout = std::chrono::seconds{5};  ///< without a look, nobody watches any more
    using Clock = std::chrono::steady_clock;

    struct Seen {
        std::vector<outputs::Decision> decisions;  ///< oldest first
        std::uint64_t next = 0;                    ///< to ask for next time
        std::uint64_t missed = 0;                  ///< forgotten before they were asked for
    };
    /// At most `limit` of those from sequence number `from` on that the filter selects. 0: from now on, which is none.
    [[nodiscard]] Seen since(std::uint64_t from, const DecisionFilter& filter, std::size_t limit,
                             Clock::time_point now);

    /// While somebody watches.
    [[nodiscard]] bool is_wanted() const noexcept { return wanted_.load(std::memory_order_relaxed); }
    /// Forgets everything when nobody has looked for a while.
    void tick(Clock::time_point now);

    void add(outputs::Decision decision);
    /// So many more were not added: those who watch are told.
    void skip(std::uint64_t count);

private:
    void forget(std::uint64_t skipped);

    std::mutex mutex_;
    std::vector<outputs::Decision> ring_;  ///< decision n is at n % capacity
    std::uint64_t next_ = 1;
    std::uint64_t first_ = 1;  ///< the oldest that is kept
    Clock::time_point watched_until_{};
    std::atomic<bool> wanted_{false};
};

}  // namespace gateway::live
