#include "gateway/api/http/session.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <exception>
#include <iterator>

#include "gateway/api/http/wire.hpp"
#include "policy/names.hpp"

namespace gateway::api::http {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::redirect_error;
using asio::use_awaitable;

namespace {

constexpr std::size_t first_read = 4096;
constexpr std::size_t next_read = std::size_t{16} * 1024;
constexpr std::size_t slowest_reader = std::size_t{64} * 1024;  // bytes a second, beyond the time for any answer
constexpr captures::base::Duration farewell = std::chrono::seconds{1};
constexpr unsigned http_1_1 = 11;

captures::base::Time clock_time() {
    return std::chrono::time_point_cast<captures::base::Duration>(std::chrono::system_clock::now());
}

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// What to tell a client whose request could not be read, if anything.
std::optional<Response> error_response(const boost::system::error_code& error, const ServerLimits& limits) {
    if (error == http::error::header_limit) {
        return refusal(431, "RequestHeaderFieldsTooLarge",
                       "The header of the request is larger than " + std::to_string(limits.header_bytes) + " bytes.");
    }
    if (error == http::error::body_limit) {
        return refusal(413, "RequestContentTooLarge",
                       "The body of the request is larger than " + std::to_string(limits.body_bytes) + " bytes.");
    }
    if (error == http::error::bad_version)
        return refusal(505, "HttpVersionNotSupported", "Of the versions of HTTP, 1.1 and 1.0 are known here.");
    if (error == http::error::end_of_stream || error == http::error::partial_message ||
        error.category() != http::make_error_code(http::error::bad_value).category()) {
        return {};  // the client went away
    }
    return refusal(400, "BadRequest", "The request is not valid HTTP: " + error.message() + ".");
}

/// What is wrong with a header that the parser takes (RFC 9112 §3.2, §6.1; RFC 9110 §10.1.1).
std::optional<Response> header_error(const http::request_parser<http::string_body>& parser) {
    const auto& header = parser.get();
    const auto hosts = header.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && header.version() == http_1_1)) {
        return refusal(400, "BadRequest", "The request must have one Host header.");
    }
    const auto target = split_target(view_of(header.target()), view_of(header[http::field::host]));
    if (hosts == 1 && target.authority.empty()) return refusal(400, "BadRequest", "The Host header is not valid.");
    const auto codings = header.count(http::field::transfer_encoding);
    if (codings != 0 && (header.version() != http_1_1 || codings > 1 ||
                         !policy::same_name(view_of(header[http::field::transfer_encoding]), "chunked"))) {
        return refusal(501, "NotImplemented", "Of the transfer codings only chunked is known, in HTTP/1.1.");
    }
    const auto expect = view_of(header[http::field::expect]);
    if (!expect.empty() && !policy::same_name(expect, "100-continue")) {
        return refusal(417, "ExpectationFailed", "The only expectation that can be met is 100-continue.");
    }
    return {};
}

bool waits_for_continue(const http::request_parser<http::string_body>& parser) {
    return parser.get().version() == http_1_1 && !parser.get()[http::field::expect].empty() && !parser.is_done();
}

Fields headers_of(const http::fields& fields) {
    Fields headers;
    headers.reserve(static_cast<std::size_t>(std::distance(fields.begin(), fields.end())));
    for (const auto& field : fields) {
        auto& value = headers[policy::to_lower(view_of(field.name_string()))];
        if (!value.empty()) value += ", ";
        value += view_of(field.value());
    }
    return headers;
}

}  // namespace

struct Session::Exchange {
    Exchange(const ServerLimits& limits, SessionHost& on) : host{on} {
        parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
        parser.body_limit(limits.body_bytes);
    }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    ~Exchange() {
        if (has_large_body) --host.large_bodies;
    }

    /// Nothing where the target is no path.
    std::optional<Request> request(const std::string& scheme, const std::string& local) {
        auto message = parser.release();
        const auto target = split_target(view_of(message.target()), view_of(message[http::field::host]));
        auto parsed = target.path.starts_with('/') ? parse_target(target.path) : std::nullopt;
        if (!parsed) return {};
        Request request;
        request.method = view_of(message.method_string());
        if (only_head = request.method == "HEAD"; only_head) request.method = "GET";
        request.path = std::move(parsed->first);
        request.query = std::move(parsed->second);
        request.headers = headers_of(message);
        request.body = std::move(message.body());
        request.base_url = scheme + (target.authority.empty() ? local : target.authority);
        return request;
    }

    http::request_parser<http::string_body> parser;
    SessionHost& host;
    Error error;
    std::optional<Response> refused;
    bool has_large_body = false;
    bool only_head = false;
};

