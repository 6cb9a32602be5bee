#pragma once

#include <vector>

#include "captures/base/address.hpp"

namespace policy {

/// A set of IPv4 addresses. Invariant: its ranges ascend, and between two of them there is a gap.
class AddressSet {
public:
    AddressSet() = default;
    explicit AddressSet(std::vector<captures::base::AddressRange> ranges);  ///< in any order; may overlap

    /// Whether every address of `range` is in the set, be it by the union of several ranges that it was made of.
    [[nodiscard]] bool contains(const captures::base::AddressRange& range) const noexcept;

    [[nodiscard]] AddressSet complement() const;

    [[nodiscard]] const std::vector<captures::base::AddressRange>& ranges() const noexcept { return ranges_; }

private:
    std::vector<captures::base::AddressRange> ranges_;
};

}  // namespace policy
