#include "policy/condition.hpp"

#include <algorithm>

namespace policy {

bool Condition::matches(const captures::base::FiveTuple& tuple, bool through_window) const noexcept {
    const auto has = [](const auto& ranges, const auto& value) {
        return std::ranges::any_of(ranges, [&](const auto& range) { return range.contains(value); });
    };
    const bool is_protocol = tuple.protocol == captures::base::Protocol::tcp ? tcp : udp;
    return is_protocol && !(never_through_window && through_window) && has(sources, tuple.source.address) &&
           has(destination_ports, tuple.destination.port) && has(destinations, tuple.destination.address) &&
           has(source_ports, tuple.source.port);
}

}  // namespace policy