Session::Session(Socket socket, std::shared_ptr<const ListenerTerms> terms, SessionHost& host)
    : socket_{std::move(socket)}, terms_{std::move(terms)}, host_{host}, answered_{socket_.get_executor()} {
    Error ignored;
    socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
    const auto local = socket_.local_endpoint(ignored);
    const auto peer = socket_.remote_endpoint(ignored);
    local_ = local.address().to_string() + ":" + std::to_string(local.port());
    peer_ = peer.address().to_string();
    if (peer.address().is_v4()) peer_ipv4_ = captures::base::Ipv4Address{peer.address().to_v4().to_uint()};
    host_.sessions.insert(this);
    ++host_.of_address[peer_];
    host_.numbers.connections = host_.sessions.size();
}

Session::~Session() {
    host_.sessions.erase(this);
    if (const auto own = host_.of_address.find(peer_); --own->second == 0) host_.of_address.erase(own);
    host_.numbers.connections = host_.sessions.size();
}

asio::awaitable<void> Session::serve(std::shared_ptr<Session> self) {
    bool more = co_await self->handshake();
    if (!more) co_return;
    while (more) {
        more = co_await self->exchange();
    }
    co_await self->close();
}

void Session::stop() {
    Error ignored;
    if (!answering_) socket_.shutdown(Socket::shutdown_both, ignored);
}

asio::awaitable<bool> Session::handshake() {
    if (!terms_->tls) co_return true;
    limit_time(terms_->limits.request_timeout, Late::hangs_up);
    tls_.emplace(socket_, *terms_->tls);
    Error error;
    co_await tls_->async_handshake(asio::ssl::stream_base::server, redirect_error(use_awaitable, error));
    if (error.category() == asio::error::get_ssl_category() &&
        ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST) {
        co_await point_to_https();
    }
    co_return !error;
}

/// Somebody speaks HTTP to a TLS port; the token in it, if any, has been sent in the clear.
asio::awaitable<void> Session::point_to_https() {
    ++host_.numbers.malformed;
    const auto text = to_wire(refusal(400, "HttpsRequired", "This port speaks TLS: write https:// instead of http://."),
                              {.keep_alive = false, .date = clock_time()});
    Error ignored;
    co_await asio::async_write(socket_, asio::buffer(text), redirect_error(use_awaitable, ignored));
    tls_.reset();
    co_await close();
}

/// One request and its answer; false: it was the last.
asio::awaitable<bool> Session::exchange() {
    const bool asked = co_await wait_for_request();
    if (!asked) co_return false;
    Exchange now{terms_->limits, host_};
    bool good = co_await receive(now);
    std::optional<Request> request;
    if (good) request = now.request(terms_->tls ? "https://" : "http://", local_);
    if (good && !request) now.refused = refusal(400, "BadRequest", "The path of the request is not valid.");
    good = request.has_value();
    if (good) request->peer = peer_;
    if (good) request->peer_ipv4 = peer_ipv4_;
    if (!good && !now.refused) co_return false;
    if (!good && !late_) ++host_.numbers.malformed;

    answering_ = true;
    deadline_ = std::chrono::steady_clock::time_point::max();  // the store's disk takes what it takes
    std::optional<Response> response = std::move(now.refused);
    if (good) {
        auto told = co_await answer(*request);
        response = std::move(told);
    }
    const bool keep = good && now.parser.keep_alive() && !host_.stopping;
    const bool old = good && now.parser.get().version() != http_1_1;
    const Delivery delivery{.keep_alive = keep, .http_1_0 = old, .only_head = now.only_head, .date = clock_time()};
    std::string text = to_wire(*response, delivery);
    const bool sent = co_await send(std::move(text));
    co_return sent&& keep;
}

asio::awaitable<bool> Session::wait_for_request() {
    if (host_.stopping) co_return false;
    if (!unread_.empty()) co_return true;
    answering_ = false;
    if (unread_.capacity() > first_read) std::string{}.swap(unread_);
    limit_time(used_ ? terms_->limits.idle_timeout : terms_->limits.request_timeout, Late::stops_reading, !used_);
    used_ = true;
    co_return co_await read_more(first_read);
}

