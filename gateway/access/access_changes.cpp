// What becomes of a plan: its windows open and close, here and in the delta for whoever judges packets.

#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/access/access.hpp"
#include "policy/names.hpp"

namespace gateway::access {

using policy::AccessRecord;

void Access::reserve(const AccessChange& change) {
    if (!change.records.empty()) last_id_ = std::max(last_id_, change.records.back().id);
    std::ranges::copy(change.mapped_ports, std::back_inserter(reserved_ports_));
}

void Access::release(const AccessChange& change) {
    std::erase_if(reserved_ports_, [&](const policy::MappedPort& one) {
        return std::ranges::find(change.mapped_ports, one) != change.mapped_ports.end();
    });
}

policy::WindowDelta Access::commit(AccessChange change) {
    release(change);
    policy::WindowDelta delta;
    delta.adopted = adoptions_of(change);
    for (const auto& end : change.ends) {
        if (end.cut) delta.cut.push_back(end.id);
    }
    std::ranges::sort(change.mapped_ports, {}, [](const policy::MappedPort& one) {
        return std::pair{policy::to_lower(one.machine), one.port};  // as in `state`
    });
    for (const auto& mapped : change.mapped_ports) {
        mapped_ports_.add(mapped);
        if (auto rule = mapped_rule_of(mapped)) delta.mapped_rules.push_back(std::move(*rule));
    }
    for (auto& changed : change.records) {
        auto* known = find(changed.id);
        if (known != nullptr && known->status == policy::Status::initiated) {
            if (auto window = window_of(*known)) delta.closed.push_back(std::move(*window));
            leave(*known);
        }
        if (known != nullptr) {
            *known = std::move(changed);
        } else {
            last_id_ = std::max(last_id_, changed.id);
            known = &records_.emplace_back(std::move(changed));
        }
        if (known->status != policy::Status::initiated) continue;
        enter(*known);
        if (auto window = window_of(*known)) delta.opened.push_back(std::move(*window));
    }
    doors_.apply(delta);
    return delta;
}

policy::DoorState Access::state() const {
    policy::DoorState state;
    for (const auto& policy : config_->jit_policies) {
        for (const auto& jit : policy.machines) {
            const auto* machine = directory_.machine(jit.name);
            if (machine == nullptr) continue;
            for (const auto& port : jit.ports) {
                state.guards.push_back({{machine->private_ip, port.number}, port.protocol});
            }
        }
    }
    for (const auto& [key, listener] : mapped_ports_.all()) {
        if (auto rule = mapped_rule_of({key.first, key.second, listener}))
            state.mapped_rules.push_back(std::move(*rule));
    }
    for (const auto& open : open_) {
        if (auto window = window_of(*record(open.id))) state.windows.push_back(std::move(*window));
    }
    return state;
}

void Access::enter(const AccessRecord& record) {
    open_.insert(OpenWindow::of(record));
    expiries_.emplace(record.end, record.id);
}

void Access::leave(const AccessRecord& record) {
    open_.erase(OpenWindow::of(record));
    expiries_.erase({record.end, record.id});
    connections_.erase(record.id);
}

std::optional<policy::Window> Access::window_of(const AccessRecord& record) const {
    const auto* machine = directory_.machine(record.machine);
    if (machine == nullptr) return {};
    const auto* const mapped = mapped_port_of(record);
    return policy::Window{.id = record.id,
                          .target = {machine->private_ip, record.port},
                          .protocol = record.protocol,
                          .sources = record.sources,
                          .start = record.start,
                          .end = record.end,
                          .mapped_port = mapped == nullptr ? std::nullopt : std::optional{*mapped}};
}

}  // namespace gateway::access
