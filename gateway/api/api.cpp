#include "gateway/api/api.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "captures/base/utf8.hpp"
#include "gateway/api/answers.hpp"
#include "gateway/api/arm_problems.hpp"
#include "gateway/api/http/rate_limit.hpp"
#include "gateway/api/http/text.hpp"
#include "gateway/api/routes.hpp"
#include "gateway/api/sign_in/authenticator.hpp"
#include "gateway/control_plane/guid.hpp"
#include "policy/names.hpp"

namespace gateway::api {

namespace {

/// A client's id for its request: kept where it is one word of a readable length.
std::string client_request_id(const http::Request& request) {
    constexpr std::size_t longest = 128;
    const auto id = request.header("x-ms-client-request-id");
    const bool is_word = std::ranges::all_of(id, [](char letter) { return letter > ' ' && letter <= '~'; });
    return is_word && id.size() <= longest ? std::string{id} : std::string{};
}

/// For the audit, of a length that fits it.
std::string path_of(const http::Request& request) {
    constexpr std::size_t longest = 1024;
    std::string path;
    for (const auto& segment : request.path) path += '/' + segment;
    return std::string{captures::base::utf8_prefix(std::string_view{path}.substr(0, longest))};
}

/// As ARM tells how many more requests of this kind it will take (facts: Azure-JIT §1.3). Here all kinds share one budget.
std::string_view remaining_header(std::string_view method) {
    if (method == "GET") return "x-ms-ratelimit-remaining-subscription-reads";
    if (method == "DELETE") return "x-ms-ratelimit-remaining-subscription-deletes";
    return "x-ms-ratelimit-remaining-subscription-writes";
}

/// For the audit: a method as HTTP has them, or nothing.
std::string method_of(const http::Request& request) {
    constexpr std::size_t longest = 16;
    const auto is_capital = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
    const bool is_method = request.method.size() <= longest && std::ranges::all_of(request.method, is_capital);
    return is_method ? request.method : std::string{};
}

control_plane::Caller anonymous_caller(const http::Request& request) {
    const auto correlation = request.header("x-ms-correlation-request-id");
    control_plane::Caller caller;
    caller.address = request.peer;
    caller.ipv4 = request.peer_ipv4;
    caller.correlation_id = http::is_guid(correlation) ? policy::to_lower(correlation) : control_plane::new_guid();
    caller.client_request_id = client_request_id(request);
    return caller;
}

/// `2020-01-01`, perhaps with a word such as `-preview` behind.
bool is_api_version(std::string_view text) {
    constexpr std::size_t date = 10;
    const auto is_letter = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    };
    const auto rest = text.substr(std::min(date, text.size()));
    return captures::base::parse_time(std::string{text.substr(0, date)} + "T00:00:00Z").has_value() &&
           (rest.empty() || (rest.size() > 1 && rest.front() == '-' && std::ranges::all_of(rest.substr(1), is_letter)));
}

/// Whether `version` is one of `a, b`.
bool is_listed(std::string_view version, std::string_view versions) {
    while (!versions.empty()) {
        const auto end = std::min(versions.find(", "), versions.size());
        if (policy::same_name(versions.substr(0, end), version)) return true;
        versions.remove_prefix(std::min(end + 2, versions.size()));
    }
    return false;
}

/// Of a path that no route fits: is it at least ARM's?
control_plane::Problem nothing_there(const std::vector<std::string>& path, std::string_view version) {
    const auto providers = std::ranges::find_if(path,
                                                [](const auto& one) { return policy::same_name(one, "providers"); });
    const bool is_in_subscription = path.size() > 2 && policy::same_name(path[0], "subscriptions");
    if (!is_in_subscription || providers == path.end() || providers + 1 == path.end()) return arm::unknown_path();
    const auto& provider = *(providers + 1);
    for (const std::string_view known : {"Microsoft.Security", "Microsoft.Compute"}) {
        if (policy::same_name(provider, known)) return arm::unknown_type(known, version);
    }
    return arm::unknown_provider(provider);
}

/// The type of a pattern of ARM, below its provider: `locations/jitNetworkAccessPolicies`.
std::string type_of(std::string_view pattern) {
    return pattern.find("jitNetworkAccessPolicies") == std::string_view::npos ? "locations"
                                                                              : "locations/jitNetworkAccessPolicies";
}

std::optional<control_plane::Problem> wrong_subscription(const Call& call) {
    const auto subscription = call.place("subscriptionId");
    if (subscription.empty() || policy::same_name(subscription, call.config().firewall.subscription)) return {};
    return http::is_guid(subscription) ? arm::no_subscription(subscription) : arm::malformed_subscription(subscription);
}

bool is_ours(const http::Request& request) {
    return !request.path.empty() && policy::same_name(request.path.front(), "portcullis");
}

}  // namespace

void Call::reply(http::Response response) {
    if (!send) return;  // a handler that failed after its reply
    for (auto& header : headers) response.headers.push_back(std::move(header));
    add_arm_headers(response, request, caller, config().firewall.location, now);
    std::exchange(send, {})(std::move(response));
}

void Call::reply(control_plane::Answer<http::Response> answer) {
    reply(answer ? std::move(*answer) : problem_answer(answer.error()));
}

