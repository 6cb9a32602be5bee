#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "gateway/config.hpp"
#include "policy/access_record.hpp"
#include "policy/access_request.hpp"
#include "policy/access_windows.hpp"

namespace gateway {

/// What became of windows: the pipeline must end their flows where `cut` is set.
struct WindowEnd {
    policy::WindowId id = 0;
    bool cut = false;

    bool operator==(const WindowEnd&) const = default;
};

/// The use cases of just-in-time access, and the only writer of windows. The API and a scenario's events both come
/// here.
///
/// It owns the records of all requests and the windows derived from them. Time is an argument and never runs
/// backwards from one call to the next; windows end by `expire`, which the caller runs at `next_expiry`. One that is
/// over but has not been expired yet is neither open to extend or revoke nor replaced by a newer request.
///
/// Machines and principals are found whatever their case; records name them as the configuration does. All costs
/// are logarithmic in the number of open windows, and do not depend on that of past ones.
class Access {
public:
    /// `config` must outlive this object, or its replacement by `use`.
    explicit Access(const Config& config);

    /// Judged in Azure's order: principal known and allowed (AuthorizationFailed names the missing action), shape of
    /// the request, machine and policy found (PolicyNotFound), request within the policy. Then all its windows open at
    /// `now`, and older ones of the same requestor on the same machine and port end as NewerRequestInitiated (their
    /// flows live on, as the newer one's: the caller tells the pipeline to `adopt` them). Returns the new records' ids. A refusal changes nothing.
    [[nodiscard]] tl::expected<std::vector<policy::WindowId>, policy::Refusal> request(
        const policy::AccessRequest& request, captures::Time now);

    /// Moves the end of the requestor's open window to `now + duration`. Where a port is listed for TCP and UDP apart,
    /// both or none; the id is the first's.
    [[nodiscard]] tl::expected<policy::WindowId, policy::Refusal> extend(std::string_view by, std::string_view machine,
                                                                         std::uint16_t port,
                                                                         captures::Duration duration,
                                                                         captures::Time now);

    /// Ends all open windows on the machine's port (the requestor's own; anybody's with the right to write policies),
    /// in order of approval. None is a refusal.
    [[nodiscard]] tl::expected<std::vector<WindowEnd>, policy::Refusal> revoke(std::string_view by,
                                                                               std::string_view machine,
                                                                               std::uint16_t port, bool cut,
                                                                               captures::Time now);

    /// Ends what is over at `now`, in order of time, then of approval; `cut` as the policy said at approval.
    std::vector<WindowEnd> expire(captures::Time now);
    [[nodiscard]] std::optional<captures::Time> next_expiry() const noexcept;

    /// A new configuration: guards follow its policies, open windows stay. A window on a port that is no longer
    /// guarded has no effect (the port is open to all), and takes effect again when a later one guards it.
    void use(const Config& config);

    [[nodiscard]] const policy::AccessWindows& windows() const noexcept { return windows_; }
    [[nodiscard]] const std::vector<policy::AccessRecord>& records() const noexcept { return records_; }
    [[nodiscard]] const policy::AccessRecord* record(policy::WindowId id) const noexcept;

private:
    struct OpenWindow {
        std::string machine;  ///< lower case, so that its order is that of a look-up
        std::uint16_t port = 0;
        std::string requestor;  ///< lower case
        policy::WindowId id = 0;

        auto operator<=>(const OpenWindow&) const = default;
        [[nodiscard]] static OpenWindow of(const policy::AccessRecord& record);
    };

    [[nodiscard]] const policy::Principal* principal(std::string_view name) const noexcept;
    [[nodiscard]] std::optional<policy::Refusal> unauthorized(std::string_view name, std::string_view action,
                                                              std::string_view machine) const;
    [[nodiscard]] tl::expected<const policy::JitPolicy*, policy::Refusal> policy_of(std::string_view machine) const;
    [[nodiscard]] std::vector<policy::WindowId> open_windows(std::string_view machine, std::uint16_t port,
                                                             std::optional<std::string_view> requestor,
                                                             captures::Time now) const;
    void open(policy::AccessRecord& record);
    void close(policy::AccessRecord& record, captures::Time now, policy::StatusReason reason);
    void enter(const policy::AccessRecord& record);
    void leave(const policy::AccessRecord& record);
    [[nodiscard]] std::optional<policy::Window> window_of(const policy::AccessRecord& record) const;

    const Config* config_ = nullptr;
    policy::Authorization authorization_;
    policy::AccessWindows windows_;
    std::vector<policy::AccessRecord> records_;                       ///< record id n at n - 1
    std::set<OpenWindow> open_;                                       ///< initiated and not yet revoked
    std::set<std::pair<captures::Time, policy::WindowId>> expiries_;  ///< the same, by end
};

}  // namespace gateway
