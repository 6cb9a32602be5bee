#include "gateway/live/decision_history.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gateway::live {

bool DecisionFilter::selects(const outputs::Decision& decision) const noexcept {
    const auto is = [](const auto& wanted, const auto& found) { return !wanted || *wanted == found; };
    if (!is(fate, decision.fate()) || !is(reason, decision.reason) || !is(side, decision.side)) return false;
    if (!protocol && !address && !port) return true;
    if (!decision.addressed || !is(protocol, decision.tuple.protocol)) return false;
    const std::array ends{decision.tuple.source, decision.tuple.destination, decision.out_from, decision.out_to};
    const auto count = decision.fate() == policy::Fate::forward ? 4 : 2;
    const auto any = [&](const auto& holds) { return std::any_of(ends.begin(), ends.begin() + count, holds); };
    return (!address || any([&](captures::base::Endpoint end) { return address->contains(end.address); })) &&
           (!port || any([&](captures::base::Endpoint end) { return *port == end.port; }));
}

DecisionHistory::Seen DecisionHistory::since(std::uint64_t from, const DecisionFilter& filter, std::size_t limit,
                                             Clock::time_point now) {
    const std::lock_guard lock{mutex_};
    watched_until_ = now + watch_timeout;
    wanted_ = true;
    if (from == 0 || from > next_) return {{}, next_, 0};
    Seen seen{{}, std::max(from, first_), 0};
    seen.missed = seen.next - from;
    for (; seen.next != next_ && seen.decisions.size() < limit; ++seen.next) {
        const auto& decision = ring_[seen.next % capacity];
        if (filter.selects(decision)) seen.decisions.push_back(decision);
    }
    return seen;
}

void DecisionHistory::tick(Clock::time_point now) {
    const std::lock_guard lock{mutex_};
    if (!wanted_ || watched_until_ >= now) return;
    wanted_ = false;
    forget(1);  // whoever comes back has missed something
}

void DecisionHistory::add(outputs::Decision decision) {
    const std::lock_guard lock{mutex_};
    if (!wanted_) return;
    ring_.resize(capacity);
    ring_[next_ % capacity] = std::move(decision);
    ++next_;
    first_ = std::max(first_, next_ - std::min<std::uint64_t>(next_, capacity));
}

void DecisionHistory::skip(std::uint64_t count) {
    const std::lock_guard lock{mutex_};
    forget(count);
}

void DecisionHistory::forget(std::uint64_t skipped) {
    next_ += skipped;
    first_ = next_;
    ring_ = {};
}

}  // namespace gateway::live
