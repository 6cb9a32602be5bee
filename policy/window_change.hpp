#pragma once

#include <vector>

#include "captures/base/five_tuple.hpp"
#include "dnat/nat_rule.hpp"
#include "policy/access_windows.hpp"

namespace policy {

/// What became of windows: the pipeline must end their flows where `cut` is set.
struct WindowEnd {
    WindowId id = 0;
    bool cut = false;

    bool operator==(const WindowEnd&) const = default;
};

/// A newer window that stands for an older one: sessions that the older admitted are the newer's from now on, so that
/// renewing a window neither cuts them nor saves them from the cut that comes with the newer one's end.
struct Adoption {
    WindowId older = 0;
    WindowId newer = 0;

    bool operator==(const Adoption&) const = default;
};

/// The NAT rule of a mapped port, but for what open windows make of it: its protocols and sources.
struct MappedRule {
    dnat::RuleName name;
    captures::base::Endpoint listener;
    captures::base::Endpoint target;

    bool operator==(const MappedRule&) const = default;
};

/// How open windows have changed, complete in itself: who has the state before needs nothing else to have the state after.
struct WindowDelta {
    std::vector<MappedRule> mapped_rules;  ///< of ports that were given away just now
    std::vector<Window> closed;            ///< as they were
    std::vector<Window> opened;            ///< a window that is extended is closed as it was and opened as it is
    std::vector<Adoption> adopted;         ///< one after the other
    std::vector<WindowId> cut;             ///< whose flows end at once, and after adoptions
};

}  // namespace policy
