#include "gateway/api/http/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "gateway/api/http/metrics_page.hpp"

namespace gateway::api::http {

namespace {

double in_seconds(captures::base::Duration time) { return std::chrono::duration<double>(time).count(); }

void add_access(MetricsPage& page, const control_plane::ControlPlane::Numbers& numbers) {
    page.one("windows_open", "gauge", "Access windows that are open.", numbers.open_windows);
    page.one("policies", "gauge", "Just-in-time policies.", numbers.policies);
    page.one("machines", "gauge", "Machines of the configuration.", numbers.machines);
    page.head("access_requests_total", "counter", "Requests for access, by what became of them.");
    page.line("access_requests_total{outcome=\"approved\"}", numbers.approved);
    page.line("access_requests_total{outcome=\"refused\"}", numbers.refused);
    page.head("windows_ended_total", "counter", "Access windows that ended, by why.");
    page.line("windows_ended_total{reason=\"expired\"}", numbers.expired);
    page.line("windows_ended_total{reason=\"revoked\"}", numbers.revoked);
    page.one("store_errors_total", "counter", "Writes that did not reach the disk.", numbers.store_errors);
    page.one("store_up", "gauge", "Whether the last write reached the disk.", numbers.store_works ? 1 : 0);
}

void add_connections(MetricsPage& page, const Server::Numbers& numbers) {
    page.one("http_connections", "gauge", "Connections of clients.", numbers.connections);
    page.one("http_connections_accepted_total", "counter", "Connections that were accepted.", numbers.accepted);
    page.one("http_connections_refused_total", "counter", "Connections over a limit.", numbers.refused);
    page.one("http_timeouts_total", "counter", "Requests, answers and handshakes that took too long.",
             numbers.timed_out);
    page.one("http_malformed_total", "counter", "Requests that were no HTTP, or too large.", numbers.malformed);
}

}  // namespace

void Metrics::observe(int status, captures::base::Duration time) noexcept {
    constexpr int hundred = 100;
    const auto status_class = static_cast<std::size_t>(
        std::clamp(status / hundred, 1, static_cast<int>(status_classes)));
    ++by_class_[status_class - 1];
    ++answers_;
    time_ += time;
    const auto* const bound = std::ranges::lower_bound(bounds, in_seconds(time));
    if (bound != bounds.end()) ++by_time_[static_cast<std::size_t>(bound - bounds.begin())];
}

std::string Metrics::text(const control_plane::ControlPlane::Numbers& control, const Server::Numbers& server) const {
    MetricsPage page;
    page.head("http_requests_total", "counter", "Requests that were answered, by class of status.");
    for (std::size_t i = 0; i < status_classes; ++i) {
        page.line(fmt::format("http_requests_total{{status=\"{}xx\"}}", i + 1), by_class_.at(i));
    }
    page.head("http_request_duration_seconds", "histogram",
              "Time to answer a request, its way over the network not counted.");
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        so_far += by_time_.at(i);
        page.line(fmt::format("http_request_duration_seconds_bucket{{le=\"{}\"}}", bounds.at(i)), so_far);
    }
    page.line("http_request_duration_seconds_bucket{le=\"+Inf\"}", answers_);
    page.line("http_request_duration_seconds_sum", in_seconds(time_));
    page.line("http_request_duration_seconds_count", answers_);
    add_connections(page, server);
    add_access(page, control);
    return page.take();
}

}  // namespace gateway::api::http
