#include "gateway/api/http/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <vector>

#include "gateway/api/http/session.hpp"
#include "gateway/api/http/tls_context.hpp"

namespace gateway::api::http {

namespace asio = boost::asio;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using Error = boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds last_words{900};  // so that all is over within a second
constexpr std::chrono::milliseconds out_of_files_pause{100};
constexpr captures::base::Duration longest_tick = std::chrono::seconds{1};
constexpr std::chrono::milliseconds deadline_grain{50};  // by so much a connection may have longer than its limit

/// Without its clock or a listener no server goes on: `run` ends, too.
void pass_on(const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
}

struct Listener {
    tcp::acceptor acceptor;
    std::shared_ptr<const ListenerTerms> terms;
};

}  // namespace

struct Server::Impl {
    SessionHost host;  // outlives the sessions, which are in coroutines of `io`
    asio::io_context io{1};
    std::vector<std::shared_ptr<Listener>> listeners;
    asio::signal_set signals{io};
    asio::signal_set hangups{io};
    std::function<void()> reload;
    asio::steady_timer ticks{io};
    asio::steady_timer deadlines{io};
    asio::steady_timer end{io};

    asio::awaitable<void> accept(std::shared_ptr<Listener> listener);
    asio::awaitable<void> tick(std::function<captures::base::Time()> tick);
    void admit(tcp::socket socket, const Listener& listener);
    void keep_deadlines();
    void await_hangup();
    void stop();
    void end_if_idle();
};

Server::Server() : impl_{std::make_unique<Impl>()} {}

Server::~Server() = default;

tl::expected<captures::base::Endpoint, std::string> Server::listen(const Options& options, Handler handler) {
    auto terms = std::make_shared<ListenerTerms>();
    terms->handler = std::move(handler);
    terms->limits = options.limits;
    if (options.tls) {
        auto context = server_context(*options.tls);
        if (!context) return tl::unexpected{context.error()};
        terms->tls = std::move(*context);
    }
    const tcp::endpoint endpoint{asio::ip::address_v4{options.listen.address.value}, options.listen.port};
    auto listener = std::make_shared<Listener>(Listener{tcp::acceptor{impl_->io}, std::move(terms)});
    auto& acceptor = listener->acceptor;
    Error error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    const auto bound = error ? tcp::endpoint{} : acceptor.local_endpoint(error);
    if (error) {
        return tl::unexpected{fmt::format("cannot listen on {}: {}; choose another address or port, or end who has it",
                                          to_string(options.listen), error.message())};
    }
    impl_->listeners.push_back(listener);
    asio::co_spawn(impl_->io, impl_->accept(listener), pass_on);
    return captures::base::Endpoint{options.listen.address, bound.port()};
}

void Server::run(const std::function<captures::base::Time()>& tick) {
    Error ignored;
    impl_->signals.add(SIGINT, ignored);
    impl_->signals.add(SIGTERM, ignored);
    impl_->signals.async_wait([this](const Error& error, int) {
        if (!error) impl_->stop();
    });
    asio::co_spawn(impl_->io, impl_->tick(tick), pass_on);
    impl_->io.run();
}

void Server::on_hangup(std::function<void()> reload) {
    Error ignored;
    impl_->reload = std::move(reload);
    impl_->hangups.add(SIGHUP, ignored);
    impl_->await_hangup();
}

void Server::Impl::await_hangup() {
    hangups.async_wait([this](const Error& error, int) {
        if (error) return;
        reload();
        await_hangup();
    });
}

void Server::stop() {
    asio::dispatch(impl_->io, [this] { impl_->stop(); });
}

void Server::post(std::function<void()> task) { asio::post(impl_->io, std::move(task)); }

Server::Numbers Server::numbers() const noexcept { return impl_->host.numbers; }

asio::awaitable<void> Server::Impl::accept(std::shared_ptr<Listener> listener) {
    asio::steady_timer pause{io};
    while (!host.stopping) {
        Error error;
        auto socket = co_await listener->acceptor.async_accept(redirect_error(use_awaitable, error));
        if (!error) {
            admit(std::move(socket), *listener);
        } else if (!host.stopping) {  // no more file descriptors, or a client that went away at once
            pause.expires_after(out_of_files_pause);
            co_await pause.async_wait(redirect_error(use_awaitable, error));
        }
    }
}

void Server::Impl::admit(tcp::socket socket, const Listener& listener) {
    if (host.stopping) return;
    const auto& limits = listener.terms->limits;
    Error gone;
    const auto peer = host.of_address.find(socket.remote_endpoint(gone).address().to_string());
    const bool has_enough = peer != host.of_address.end() && peer->second >= limits.connections_of_address;
    if (host.sessions.size() >= limits.connections || has_enough || gone) {
        ++host.numbers.refused;
        return;
    }
    ++host.numbers.accepted;
    const bool is_first = host.sessions.empty();
    asio::co_spawn(io, Session::serve(std::make_shared<Session>(std::move(socket), listener.terms, host)),
                   [this](const std::exception_ptr&) {             // of memory, if anything: that connection has ended
                       asio::post(io, [this] { end_if_idle(); });  // once its session is gone
                   });
    if (is_first) keep_deadlines();
}

/// While there are sessions; `admit` begins it anew.
void Server::Impl::keep_deadlines() {
    if (host.sessions.empty()) return;
    const auto now = std::chrono::steady_clock::now();
    for (auto* const session : host.sessions) session->keep_deadline(now);
    deadlines.expires_after(deadline_grain);  // ends the wait of a sweep that was begun before
    deadlines.async_wait([this](const Error& error) {
        if (!error) keep_deadlines();
    });
}

void Server::Impl::end_if_idle() {
    if (host.stopping && host.sessions.empty()) io.stop();
}

/// By wall time, but never asleep for longer than `longest_tick`: a clock may be set.
asio::awaitable<void> Server::Impl::tick(std::function<captures::base::Time()> tick) {
    while (!host.stopping) {
        const auto next = tick();
        const auto now = std::chrono::time_point_cast<captures::base::Duration>(std::chrono::system_clock::now());
        const auto wait = next <= now ? captures::base::Duration{} : std::min(longest_tick, next - now);
        ticks.expires_after(std::max<captures::base::Duration>(wait, std::chrono::milliseconds{1}));
        Error error;
        co_await ticks.async_wait(redirect_error(use_awaitable, error));
    }
}

void Server::Impl::stop() {
    if (host.stopping) return;
    host.stopping = true;
    Error ignored;
    signals.cancel(ignored);
    signals.clear(ignored);  // a second signal ends the process at once
    hangups.cancel(ignored);
    ticks.cancel();
    for (const auto& listener : listeners) listener->acceptor.close(ignored);
    for (auto* const session : host.sessions) session->stop();
    end_if_idle();
    end.expires_after(last_words);
    end.async_wait([this](const Error& error) {
        if (!error) io.stop();
    });
}

}  // namespace gateway::api::http
