#include "gateway/control_plane/ledger.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace gateway::control_plane {

namespace {

using store::StoreError;

/// So many events are written even before the second is over,
constexpr std::size_t enough_events = 500;
/// so many wait while the disk is slow,
constexpr std::size_t most_events = 100'000;
/// and so many while it takes nothing.
constexpr std::size_t most_events_of_outage = 10'000;

Problem unavailable(const StoreError& error) {
    const auto* const what = [&] {
        switch (error.kind) {
            case StoreError::Kind::full: return "its disk is full";
            case StoreError::Kind::read_only: return "it is read-only";
            case StoreError::Kind::in_use: return "another process has locked it";
            case StoreError::Kind::too_new:
            case StoreError::Kind::damaged:
            case StoreError::Kind::malformed:
            case StoreError::Kind::unavailable: break;
        }
        return "it does not answer";
    }();
    return {503, "StoreUnavailable",
            fmt::format("The store cannot be written: {}. Nothing was changed and no door was opened; try again when "
                        "its operator has seen to it.",
                        what)};
}

}  // namespace

Ledger::Ledger(std::unique_ptr<store::Store> store, std::function<void()> wake)
    : writer_{std::move(store), std::move(wake)} {}

void Ledger::submit(store::Commit commit, Written written) {
    auto together = with_backlog();
    together.push_back(
        {std::move(commit), [this, written = std::move(written)](const auto& result) { written(judge(result)); }});
    writer_.submit(std::move(together));
}

void Ledger::keep(store::Commit commit) {
    store::append(backlog_, std::move(commit));
    flush();
}

void Ledger::note(policy::AuditEvent event) {
    if (problem()) return;
    backlog_.events.push_back(std::move(event));
    if (works_ && backlog_.events.size() >= enough_events) flush();
}

void Ledger::flush() {
    if (auto alone = with_backlog(); !alone.empty()) writer_.submit(std::move(alone));
}

void Ledger::read(store::Writer::Query query, std::function<void()> done) {
    flush();
    writer_.read(std::move(query), std::move(done));
}

std::optional<Problem> Ledger::problem() const {
    const auto events = refused_.events.size() + backlog_.events.size() + sent_events_;
    if (events < (works_ ? most_events : most_events_of_outage)) return {};
    return Problem{503, "StoreUnavailable",
                   "The audit cannot be written, and nothing is told that it does not know of."};
}

std::optional<std::string> Ledger::new_outage() {
    if (works_ || std::exchange(outage_told_, true)) return {};
    return outage_;
}

std::vector<store::Writer::Submission> Ledger::with_backlog() {
    auto all = std::exchange(refused_, {});
    store::append(all, std::exchange(backlog_, {}));
    if (store::is_empty(all)) return {};
    sent_events_ += all.events.size();
    auto kept = std::make_shared<store::Commit>(all);
    std::vector<store::Writer::Submission> sent;
    sent.push_back({std::move(all), [this, kept = std::move(kept)](const auto& result) {
                        sent_events_ -= kept->events.size();
                        if (judge(result)) store::append(refused_, std::move(*kept));
                    }});
    return sent;
}

std::optional<Problem> Ledger::judge(const store::Writer::Result& result) {
    if (!result && result.error().kind == StoreError::Kind::malformed) {
        return Problem{400, "InvalidText", "The request has a text that is not UTF-8, or a NUL."};
    }
    works_ = result.has_value();
    if (works_) {
        outage_told_ = false;
        return {};
    }
    ++errors_;
    auto problem = unavailable(result.error());
    outage_ = problem.message;
    return problem;
}

}  // namespace gateway::control_plane
