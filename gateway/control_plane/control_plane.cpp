#include "gateway/control_plane/control_plane.hpp"

#include <utility>

namespace gateway::control_plane {

using captures::base::Time;

tl::expected<std::unique_ptr<ControlPlane>, std::string> ControlPlane::start(config::Config config,
                                                                             std::unique_ptr<store::Store> store,
                                                                             Time now, std::function<void()> wake) {
    auto snapshot = store->load(now - history);
    if (!snapshot) return tl::unexpected{snapshot.error().message};
    std::unique_ptr<ControlPlane> control{new ControlPlane{std::move(config), std::move(store), std::move(wake)}};
    control->policies_.restore(std::move(snapshot->policies));
    control->requests_.restore(snapshot->records, snapshot->requests);
    auto& core = control->core_;
    store::Commit remapped;
    remapped.mapped_ports = core.access.restore(std::move(snapshot->records), snapshot->last_id,
                                                snapshot->mapped_ports);
    core.ledger.keep(std::move(remapped));
    control->tick(now);
    control->policies_.end_orphans(now);
    return control;
}

ControlPlane::ControlPlane(config::Config config, std::unique_ptr<store::Store> store, std::function<void()> wake)
    : core_{std::move(config), std::move(store), std::move(wake)} {}

std::optional<Problem> ControlPlane::unauthorized(const Caller& caller, std::string_view action,
                                                  std::string_view resource) const {
    if (core_.allows(caller, action, resource)) return {};
    return forbidden(caller, action, resource);
}

void ControlPlane::enforce_by(access::Enforcer& enforcer, Time now) {
    core_.enforcer = &enforcer;
    core_.load_enforcer(now);
}

void ControlPlane::tick(Time now) {
    core_.tick(now);
    if (now < next_forget_) return;
    next_forget_ = now + std::chrono::hours{1};
    requests_.forget(now - history);
}

void ControlPlane::flush(Time now) {
    if (auto why = core_.ledger.new_outage()) {
        // The event that tells of an outage is what the store is tried with, until it takes it.
        auto event = make_event(the_clock(), operation::store_outage, core_.group_id(), {}, now);
        event.status = "Failed";
        event.sub_status = "StoreUnavailable";
        event.detail = std::move(*why);
        core_.ledger.note(std::move(event));
    }
    core_.ledger.flush();
}

void ControlPlane::complete() { core_.complete(); }

void ControlPlane::finish() {
    while (core_.ledger.wait()) complete();
}

ControlPlane::Numbers ControlPlane::numbers() const {
    return {.open_windows = core_.access.open_count(),
            .policies = core_.config.jit_policies.size(),
            .machines = core_.config.machines.size(),
            .approved = core_.counts.approved,
            .refused = core_.counts.refused,
            .expired = core_.counts.expired,
            .revoked = core_.counts.revoked,
            .store_errors = core_.ledger.errors(),
            .store_works = core_.ledger.works()};
}

}  // namespace gateway::control_plane
