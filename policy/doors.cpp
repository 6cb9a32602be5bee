#include "policy/doors.hpp"

namespace policy {

using captures::base::Protocol;

Doors::Doors(const DoorState& state) {
    for (const auto& [target, protocol] : state.guards) guard(target, protocol);
    for (const auto& rule : state.mapped_rules) add(rule);
    for (const auto& window : state.windows) open(window);
}

void Doors::apply(const WindowDelta& delta) {
    for (const auto& rule : delta.mapped_rules) add(rule);
    for (const auto& window : delta.closed) close(window);
    for (const auto& window : delta.opened) open(window);
}

void Doors::open(const Window& window) {
    const auto protocols = effective(window);
    if (!protocols.any()) return;
    auto effective_one = window;
    if (!protocols.udp) effective_one.protocol = Protocol::tcp;
    if (!protocols.tcp) effective_one.protocol = Protocol::udp;
    windows_.open(effective_one);
    if (window.mapped_port) mapped_rules_.open(*window.mapped_port, protocols, window.sources);
}

void Doors::close(const Window& window) noexcept {
    const auto protocols = effective(window);
    if (!protocols.any()) return;
    windows_.close(window);
    if (window.mapped_port) mapped_rules_.close(*window.mapped_port, protocols, window.sources);
}

/// The protocols for which the window's port is guarded.
Protocols Doors::effective(const Window& window) const noexcept {
    const auto is_for = [&](Protocol protocol) {
        return window.protocol.value_or(protocol) == protocol && windows_.guarded(window.target, protocol);
    };
    return {is_for(Protocol::tcp), is_for(Protocol::udp)};
}

}  // namespace policy
