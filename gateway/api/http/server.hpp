#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "captures/base/address.hpp"
#include "captures/base/time.hpp"
#include "gateway/api/http/http.hpp"

namespace gateway::api::http {

/// What a client may cost at most.
struct ServerLimits {
    std::size_t connections = 1024;
    std::size_t connections_of_address = 512;
    std::size_t header_bytes = std::size_t{16} * 1024;
    std::size_t body_bytes = std::size_t{1024} * 1024;
    /// For a handshake, for one request to come in, for its answer to go out (and a second more for each 64 KiB of it).
    captures::base::Duration request_timeout = std::chrono::seconds{10};
    captures::base::Duration idle_timeout = std::chrono::minutes{2};  ///< between two requests of a connection
};

/// PEM files; TLS 1.2 and later.
struct Certificate {
    std::string chain_file;
    std::string key_file;
};

/// HTTP/1.1 with TLS, or without it for the lab's sign-in and only on loopback. Asio coroutines in one thread.
class Server {
public:
    /// Replies at once or later; meanwhile other requests are answered.
    using Handler = std::function<void(Request, Reply)>;

    struct Options {
        captures::base::Endpoint listen;
        std::optional<Certificate> tls;
        ServerLimits limits;
    };
    Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// Listens from now on, and beside what was listened on before; the error names the address and the cure. Port 0
    /// takes a free one, which is returned.
    [[nodiscard]] tl::expected<captures::base::Endpoint, std::string> listen(const Options& options, Handler handler);

    /// `tick` is called at least once a second, and at the time that it returned last time.
    void run(const std::function<captures::base::Time()>& tick);

    /// What SIGHUP does while it runs; by the thread that runs it. Without it the signal ends the process.
    void on_hangup(std::function<void()> reload);

    /// Calls `task` in the thread that runs it. May be called from another thread.
    void post(std::function<void()> task);

    /// Takes no more connections, lets those that are being answered finish (at most a second), and ends `run`.
    /// May be called from a handler, from another thread, and SIGINT and SIGTERM do; a second signal ends the process.
    void stop();

    struct Numbers {
        std::size_t connections = 0;
        std::uint64_t accepted = 0;
        std::uint64_t refused = 0;  ///< connections over a limit
        std::uint64_t timed_out = 0;
        std::uint64_t malformed = 0;  ///< requests that were no HTTP, or too large
    };
    /// For the thread that runs it.
    [[nodiscard]] Numbers numbers() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gateway::api::http
