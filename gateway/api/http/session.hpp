#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include "gateway/api/http/server.hpp"

namespace gateway::api::http {

class Session;

/// What the connections of a server share. One thread.
struct SessionHost {
    Server::Numbers numbers;
    bool stopping = false;
    std::size_t large_bodies = 0;  ///< being received
    std::unordered_set<Session*> sessions;
    std::unordered_map<std::string, std::size_t> of_address;  ///< how many of them a client's address has
};

/// What the connections of one listener share.
struct ListenerTerms {
    Server::Handler handler;
    ServerLimits limits;
    std::shared_ptr<boost::asio::ssl::context> tls;  ///< null: none
};

/// One client's connection.
///
/// Theory of operation. A coroutine: handshake, then a request and its answer after another, then a close that lets the
/// client read what was said last. Only the parser is Beast's; reading is by hand, so that TLS and plain connections share all
/// of it and a connection that waits holds little. Each step has a deadline, a number that the server looks at twenty
/// times a second: a timer for each costs more than most answers. Where one has passed, the socket is
/// shut down (for reading only, while an answer can still be given), which ends the read or write that waits, and any
/// that comes after; cancelling would miss one that is just being started.
///
/// What is awaited gets a name before it is used, arguments as well: g++ 12 miscompiles `if (!co_await f(temporary))`.
///
/// Memory: a header, a small body and an answer each; larger bodies only for `most_large_bodies` at a time.
class Session : public std::enable_shared_from_this<Session> {
public:
    using Socket = boost::asio::ip::tcp::socket;
    using Error = boost::system::error_code;

    static constexpr std::size_t small_body = std::size_t{64} * 1024;
    static constexpr std::size_t most_large_bodies = 64;

    /// `host` must outlive it.
    Session(Socket socket, std::shared_ptr<const ListenerTerms> terms, SessionHost& host);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    /// Serves the connection to its end, and keeps `self` until then.
    [[nodiscard]] static boost::asio::awaitable<void> serve(std::shared_ptr<Session> self);

    /// Ends it, unless it is being answered.
    void stop();

    /// Ends what has taken too long.
    void keep_deadline(std::chrono::steady_clock::time_point now);

private:
    template <class T>
    using Awaitable = boost::asio::awaitable<T>;
    enum class Late : std::uint8_t { stops_reading, hangs_up };
    struct Exchange;

    [[nodiscard]] Awaitable<bool> handshake();
    [[nodiscard]] Awaitable<void> point_to_https();
    [[nodiscard]] Awaitable<bool> exchange();
    [[nodiscard]] Awaitable<bool> wait_for_request();
    [[nodiscard]] Awaitable<bool> receive(Exchange& now);
    [[nodiscard]] Awaitable<void> parse(Exchange& now, bool whole);
    [[nodiscard]] Awaitable<bool> read_more(std::size_t most);
    [[nodiscard]] Awaitable<bool> send(std::string text);
    [[nodiscard]] Awaitable<void> close();

    [[nodiscard]] Awaitable<Response> answer(Request& request);  ///< which is taken
    void limit_time(captures::base::Duration time, Late late, bool counts = true);
    [[nodiscard]] bool take_large_body(Exchange& now);

    Socket socket_;
    std::optional<boost::asio::ssl::stream<Socket&>> tls_;
    std::shared_ptr<const ListenerTerms> terms_;
    SessionHost& host_;
    std::optional<Response> response_;    ///< of the handler
    boost::asio::steady_timer answered_;  ///< ends when that is there
    std::string unread_;                  ///< received, not yet parsed
    std::string peer_;
    std::optional<captures::base::Ipv4Address> peer_ipv4_;
    std::string local_;  ///< `address:port`
    std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
    Late at_deadline_ = Late::hangs_up;
    bool late_counts_ = false;
    bool late_ = false;
    bool answering_ = false;
    bool used_ = false;  ///< has had a request
};

}  // namespace gateway::api::http
