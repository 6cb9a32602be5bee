#include "gateway/control_plane/turns.hpp"

#include <algorithm>
#include <utility>

namespace gateway::control_plane {

void Turns::take(std::vector<std::string> machines, Use use) {
    waiting_.push_back({std::move(machines), std::move(use)});
    resume();
}

void Turns::resume() {
    for (auto found = next(); found != waiting_.end(); found = next()) {
        auto [machines, use] = std::move(*found);
        waiting_.erase(found);
        use(begin(machines));
    }
}

bool Turns::is_taken(const std::string& machine) const { return all_taken_ || taken_.contains(machine); }

bool Turns::is_free(const std::vector<std::string>& machines) const {
    if (machines.empty()) return !all_taken_ && taken_.empty();
    return std::ranges::none_of(machines, [this](const auto& machine) { return is_taken(machine); });
}

Turns::Turn Turns::begin(const std::vector<std::string>& machines) {
    all_taken_ = machines.empty();
    taken_.insert(machines.begin(), machines.end());
    return {this, [machines](Turns* turns) {
                if (machines.empty()) turns->all_taken_ = false;
                for (const auto& machine : machines) turns->taken_.erase(machine);
            }};
}

/// The first that is free and overtakes nobody with whom it shares a machine.
std::deque<Turns::Waiting>::iterator Turns::next() {
    std::unordered_set<std::string_view> before;
    for (auto one = waiting_.begin(); one != waiting_.end(); ++one) {
        if (one->machines.empty()) return before.empty() && is_free({}) ? one : waiting_.end();
        const auto is_before = [&](const auto& machine) { return before.contains(machine); };
        if (is_free(one->machines) && std::ranges::none_of(one->machines, is_before)) return one;
        before.insert(one->machines.begin(), one->machines.end());
    }
    return waiting_.end();
}

}  // namespace gateway::control_plane
