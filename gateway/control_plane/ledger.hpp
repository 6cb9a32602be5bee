#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/control_plane/caller.hpp"
#include "gateway/store/writer.hpp"

namespace gateway::control_plane {

/// The control plane's way to the disk.
///
/// Theory of operation. A decision is submitted, and happens when its commit is on disk (`submit`). What has happened anyway,
/// such as an expiry, and what changes nothing, such as a look-up, is a backlog: it is written with the next commit, or by
/// `flush`, and stays until the store takes it (`keep`, `note`).
class Ledger {
public:
    /// With why not, if it is not on disk: then nothing of it may happen.
    using Written = std::function<void(std::optional<Problem>)>;

    /// `wake`: see store::Writer.
    Ledger(std::unique_ptr<store::Store> store, std::function<void()> wake);

    void submit(store::Commit commit, Written written);
    /// Of what has happened: goes to disk at once, or as soon as the store takes it.
    void keep(store::Commit commit);
    /// Of what changes nothing: goes to disk within a second, by `flush`. Beyond a bound it is dropped: see `problem`.
    void note(policy::AuditEvent event);
    /// Sends what waits.
    void flush();
    /// `done` is called once all that was submitted before is written, or refused, and `query` has read the store.
    void read(store::Writer::Query query, std::function<void()> done);

    /// 503 while no more can be noted: nothing is to be told that the audit does not know of.
    [[nodiscard]] std::optional<Problem> problem() const;

    /// Whether the last write reached the disk.
    [[nodiscard]] bool works() const noexcept { return works_; }
    [[nodiscard]] std::uint64_t errors() const noexcept { return errors_; }
    /// Why the store takes no writes: once an outage.
    [[nodiscard]] std::optional<std::string> new_outage();

    /// See store::Writer.
    bool complete() { return writer_.complete(); }
    [[nodiscard]] bool wait() { return writer_.wait(); }

private:
    [[nodiscard]] std::vector<store::Writer::Submission> with_backlog();
    std::optional<Problem> judge(const store::Writer::Result& result);

    store::Commit refused_;        ///< of the backlog, by the store: goes ahead of the rest
    store::Commit backlog_;        ///< that was not sent
    std::size_t sent_events_ = 0;  ///< of the backlog, under way
    bool works_ = true;
    std::uint64_t errors_ = 0;
    std::string outage_;
    bool outage_told_ = false;
    store::Writer writer_;
};

}  // namespace gateway::control_plane
