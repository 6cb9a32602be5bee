#pragma once

#include "policy/access_windows.hpp"

namespace policy {

/// What became of windows: the pipeline must end their flows where `cut` is set.
struct WindowEnd {
    policy::WindowId id = 0;
    bool cut = false;

    bool operator==(const WindowEnd&) const = default;
};

/// A newer window that stands for an older one: sessions that the older admitted are the newer's from now on, so that
/// renewing a window neither cuts them nor saves them from the cut that comes with the newer one's end.
struct Adoption {
    policy::WindowId older = 0;
    policy::WindowId newer = 0;

    bool operator==(const Adoption&) const = default;
};

}  // namespace policy