/// False: there is no request, and `now.refused` is what to say, if anything.
asio::awaitable<bool> Session::receive(Exchange& now) {
    limit_time(terms_->limits.request_timeout, Late::stops_reading);
    co_await parse(now, false);
    if (!now.error) now.refused = header_error(now.parser);
    if (!now.error && !now.refused && !take_large_body(now)) {
        now.refused = refusal(503, "ServerBusy", "Too many large requests at once; try again in a second.");
        now.refused->headers.emplace_back("Retry-After", "1");
    }
    if (now.refused) co_return false;
    if (!now.error && waits_for_continue(now.parser)) {
        std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        const bool sent = co_await send(std::move(go_on));
        if (!sent) co_return false;
        limit_time(terms_->limits.request_timeout, Late::stops_reading);
    }
    if (!now.error) {
        now.parser.eager(true);
        co_await parse(now, true);
    }
    if (!now.error) co_return true;
    now.refused = late_ ? refusal(408, "RequestTimeout", "The request did not come in in time.")
                        : error_response(now.error, terms_->limits);
    co_return false;
}

/// Reads until the header, or the whole request, is there.
asio::awaitable<void> Session::parse(Exchange& now, bool whole) {
    auto& parser = now.parser;
    while (!(whole ? parser.is_done() : parser.is_header_done())) {
        if (!unread_.empty()) {
            const auto used = parser.put(asio::buffer(unread_), now.error);
            unread_.erase(0, used);
            if (now.error && now.error != http::error::need_more) co_return;
            const bool stuck = now.error || used == 0;
            now.error = {};
            if (!stuck) continue;
            if (unread_.size() > terms_->limits.header_bytes) {  // of a chunk, say
                now.error = http::error::header_limit;
                co_return;
            }
        }
        const bool more = co_await read_more(next_read);
        if (!more) now.error = http::error::partial_message;
        if (!more) co_return;
    }
}

asio::awaitable<bool> Session::read_more(std::size_t most) {
    const auto had = unread_.size();
    unread_.resize(had + most);
    const auto room = asio::buffer(unread_.data() + had, most);
    Error error;
    std::size_t got = 0;
    if (tls_) {
        got = co_await tls_->async_read_some(room, redirect_error(use_awaitable, error));
    } else {
        got = co_await socket_.async_read_some(room, redirect_error(use_awaitable, error));
    }
    unread_.resize(had + got);
    co_return got != 0;
}

asio::awaitable<bool> Session::send(std::string text) {
    limit_time(terms_->limits.request_timeout + std::chrono::seconds{text.size() / slowest_reader}, Late::hangs_up);
    Error error;
    if (tls_) {
        co_await asio::async_write(*tls_, asio::buffer(text), redirect_error(use_awaitable, error));
    } else {
        co_await asio::async_write(socket_, asio::buffer(text), redirect_error(use_awaitable, error));
    }
    co_return !error;
}

/// Says that nothing more comes, and reads until the client has understood: to close with something unread would take
/// the last answer away from it (RFC 9112 §9.6).
asio::awaitable<void> Session::close() {
    limit_time(farewell, Late::hangs_up, false);
    Error error;
    if (tls_) {
        co_await tls_->async_shutdown(redirect_error(use_awaitable, error));
    }
    socket_.shutdown(Socket::shutdown_send, error);
    unread_.resize(first_read);
    while (!error) {
        co_await socket_.async_read_some(asio::buffer(unread_), redirect_error(use_awaitable, error));
    }
}

/// A handler that replies later finds the session by a weak pointer: it may have ended with the server meanwhile.
asio::awaitable<Response> Session::answer(Request& request) {
    response_.reset();
    answered_.expires_at(std::chrono::steady_clock::time_point::max());
    try {
        terms_->handler(std::move(request), [session = weak_from_this()](Response response) {
            const auto self = session.lock();
            if (!self) return;
            self->response_ = std::move(response);
            self->answered_.cancel();
        });
    } catch (const std::exception&) {
        response_ = refusal(500, "InternalServerError", "The request could not be answered.");
    }
    Error ended;
    while (!response_) {
        co_await answered_.async_wait(redirect_error(use_awaitable, ended));
    }
    co_return std::move(*response_);
}

void Session::limit_time(captures::base::Duration time, Late late, bool counts) {
    late_ = false;
    deadline_ = std::chrono::steady_clock::now() +
                std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
    at_deadline_ = late;
    late_counts_ = counts;
}

void Session::keep_deadline(std::chrono::steady_clock::time_point now) {
    if (late_ || now < deadline_) return;
    late_ = true;
    if (late_counts_) ++host_.numbers.timed_out;
    Error ignored;
    socket_.shutdown(at_deadline_ == Late::hangs_up ? Socket::shutdown_both : Socket::shutdown_receive, ignored);
}

bool Session::take_large_body(Exchange& now) {
    const auto length = now.parser.content_length();
    if (!now.parser.chunked() && (!length || *length <= small_body)) return true;
    if (host_.large_bodies >= most_large_bodies) return false;
    ++host_.large_bodies;
    now.has_large_body = true;
    return true;
}

}  // namespace gateway::api::http
