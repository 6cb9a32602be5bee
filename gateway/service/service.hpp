#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "captures/base/time.hpp"
#include "gateway/api/http/server.hpp"
#include "gateway/config/config.hpp"
#include "gateway/control_plane/control_plane.hpp"
#include "gateway/live/log_files.hpp"

namespace gateway::service {

/// Just-in-time access as a process: store, control plane, API and its listeners, and with `[live]` the packets between two
/// interfaces, put together from a configuration.
///
/// Theory of operation. One thread answers requests and ticks, so that decisions need no lock; the store's writer is another, and
/// what it has written comes back to the first (Server::post). Closing is not asked of the store: what was answered is there
/// already. SIGHUP reads the configuration anew (see reload.hpp); the log tells how it went, and logs and recordings that
/// somebody has moved away go on in new files.
class Service {
public:
    enum class Level : std::uint8_t { info, warning };
    using Log = std::function<void(Level, const std::string&)>;

    /// Listens already when it returns. `config` is that of the file `path`: relative paths in it are relative to its folder,
    /// and SIGHUP reads it anew. `logs` need `[live]`. The error is for a person. `log` may be called by any thread.
    [[nodiscard]] static tl::expected<std::unique_ptr<Service>, std::string> start(config::Config config,
                                                                                   const std::string& path,
                                                                                   live::LogFiles logs, Log log,
                                                                                   captures::base::Time now);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service();

    /// What a person wants to know of a service that has started.
    struct Facts {
        captures::base::Endpoint listen;
        std::optional<captures::base::Endpoint> sign_in;
        api::http::Certificate certificate;
        std::string certificate_made_because;  ///< empty: it was there
        std::string fingerprint;
        std::string store;
        std::size_t policies = 0;
        std::size_t machines = 0;
        std::size_t principals = 0;
        std::size_t open_windows = 0;
    };
    [[nodiscard]] const Facts& facts() const noexcept;

    /// Serves until SIGINT, SIGTERM or `stop`, which may be called from anywhere, and keeps the service manager informed.
    /// False: it had to end by itself.
    bool run();
    void stop();

private:
    struct Parts;
    explicit Service(std::unique_ptr<Parts> parts);

    std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::service
