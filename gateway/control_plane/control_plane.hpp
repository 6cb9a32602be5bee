#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "gateway/control_plane/audit.hpp"
#include "gateway/control_plane/machines.hpp"
#include "gateway/control_plane/policies.hpp"
#include "gateway/control_plane/requests.hpp"

namespace gateway::control_plane {

/// Just-in-time access as a service: Azure's use cases and ours, over one configuration and one store.
///
/// Theory of operation. A use case decides (`Access` plans, nothing changes), submits what it decided together with the audit
/// event that tells of it, and acts once both are on disk: only then windows open or close, and its caller hears of it. If the
/// store fails the answer is 503 and no door has moved, but that expiry goes on in memory and is written later. Meanwhile
/// other decisions go on, unless they are about the same machines: those wait (Turns), so that none builds on what may yet fail.
/// What changes something, and every refusal to do so, is written before the answer. What only tells (a look-up, a refused
/// reading) is written together, at most a second later.
///
/// All answers depend on what the caller's roles allow; what a caller may not see is as if it did not exist.
/// Single-threaded but for the store's writer; time is an argument.
class ControlPlane {
public:
    /// `store` must be open; its snapshot is taken over, and windows that ended meanwhile are closed as Expired at
    /// `now`. The error is for a person. `wake` is called by another thread when `complete` has something to do.
    [[nodiscard]] static tl::expected<std::unique_ptr<ControlPlane>, std::string> start(
        config::Config config, std::unique_ptr<store::Store> store, captures::base::Time now,
        std::function<void()> wake = {});
    ControlPlane(const ControlPlane&) = delete;
    ControlPlane& operator=(const ControlPlane&) = delete;
    ~ControlPlane() = default;

    [[nodiscard]] Requests& requests() noexcept { return requests_; }
    [[nodiscard]] Policies& policies() noexcept { return policies_; }
    [[nodiscard]] Machines& machines() noexcept { return machines_; }
    [[nodiscard]] Audit& audit() noexcept { return audit_; }

    /// 403 where the caller's roles do not allow the action on the resource.
    [[nodiscard]] std::optional<Problem> unauthorized(const Caller& caller, std::string_view action,
                                                      std::string_view resource) const;
    [[nodiscard]] const config::Config& config() const noexcept { return core_.config; }
    [[nodiscard]] const config::Directory& directory() const noexcept { return core_.access.directory(); }

    /// `enforcer` is told how things stand, and from now on of every change; it must outlive this object.
    void enforce_by(access::Enforcer& enforcer, captures::base::Time now);

    // The clock.

    /// Ends what is over; call it at `next_expiry`, and once a second.
    void tick(captures::base::Time now);
    [[nodiscard]] std::optional<captures::base::Time> next_expiry() const noexcept {
        return core_.access.next_expiry();
    }
    /// Sends what waits to be written, and tries a store that has failed; call it once a second.
    void flush(captures::base::Time now);

    // What the store has done.

    /// Acts on it, by the thread that calls everything else.
    void complete();
    /// Waits until there is something to act on; false where nothing is under way.
    [[nodiscard]] bool wait() { return core_.ledger.wait(); }
    /// Waits until all that was submitted is written or refused, and acts on it.
    void finish();

    struct Numbers {
        std::size_t open_windows = 0;
        std::size_t policies = 0;
        std::size_t machines = 0;
        std::uint64_t approved = 0;  ///< requests, since the start
        std::uint64_t refused = 0;
        std::uint64_t expired = 0;
        std::uint64_t revoked = 0;
        std::uint64_t store_errors = 0;
        bool store_works = true;
    };
    [[nodiscard]] Numbers numbers() const;

private:
    ControlPlane(config::Config config, std::unique_ptr<store::Store> store, std::function<void()> wake);

    Core core_;
    Requests requests_{core_};
    Policies policies_{core_, requests_};
    Machines machines_{core_, requests_};
    Audit audit_{core_};
    captures::base::Time next_forget_{};
};

}  // namespace gateway::control_plane
