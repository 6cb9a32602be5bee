#include "gateway/service/service.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <utility>

#include "gateway/api/api.hpp"
#include "gateway/api/http/metrics.hpp"
#include "gateway/api/http/tls.hpp"
#include "gateway/api/http/wire.hpp"
#include "gateway/api/live_metrics.hpp"
#include "gateway/api/sign_in/authenticator.hpp"
#include "gateway/api/sign_in/lab_sign_in.hpp"
#include "gateway/live/live_gateway.hpp"
#include "gateway/service/notify.hpp"
#include "gateway/service/reload.hpp"
#include "gateway/service/service_clock.hpp"
#include "gateway/store/store.hpp"

namespace gateway::service {

using api::http::Request;
using api::http::Response;

namespace {

captures::base::Duration since_boot() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace

struct Service::Parts {
    std::filesystem::path path;  ///< of the configuration
    live::LogFiles logs;
    Log log;
    Facts facts;
    std::unique_ptr<live::LiveGateway> live;  // outlives the control plane, which calls it
    std::unique_ptr<control_plane::ControlPlane> control;
    std::unique_ptr<api::sign_in::Authenticator> authenticator;
    api::Dependencies dependencies;
    std::unique_ptr<api::Api> api;
    api::http::Metrics metrics;
    ServiceClock clock;
    bool store_worked = true;
    bool failed = false;
    api::http::Server server;  // last: it calls the others

    Parts() = default;
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;
    ~Parts() {
        if (control) control->finish();  // its writer wakes the server, and must not do so when that has gone
    }

