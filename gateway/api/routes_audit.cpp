#include "gateway/api/routes_audit.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gateway/api/answers.hpp"
#include "gateway/api/arm_problems.hpp"
#include "gateway/api/http/text.hpp"
#include "gateway/api/json_activity.hpp"
#include "gateway/api/parameters.hpp"
#include "policy/names.hpp"

namespace gateway::api {

namespace {

constexpr std::size_t most_events = 1000;
constexpr std::size_t most_csv_lines = 10'000;
constexpr std::size_t most_csv_bytes = std::size_t{16} << 20U;

control_plane::Answer<std::optional<captures::base::Time>> time_parameter(const Call& call, const std::string& name) {
    const auto text = call.request.parameter(name);
    if (!text) return std::optional<captures::base::Time>{};
    const auto time = captures::base::parse_time(*text);
    if (time) return time;
    return tl::unexpected{arm::bad_request(name + ' ' + http::shown(*text) +
                                           " is not a time in RFC 3339 before 2262, such as 2026-01-31T09:30:00Z")};
}

std::string text_parameter(const Call& call, const std::string& name) {
    return std::string{call.request.parameter(name).value_or("")};
}

/// The filter of the query, without its limit.
control_plane::Answer<store::EventFilter> filter_of(const Call& call) {
    const auto from = time_parameter(call, "from");
    const auto to = time_parameter(call, "to");
    const auto start = page_start(call.request);
    if (!from) return tl::unexpected{from.error()};
    if (!to) return tl::unexpected{to.error()};
    if (!start) return tl::unexpected{start.error()};
    store::EventFilter filter;
    filter.machine = text_parameter(call, "machine");
    filter.caller = text_parameter(call, "principal");
    filter.from = *from;
    filter.to = *to;
    filter.newest_first = true;
    const auto* const end = start->data() + start->size();
    if (!start->empty() && std::from_chars(start->data(), end, filter.before).ptr != end) {
        return tl::unexpected{arm::bad_request("The $skiptoken is none that was given out here")};
    }
    return filter;
}

/// One event more than the limit was asked for.
http::Response activity_answer(const Call& call, std::vector<policy::AuditEvent>& events, bool is_csv,
                               std::size_t limit, std::size_t most_bytes) {
    std::size_t bytes = 0;
    for (const auto& event : events) bytes += store::text_size(event);
    const bool has_more = events.size() > limit || bytes >= most_bytes;
    if (events.size() > limit) events.resize(limit);
    if (is_csv) {
        return {200,
                {{"Content-Type", "text/csv; charset=utf-8"},
                 {"Content-Disposition", "attachment; filename=\"activity.csv\""}},
                activity_csv(events)};
    }
    boost::json::array value;
    for (const auto& event : events) value.push_back(activity_json(event));
    std::optional<std::string> last;
    if (has_more && !events.empty()) last = std::to_string(events.back().sequence);
    return json_answer(200, page_json(call.request, std::move(value), last));
}

}  // namespace

void list_activity(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    if (auto problem = other_parameters(call,
                                        {"machine", "principal", "from", "to", "limit", "format", "$skiptoken"})) {
        return call.reply(tl::unexpected{*problem});
    }
    const auto format = policy::to_lower(call.request.parameter("format").value_or("json"));
    if (format != "json" && format != "csv") {
        return call.reply(
            tl::unexpected{arm::bad_request("format " + http::shown(format) + " is neither json nor csv")});
    }
    const bool is_csv = format == "csv";
    auto filter = filter_of(call);
    if (!filter) return call.reply(tl::unexpected{filter.error()});
    const auto limit = number_parameter(call, "limit", is_csv ? most_csv_lines : page_size,
                                        is_csv ? most_csv_lines : most_events);
    if (!limit) return call.reply(tl::unexpected{limit.error()});
    filter->limit = static_cast<std::size_t>(*limit) + 1;
    if (is_csv) filter->most_bytes = most_csv_bytes;
    using Events = std::vector<policy::AuditEvent>;
    call.control.audit().activity(
        call.caller, *filter, call.now,
        Call::reply_with<Events>(
            shared, [&call, is_csv, limit = *limit, most_bytes = filter->most_bytes](Events& events) {
                return activity_answer(call, events, is_csv, static_cast<std::size_t>(limit), most_bytes);
            }));
}

void list_audit(const std::shared_ptr<Call>& shared) {
    auto& call = *shared;
    if (auto problem = other_parameters(call, {"after", "limit"})) return call.reply(tl::unexpected{*problem});
    const auto after = number_parameter(call, "after", 0, static_cast<std::uint64_t>(INT64_MAX));
    const auto limit = number_parameter(call, "limit", most_events, most_events);
    if (!after) return call.reply(tl::unexpected{after.error()});
    if (!limit) return call.reply(tl::unexpected{limit.error()});
    call.control.audit().chain(
        call.caller, *after, static_cast<std::size_t>(*limit), call.now,
        Call::reply_with<control_plane::AuditChain>(shared, [](const control_plane::AuditChain& chain) {
            boost::json::array value;
            for (const auto& event : chain.events) value.push_back(audit_json(event));
            const auto& head = chain.head;
            return json_answer(
                200,
                boost::json::object{{"value", std::move(value)},
                                    {"head", boost::json::object{{"sequence", head.sequence}, {"hash", head.hash}}}});
        }));
}

}  // namespace gateway::api