void Call::fail() { reply(problem_answer(arm::internal())); }

struct Api::Routes {
    control_plane::ControlPlane& control;
    const sign_in::Authenticator& authenticator;
    const Dependencies& dependencies;
    http::RateLimit rate_limit;

    void answer(const std::shared_ptr<Call>& call);
    void answer_to(control_plane::Answer<std::string> principal, const std::shared_ptr<Call>& call);
    static void answer_arm(const std::shared_ptr<Call>& call);
    static void answer_portcullis(const std::shared_ptr<Call>& call);
    /// After the checks that ARM makes before it looks for a handler's own.
    static void run(const std::shared_ptr<Call>& call, const Match& found);
    [[nodiscard]] http::Response stay_out(const control_plane::Problem& problem) const;
    [[nodiscard]] http::Response slow_down() const;
};

Api::Api(control_plane::ControlPlane& control, const sign_in::Authenticator& authenticator,
         const Dependencies& dependencies)
    : routes_(std::make_unique<Routes>(
          Routes{control, authenticator, dependencies, http::RateLimit{control.config().api.requests_per_minute}})) {}

Api::~Api() = default;

void Api::answer(http::Request request, captures::base::Time now, http::Reply reply) {
    try {
        routes_->control.tick(now);
        auto caller = anonymous_caller(request);
        auto call = std::make_shared<Call>(Call{routes_->control,
                                                routes_->dependencies,
                                                std::move(request),
                                                std::move(caller),
                                                now,
                                                {},
                                                {},
                                                std::move(reply),
                                                {}});
        try {
            routes_->answer(call);
        } catch (const std::exception&) {
            call->fail();
        }
    } catch (const std::exception&) {  // no memory, or no randomness
        reply(problem_answer(arm::internal()));
    }
}

void Api::Routes::answer(const std::shared_ptr<Call>& call) {
    auto principal = authenticator.principal_of(call->request.header("authorization"), call->now);
    const bool is_known = principal.has_value();
    const auto name = is_known ? *principal : http::peer_caller(call->request.peer);
    const bool allowed = rate_limit.allow(name, call->now);
    if (is_known && !is_ours(call->request)) {
        call->headers.emplace_back(remaining_header(call->request.method), std::to_string(rate_limit.remaining(name)));
    }
    if (!allowed) return call->reply(slow_down());
    answer_to(std::move(principal), call);
}

void Api::Routes::answer_to(control_plane::Answer<std::string> principal, const std::shared_ptr<Call>& call) {
    if (!principal) {
        control.audit().note_refusal(call->caller, method_of(call->request), path_of(call->request), principal.error(),
                                     call->now);
        return call->reply(stay_out(principal.error()));
    }
    call->caller.principal = std::move(*principal);
    call->api_version = call->request.parameter("api-version").value_or("");
    return is_ours(call->request) ? answer_portcullis(call) : answer_arm(call);
}

void Api::Routes::answer_arm(const std::shared_ptr<Call>& call) {
    if (call->api_version.empty()) return call->reply(problem_answer(arm::missing_api_version()));
    if (!is_api_version(call->api_version)) {
        return call->reply(problem_answer(arm::malformed_api_version(call->api_version)));
    }
    const auto found = match(arm_routes(), call->request.method, call->request.path);
    if (found) return run(call, *found);
    call->reply(problem_answer(nothing_there(call->request.path, call->api_version)));
}

void Api::Routes::answer_portcullis(const std::shared_ptr<Call>& call) {
    const auto found = match(portcullis_routes(), call->request.method, call->request.path);
    if (found) return run(call, *found);
    call->reply(problem_answer(arm::unknown_path()));
}

void Api::Routes::run(const std::shared_ptr<Call>& call, const Match& found) {
    if (found.route == nullptr) {
        auto response = problem_answer(arm::wrong_method(call->request.method, found.allowed));
        response.headers.emplace_back("Allow", found.allowed);
        return call->reply(std::move(response));
    }
    call->places = found.places;
    const auto& route = *found.route;
    if (!route.versions.empty() && !is_listed(call->api_version, route.versions)) {
        const auto& location = call->config().firewall.location;
        const auto asked = call->place("ascLocation");
        return call->reply(problem_answer(arm::unsupported(asked.empty() ? location : asked, call->api_version,
                                                           type_of(route.pattern), route.versions, location)));
    }
    if (const auto problem = wrong_subscription(*call)) return call->reply(problem_answer(*problem));
    route.handler(call);
}

http::Response Api::Routes::stay_out(const control_plane::Problem& problem) const {
    auto response = problem_answer(problem);
    response.headers.emplace_back(
        "WWW-Authenticate", R"(Bearer authorization_uri="https://login.windows.net/)" + control.config().api.tenant +
                                R"(", error="invalid_token", error_description=")" + problem.message + '"');
    return response;
}

http::Response Api::Routes::slow_down() const {
    const auto seconds = std::to_string(rate_limit.retry_after().count());
    auto response = problem_answer(arm::too_many_requests(seconds));
    response.headers.emplace_back("Retry-After", seconds);
    return response;
}

}  // namespace gateway::api
