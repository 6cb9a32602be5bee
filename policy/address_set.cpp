#include "policy/address_set.hpp"

#include <algorithm>

namespace policy {

using captures::base::AddressRange;
using captures::base::Ipv4Address;

AddressSet::AddressSet(std::vector<AddressRange> ranges) {
    std::ranges::sort(ranges);
    for (const auto& range : ranges) {
        const bool touches = !ranges_.empty() &&
                             (range.first <= ranges_.back().last || range.first.value == ranges_.back().last.value + 1);
        if (touches) {
            ranges_.back().last = std::max(ranges_.back().last, range.last);
        } else {
            ranges_.push_back(range);
        }
    }
}

bool AddressSet::contains(const AddressRange& range) const noexcept {
    const auto after = std::ranges::upper_bound(ranges_, range.first, {}, &AddressRange::first);
    return after != ranges_.begin() && std::prev(after)->contains(range);
}

AddressSet AddressSet::complement() const {
    AddressSet result;
    std::uint64_t next = 0;
    for (const auto& range : ranges_) {
        if (next < range.first.value) {
            result.ranges_.push_back(
                AddressRange{Ipv4Address{static_cast<std::uint32_t>(next)}, Ipv4Address{range.first.value - 1}});
        }
        next = std::uint64_t{range.last.value} + 1;
    }
    if (next <= 0xffffffff) {
        result.ranges_.push_back(AddressRange{Ipv4Address{static_cast<std::uint32_t>(next)}, {0xffffffff}});
    }
    return result;
}

}  // namespace policy