    [[nodiscard]] captures::base::Time now() {
        return clock.at(std::chrono::time_point_cast<captures::base::Duration>(std::chrono::system_clock::now()),
                        since_boot());
    }
    [[nodiscard]] std::string open(config::Config config, captures::base::Time now);
    [[nodiscard]] std::string go_live(captures::base::Time now);
    [[nodiscard]] std::string take_certificate(captures::base::Time now);
    [[nodiscard]] std::string listen();
    void answer(Request request, api::http::Reply reply);
    [[nodiscard]] Response health() const;
    [[nodiscard]] Response numbers() const;
    [[nodiscard]] captures::base::Time tick();
    void complete();
    void reload(const control_plane::Caller* caller, const std::function<void(const config::ReloadReport&)>& done);
    void tell(const config::ReloadReport& report) const;
    [[nodiscard]] std::string status() const;
    void tell_of_store();
};

tl::expected<std::unique_ptr<Service>, std::string> Service::start(config::Config config, const std::string& path,
                                                                   live::LogFiles logs, Log log,
                                                                   captures::base::Time now) {
    auto parts = std::make_unique<Parts>();
    parts->path = std::filesystem::absolute(path);
    parts->logs = std::move(logs);
    make_absolute(config, parts->path.parent_path());
    parts->log = std::move(log);
    parts->dependencies.reload = [&self = *parts](const control_plane::Caller& caller, const auto& done) {
        self.reload(&caller, done);
    };
    auto problem = parts->open(std::move(config), now);
    if (problem.empty()) problem = parts->take_certificate(now);
    if (problem.empty()) problem = parts->listen();
    if (problem.empty() && parts->control->config().live) problem = parts->go_live(now);
    if (!problem.empty()) return tl::unexpected{std::move(problem)};
    return std::unique_ptr<Service>{new Service{std::move(parts)}};
}

Service::Service(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}

Service::~Service() = default;

const Service::Facts& Service::facts() const noexcept { return parts_->facts; }

bool Service::run() {
    parts_->server.on_hangup([this] { parts_->reload(nullptr, [](const config::ReloadReport& /*is logged*/) {}); });
    notify_ready(parts_->status());
    parts_->server.run([this] { return parts_->tick(); });
    notify_stopping();
    parts_->control->flush(parts_->now());
    parts_->control->finish();
    parts_->tell_of_store();
    return !parts_->failed;
}

void Service::stop() { parts_->server.stop(); }

std::string Service::Parts::open(config::Config config, captures::base::Time now) {
    auto known = api::sign_in::Authenticator::create(config);
    if (!known) return known.error();
    authenticator = std::make_unique<api::sign_in::Authenticator>(std::move(*known));
    auto store = store::Store::open(config.store.url);
    if (!store) return store.error().message;
    facts.store = store_file(config);
    const auto wake = [this] { server.post([this] { complete(); }); };
    auto started = control_plane::ControlPlane::start(std::move(config), std::move(*store), now, wake);
    if (!started) return started.error();
    control = std::move(*started);
    api = std::make_unique<api::Api>(*control, *authenticator, dependencies);
    const auto numbers = control->numbers();
    facts.policies = numbers.policies;
    facts.machines = numbers.machines;
    facts.open_windows = numbers.open_windows;
    facts.principals = control->config().principals.size();
    return {};
}

/// Last: nothing is forwarded unless all else works.
std::string Service::Parts::go_live(captures::base::Time now) {
    const auto tell = [this](live::LiveGateway::Level level, const std::string& text) {
        log(level == live::LiveGateway::Level::warning ? Level::warning : Level::info, text);
    };
    auto opened = live::LiveGateway::open(control->config(), logs, tell);
    if (!opened) return opened.error();
    live = std::move(*opened);
    control->enforce_by(*live, now);
    dependencies.live = live.get();
    return live->problem();
}

std::string Service::Parts::take_certificate(captures::base::Time now) {
    const auto& wanted = control->config().api;
    if (wanted.tls_certificate.empty()) {
        const auto folder = std::filesystem::path{facts.store}.parent_path().string();
        auto own = api::http::own_certificate(folder, api::http::names_of_this_host(wanted.listen.address), now);
        if (!own) return own.error();
        facts.certificate = std::move(own->files);
        facts.certificate_made_because = std::move(own->made_because);
    } else {
        facts.certificate = {wanted.tls_certificate, wanted.tls_key};
        if (const auto problem = api::http::certificate_problem(facts.certificate, now)) return *problem;
    }
    auto fingerprint = api::http::fingerprint(facts.certificate.chain_file);
    if (!fingerprint) return fingerprint.error();
    facts.fingerprint = std::move(*fingerprint);
    return {};
}

std::string Service::Parts::listen() {
    const auto& wanted = control->config().api;
    api::http::ServerLimits limits;
    limits.connections = wanted.max_connections;
    limits.connections_of_address = wanted.max_connections_per_address;
    limits.request_timeout = wanted.request_timeout;
    const auto bound = server.listen(
        {.listen = wanted.listen, .tls = facts.certificate, .limits = limits},
        [this](Request request, api::http::Reply reply) { answer(std::move(request), std::move(reply)); });
    if (!bound) return bound.error();
    facts.listen = *bound;
    if (!wanted.lab_sign_in) return {};
    const auto sign_in = server.listen({.listen = wanted.lab_sign_in->listen, .tls = {}, .limits = limits},
                                       [this](const Request& request, const api::http::Reply& reply) {
                                           reply(api::sign_in::answer_sign_in(request, *authenticator, now()));
                                       });
    if (!sign_in) return sign_in.error();
    facts.sign_in = *sign_in;
    return {};
}

void Service::Parts::complete() {
    control->complete();
    tell_of_store();
}

void Service::Parts::answer(Request request, api::http::Reply reply) {
    const auto is = [&](const char* name) {
        return request.method == "GET" && request.path.size() == 1 && request.path.front() == name;
    };
    if (is("healthz")) return reply(health());
    if (is("metrics")) return reply(numbers());
    const auto start = std::chrono::steady_clock::now();
    api->answer(std::move(request), now(), [this, start, reply = std::move(reply)](Response response) {
        metrics.observe(response.status, std::chrono::steady_clock::now() - start);
        reply(std::move(response));
    });
}

Response Service::Parts::health() const {
    if (!control->numbers().store_works) {
        return api::http::refusal(503, "StoreUnavailable", "The last write did not reach the disk; see the log.");
    }
    return {200, {{"Cache-Control", "no-cache"}}, R"({"status":"ok"})"};
}

Response Service::Parts::numbers() const {
    auto text = metrics.text(control->numbers(), server.numbers());
    if (live) {
        const auto status = live->status(live::LiveGateway::Detail::numbers);
        if (status) text += api::live_metrics(*status);
    }
    return {200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, std::move(text)};
}

captures::base::Time Service::Parts::tick() {
    const auto time = now();
    control->tick(time);
    control->flush(time);
    tell_of_store();
    if (live && !live->tick(now())) {
        log(Level::warning, "the data plane has ended: nothing is forwarded; stopping");
        failed = true;
        server.stop();
    }
    if (!failed) notify_alive(status());
    const auto due = control->next_expiry();
    if (!due) return captures::base::Time::max();
    // The server sleeps by the wall clock, which may have been set back behind the service's.
    return std::chrono::time_point_cast<captures::base::Duration>(std::chrono::system_clock::now()) + (*due - now());
}

void Service::Parts::reload(const control_plane::Caller* caller,
                            const std::function<void(const config::ReloadReport&)>& done) {
    notify_reloading();
    service::reload(path, *control, *authenticator, caller, now(), [this, done](const config::ReloadReport& report) {
        if (live) live->recorder().reopen();
        tell(report);
        notify_ready(status());
        done(report);
    });
}

void Service::Parts::tell(const config::ReloadReport& report) const {
    for (const auto& finding : report.findings) log(Level::warning, to_string(finding));
    if (!report.taken) {
        log(Level::warning,
            fmt::format("{}: {} was not taken, and the configuration stays as it was",
                        report.refusal.empty() ? fmt::format("{} mistakes", report.findings.size()) : report.refusal,
                        path.string()));
    }
    for (const auto& what : report.kept) {
        log(Level::warning, fmt::format("{} stays as it is until the next start", what));
    }
    for (const auto& change : report.changes) log(Level::info, config::to_string(change));
    if (report.taken) log(Level::info, fmt::format("{} was read anew", path.string()));
}

std::string Service::Parts::status() const {
    const auto open = control->numbers().open_windows;
    return fmt::format("{} {} open; https://{}; {}", open, open == 1 ? "window" : "windows", to_string(facts.listen),
                       live ? "packets move" : "no packets move: there is no [live]");
}

void Service::Parts::tell_of_store() {
    const bool works = control->numbers().store_works;
    if (works == std::exchange(store_worked, works)) return;
    if (works) {
        log(Level::info, "the store takes writes again");
    } else {
        log(Level::warning,
            fmt::format("the store {} takes no writes: requests are answered 503 and no door opens; make room "
                        "on the disk, or see who has the file",
                        facts.store));
    }
}

}  // namespace gateway::service
