#pragma once

#include <optional>
#include <vector>

#include "captures/base/five_tuple.hpp"
#include "policy/access_windows.hpp"
#include "policy/mapped_rules.hpp"
#include "policy/window_change.hpp"

namespace policy {

/// A port under just-in-time access.
struct Guard {
    captures::base::Endpoint target;                   ///< the VM's private address and port
    std::optional<captures::base::Protocol> protocol;  ///< empty: TCP and UDP
};

/// All that just-in-time access makes of a packet, as values: what `Doors` are built from.
struct DoorState {
    std::vector<Guard> guards;
    std::vector<MappedRule> mapped_rules;
    std::vector<Window> windows;  ///< the open ones
};

/// What just-in-time access lets in at the moment: guarded ports, open windows, and the rules of mapped ports.
///
/// A window has an effect where its port is guarded, and only for the protocols that are: not on a port that a policy has let
/// go. A change costs what changes, however many windows there are.
class Doors {
public:
    Doors() = default;
    explicit Doors(const DoorState& state);

    /// Carries a change out. Flows and names of rules are not here, so `adopted` and `cut` are others' affair.
    void apply(const WindowDelta& delta);

    /// Puts a port under just-in-time access: before any window on it is opened.
    void guard(captures::base::Endpoint target, std::optional<captures::base::Protocol> protocol) {
        windows_.guard(target, protocol);
    }
    void add(const MappedRule& rule) { mapped_rules_.add(rule.listener, rule.target); }
    /// Precondition: the id is not open there yet, at least one source.
    void open(const Window& window);
    /// Precondition: it is open, with the same target, protocol, sources and mapped port.
    void close(const Window& window) noexcept;

    [[nodiscard]] const AccessWindows& windows() const noexcept { return windows_; }
    [[nodiscard]] const MappedRules& mapped_rules() const noexcept { return mapped_rules_; }

private:
    [[nodiscard]] Protocols effective(const Window& window) const noexcept;

    AccessWindows windows_;
    MappedRules mapped_rules_;
};

}  // namespace policy
