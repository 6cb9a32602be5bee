#include "gateway/api/routes_live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/api/answers.hpp"
#include "gateway/api/json_live.hpp"
#include "gateway/api/json_text.hpp"
#include "gateway/api/parameters.hpp"
#include "gateway/live/live_gateway.hpp"
#include "policy/names.hpp"
#include "policy/role.hpp"

namespace gateway::api {

namespace {

constexpr std::uint64_t most_flows = 10'000;
constexpr std::uint64_t usual_flows = 1000;
constexpr std::uint64_t most_decisions = live::DecisionHistory::capacity;
constexpr std::uint64_t most_sequence = INT64_MAX;

/// Whether the caller may: 403 is told to the audit, too.
std::optional<control_plane::Problem> stopped(Call& call, std::string_view action) {
    const auto firewall = call.config().firewall.resource_id();
    auto problem = call.control.unauthorized(call.caller, action, firewall);
    if (problem) call.control.audit().note_refusal(call.caller, action, firewall, *problem, call.now);
    return problem;
}

/// Replies once the audit knows of it: within a second, but while the store takes no writes it must take this one.
void reply_noted(const std::shared_ptr<Call>& call, std::string_view action, std::string detail,
                 http::Response response) {
    auto& audit = call->control.audit();
    if (call->control.numbers().store_works) {
        audit.note_reading(call->caller, action, std::move(detail), call->now);
        return call->reply(std::move(response));
    }
    audit.note_change(call->caller, action, std::move(detail), call->now,
                      [call, response = std::move(response)](std::optional<control_plane::Problem> problem) {
                          call->reply(problem
                                          ? control_plane::Answer<http::Response>{tl::unexpected{std::move(*problem)}}
                                          : response);
                      });
}

/// For those who may.
control_plane::Answer<live::LiveGateway*> live_of(const Call& call) {
    if (call.dependencies.live != nullptr) return call.dependencies.live;
    return tl::unexpected{control_plane::Problem{
        409, "NoLiveGateway", "No packets move through this service: its configuration has no [live]."}};
}

control_plane::Problem data_plane_ended() {
    return {503, "DataPlaneEnded", "The data plane has ended; nothing is forwarded."};
}

std::optional<captures::base::Protocol> parse_protocol(std::string_view text) {
    if (policy::same_name(text, "tcp")) return captures::base::Protocol::tcp;
    if (policy::same_name(text, "udp")) return captures::base::Protocol::udp;
    return {};
}

std::optional<policy::Fate> parse_fate(std::string_view text) {
    for (const auto fate : {policy::Fate::forward, policy::Fate::drop, policy::Fate::ignore}) {
        if (policy::same_name(to_string(fate), text)) return fate;
    }
    return {};
}

std::optional<policy::Reason> parse_reason(std::string_view text) {
    const auto* const found = std::ranges::find(policy::reason_texts, text);
    if (found == policy::reason_texts.end()) return {};
    return static_cast<policy::Reason>(found - policy::reason_texts.begin());
}

std::optional<captures::packet::Side> parse_side(std::string_view text) {
    if (policy::same_name(text, "outside")) return captures::packet::Side::outside;
    if (policy::same_name(text, "inside")) return captures::packet::Side::inside;
    return {};
}

constexpr const char* no_prefix = "is no address or CIDR block, such as 198.51.100.0/24";
constexpr const char* no_protocol = "is neither tcp nor udp";

/// Takes parameters one after the other; the first that is wrong is what is answered.
class Reader {
public:
    explicit Reader(const Call& call) : call_{&call} {}

    template <class T, class Parse>
    void read(std::optional<T>& to, const char* name, Parse parse, const char* wanted) {
        take(to, parsed_parameter(*call_, name, parse, wanted));
    }
    void read_number(std::uint64_t& to, const char* name, std::uint64_t most) {
        take(to, number_parameter(*call_, name, to, most));
    }
    template <class T>
    void take(T& to, control_plane::Answer<T> answer) {
        if (answer) to = std::move(*answer);
        if (!answer && !problem_) problem_ = std::move(answer.error());
    }

