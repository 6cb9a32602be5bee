#include "gateway/control_plane/audit.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "policy/names.hpp"

namespace gateway::control_plane {

using captures::base::Time;
using policy::AuditEvent;

using Events = tl::expected<std::vector<AuditEvent>, store::StoreError>;

void Audit::activity(const Caller& caller, const store::EventFilter& filter, Time now,
                     Done<std::vector<AuditEvent>> done) {
    core_.tick(now);
    auto mine = filter;
    const bool reads_all = core_.allows(caller, policy::action::activity_read, core_.group_id());
    const auto machine_id = filter.machine.empty() ? std::string{} : core_.id_of(filter.machine);
    mine.machine = core_.name_of(filter.machine);
    const bool reads_machine = !mine.machine.empty() && core_.allows(caller, policy::action::activity_read, machine_id);
    if (!reads_all && !reads_machine) {
        // That an event is of a hidden machine would say that there is one.
        if (!mine.machine.empty() && !core_.allows(caller, policy::action::machine_read, machine_id)) return done({});
        if (!mine.caller.empty() && !policy::same_name(mine.caller, caller.principal)) return done({});
        mine.caller = caller.principal;
    }
    const auto found = std::make_shared<Events>();
    const auto query = [found, mine = std::move(mine)](store::Store& store) { *found = store.events(mine); };
    core_.ledger.read(query, [this, caller, found, reads_all, done = std::move(done)] {
        if (!*found) {
            return done(
                tl::unexpected{Problem{503, "StoreUnavailable", "The activity log cannot be read at the moment."}});
        }
        for (auto& event : **found) {
            const bool is_seen = reads_all || core_.allows(caller, policy::action::machine_read,
                                                           core_.config.machine_id(event.machine));
            if (!is_seen) event.machine.clear();
        }
        done(std::move(**found));
    });
}

void Audit::chain(const Caller& caller, std::uint64_t after, std::size_t limit, Time now, Done<AuditChain> done) {
    if (!core_.allows(caller, policy::action::activity_read, core_.group_id())) {
        auto problem = forbidden(caller, policy::action::activity_read, core_.group_id());
        note_refusal(caller, policy::action::activity_read, core_.group_id(), problem, now);
        return done(tl::unexpected{std::move(problem)});
    }
    core_.tick(now);
    store::EventFilter filter;
    filter.after = after;
    filter.limit = limit;
    struct Found {
        Events events;
        store::ChainPoint head;
    };
    const auto found = std::make_shared<Found>();
    const auto query = [found, filter](store::Store& store) {
        found->events = store.events(filter);
        found->head = store.head();
    };
    core_.ledger.read(query, [found, done = std::move(done)] {
        if (found->events) return done(AuditChain{std::move(*found->events), std::move(found->head)});
        done(tl::unexpected{Problem{503, "StoreUnavailable", "The audit cannot be read at the moment."}});
    });
}

void Audit::note_refusal(const Caller& caller, std::string_view operation, std::string_view resource,
                         const Problem& problem, Time now) {
    core_.note_refusal(make_event(caller, operation, std::string{resource}, {}, now), problem);
}

void Audit::note_reading(const Caller& caller, std::string_view operation, std::string detail, Time now) {
    auto event = make_event(caller, operation, core_.config.firewall.resource_id(), {}, now);
    event.detail = std::move(detail);
    core_.ledger.note(std::move(event));
}

void Audit::note_change(const Caller& caller, std::string_view operation, std::string detail, Time now,
                        Ledger::Written then) {
    auto event = make_event(caller, operation, core_.config.firewall.resource_id(), {}, now);
    event.detail = std::move(detail);
    store::Commit commit;
    commit.events.push_back(std::move(event));
    core_.ledger.submit(std::move(commit), std::move(then));
}

}  // namespace gateway::control_plane