    [[nodiscard]] std::optional<control_plane::Problem>& problem() noexcept { return problem_; }

private:
    const Call* call_;
    std::optional<control_plane::Problem> problem_;
};

}  // namespace

control_plane::Answer<http::Response> get_status(Call& call) {
    if (auto problem = stopped(call, policy::action::firewall_read)) return tl::unexpected{std::move(*problem)};
    if (auto problem = other_parameters(call, {})) return tl::unexpected{std::move(*problem)};
    const auto numbers = call.control.numbers();
    boost::json::object body{{"firewall", call.config().firewall.name},
                             {"time", arm_time(call.now)},
                             {"windowsOpen", numbers.open_windows},
                             {"storeWorks", numbers.store_works},
                             {"live", nullptr}};
    if (auto* const live = call.dependencies.live) {
        const auto status = live->status(live::LiveGateway::Detail::neighbours);
        if (!status) return tl::unexpected{data_plane_ended()};
        body["live"] = live_json(*status);
    }
    return json_answer(200, body);
}

void list_flows(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    if (auto problem = stopped(call, policy::action::flow_read)) return call.reply(tl::unexpected{std::move(*problem)});
    if (auto problem = other_parameters(call, {"client", "target", "port", "protocol", "window", "limit"})) {
        return call.reply(tl::unexpected{std::move(*problem)});
    }
    live::FlowFilter filter;
    std::uint64_t limit = usual_flows;
    std::uint64_t window = 0;
    Reader reader{call};
    reader.read(filter.client, "client", captures::base::Prefix::parse, no_prefix);
    reader.read(filter.target, "target", captures::base::Ipv4Address::parse, "is no address");
    reader.take(filter.port, port_parameter(call));
    reader.read(filter.protocol, "protocol", parse_protocol, no_protocol);
    reader.read_number(window, "window", INT64_MAX);
    reader.read_number(limit, "limit", most_flows);
    if (reader.problem()) return call.reply(tl::unexpected{std::move(*reader.problem())});
    if (call.request.parameter("window")) filter.window = window;
    filter.limit = static_cast<std::size_t>(limit) + 1;
    const auto live = live_of(call);
    if (!live) return call.reply(tl::unexpected{live.error()});
    auto views = (*live)->flows(filter);
    const bool more = views.size() > limit;
    if (more) views.pop_back();
    boost::json::array value;
    for (const auto& view : views) value.push_back(flow_json(view));
    reply_noted(shared, policy::action::flow_read, fmt::format("{} flows told", views.size()),
                json_answer(200, boost::json::object{{"value", std::move(value)}, {"more", more}}));
}

void end_flow(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    if (auto problem = stopped(call, policy::action::flow_delete))
        return call.reply(tl::unexpected{std::move(*problem)});
    const auto firewall = call.config().firewall.resource_id();
    const auto arrived = flow_body(call.request.body);
    if (!arrived)
        return call.reply(call.refuse(policy::action::flow_delete, firewall, arm::bad_content(arrived.error())));
    const auto live = live_of(call);
    if (!live) return call.reply(tl::unexpected{live.error()});
    const auto name = fmt::format("{} {} to {}", to_string(arrived->tuple.protocol), to_string(arrived->tuple.source),
                                  to_string(arrived->tuple.destination));
    call.control.audit().note_change(
        call.caller, policy::action::flow_delete, "to end " + name, call.now,
        [shared, live = *live, arrived = *arrived, name](std::optional<control_plane::Problem> problem) {
            if (problem) return shared->reply(tl::unexpected{std::move(*problem)});
            if (live->end_flow(arrived)) return shared->reply(json_answer(200, boost::json::object{{"ended", true}}));
            shared->reply(shared->refuse(policy::action::flow_delete, shared->config().firewall.resource_id(),
                                         {404, "FlowNotFound", "There is no flow " + name + '.'}));
        });
}

void list_decisions(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    if (auto problem = stopped(call, policy::action::decision_read))
        return call.reply(tl::unexpected{std::move(*problem)});
    if (auto problem = other_parameters(call,
                                        {"from", "limit", "fate", "reason", "side", "protocol", "address", "port"})) {
        return call.reply(tl::unexpected{std::move(*problem)});
    }
    live::DecisionFilter filter;
    std::uint64_t from = 0;
    std::uint64_t limit = most_decisions;
    Reader reader{call};
    reader.read_number(from, "from", most_sequence);
    reader.read_number(limit, "limit", most_decisions);
    reader.read(filter.fate, "fate", parse_fate, "is neither forward, drop nor ignore");
    reader.read(filter.reason, "reason", parse_reason, "is no reason; see docs/packet-path.md for them");
    reader.read(filter.side, "side", parse_side, "is neither outside nor inside");
    reader.read(filter.protocol, "protocol", parse_protocol, no_protocol);
    reader.read(filter.address, "address", captures::base::Prefix::parse, no_prefix);
    reader.take(filter.port, port_parameter(call));
    if (reader.problem()) return call.reply(tl::unexpected{std::move(*reader.problem())});
    const auto live = live_of(call);
    if (!live) return call.reply(tl::unexpected{live.error()});
    const auto seen = (*live)->recorder().decisions(from, filter, static_cast<std::size_t>(limit));
    std::string body = R"({"decisions":[)";
    for (const auto& decision : seen.decisions) {
        if (body.back() == '}') body += ',';
        append_watched(body, decision);
    }
    body += fmt::format(R"(],"next":{},"missed":{}}})", seen.next, seen.missed);
    http::Response response{200, {{"Content-Type", "application/json; charset=utf-8"}}, std::move(body)};
    if (from != 0) return call.reply(std::move(response));
    reply_noted(shared, policy::action::decision_read, "watches decisions", std::move(response));
}

void reload_configuration(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    if (auto problem = stopped(call, policy::action::firewall_write))
        return call.reply(tl::unexpected{std::move(*problem)});
    call.dependencies.reload(call.caller, [shared](const config::ReloadReport& report) {
        if (report.taken) return shared->reply(json_answer(200, reload_json(report)));
        control_plane::Problem problem{400, "InvalidConfiguration", {}};
        if (report.refusal.empty()) {
            problem.message = fmt::format("The configuration has {} mistakes; the old one stays.",
                                          report.findings.size());
        } else {
            problem.message = report.refusal;
            if (!shared->control.numbers().store_works) problem.status = 503;
            if (!shared->control.numbers().store_works) problem.code = "StoreUnavailable";
        }
        shared->control.audit().note_refusal(shared->caller, policy::action::firewall_write,
                                             shared->config().firewall.resource_id(), problem, shared->now);
        shared->reply(json_answer(problem.status, refused_reload_json(report, problem)));
    });
}

}  // namespace gateway::api
