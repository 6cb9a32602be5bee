#include "gateway/store/rows.hpp"

#include <array>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "gateway/store/fault.hpp"
#include "gateway/store/policy_json.hpp"
#include "policy/names.hpp"

namespace gateway::store {

namespace {

/// What stands there may be a client's text, and is not told.
[[noreturn]] void refuse(std::string_view column) {
    throw Fault{Fault::Kind::damaged, fmt::format("a column {} has what cannot be there", column)};
}

captures::base::Time to_time(long long column) { return captures::base::Time{captures::base::Duration{column}}; }

template <class Number>
Number to_number(std::string_view column, long long value) {
    if (!std::in_range<Number>(value)) refuse(column);
    return static_cast<Number>(value);
}

/// The enumerator that `to_string` gives as `text`.
template <class Enum, std::size_t count>
Enum to_enum(std::string_view column, std::string_view text, const std::array<Enum, count>& all) {
    for (const auto value : all) {
        if (to_string(value) == text) return value;
    }
    refuse(column);
}

constexpr std::array statuses = {policy::Status::initiating, policy::Status::initiated, policy::Status::revoked};
constexpr std::array reasons = {policy::StatusReason::user_requested, policy::StatusReason::expired,
                                policy::StatusReason::newer_request_initiated};

std::string to_column(const std::optional<captures::base::Endpoint>& listener) {
    return listener ? captures::base::to_string(*listener) : std::string{};
}

captures::base::Endpoint to_endpoint(std::string_view text) {
    const auto endpoint = captures::base::Endpoint::parse(text);
    if (!endpoint) refuse("listener");
    return *endpoint;
}

}  // namespace

void RecordRow::take(const policy::AccessRecord& record) {
    id = static_cast<long long>(record.id);
    request = record.request;
    requestor = record.requestor;
    machine = record.machine;
    policy = record.policy;
    justification = record.justification;
    port = record.port;
    protocol = protocol_text(record.protocol);
    start_time = to_column(record.start);
    end_time = to_column(record.end);
    on_expiry = on_expiry_text(record.on_expiry);
    status = policy::to_string(record.status);
    status_reason = policy::to_string(record.status_reason);
    listener = to_column(record.listener);
    sources.clear();
    for (const auto& source : record.sources) {
        if (!sources.empty()) sources += ',';
        sources += captures::base::to_string(source);
    }
}

policy::AccessRecord RecordRow::value() const {
    policy::AccessRecord record{.id = to_number<policy::WindowId>("id", id),
                                .request = request,
                                .requestor = requestor,
                                .machine = machine,
                                .policy = policy,
                                .justification = justification,
                                .port = to_number<std::uint16_t>("port", port),
                                .protocol = {},
                                .sources = {},
                                .start = to_time(start_time),
                                .end = to_time(end_time),
                                .on_expiry = {},
                                .status = to_enum("status", status, statuses),
                                .status_reason = to_enum("status_reason", status_reason, reasons),
                                .listener = {}};
    if (!read_protocol(protocol, record.protocol)) refuse("protocol");
    if (!read_on_expiry(on_expiry, record.on_expiry)) refuse("on_expiry");
    if (!listener.empty()) record.listener = to_endpoint(listener);
    for (std::string_view rest = sources; !rest.empty();) {
        const auto comma = rest.find(',');
        const auto source = captures::base::Prefix::parse(rest.substr(0, comma));
        if (!source) refuse("sources");
        record.sources.push_back(*source);
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    return record;
}

void PolicyRow::take(const StoredPolicy& policy) {
    name_key = policy::to_lower(policy.policy.name);
    name = policy.policy.name;
    body = to_json(policy.policy);
    deleted = policy.deleted ? 1 : 0;
    changed = to_column(policy.changed);
    changed_by = policy.by;
}

StoredPolicy PolicyRow::value() const {
    auto policy = from_json(body);
    if (!policy) refuse("body");
    policy->name = name;
    return {.policy = std::move(*policy), .deleted = deleted != 0, .changed = to_time(changed), .by = changed_by};
}

void MappedPortRow::take(const policy::MappedPort& mapped) {
    machine_key = policy::to_lower(mapped.machine);
    port = mapped.port;
    machine = mapped.machine;
    listener = captures::base::to_string(mapped.listener);
}

policy::MappedPort MappedPortRow::value() const {
    return {.machine = machine, .port = to_number<std::uint16_t>("port", port), .listener = to_endpoint(listener)};
}

void RequestRow::take(const StoredRequest& request) {
    id = request.id;
    client_key = request.client_key;
    time = to_column(request.time);
}

StoredRequest RequestRow::value() const { return {.id = id, .client_key = client_key, .time = to_time(time)}; }

void EventRow::take(const policy::AuditEvent& event) {
    sequence = static_cast<long long>(event.sequence);
    time = to_column(event.time);
    operation = event.operation;
    status = event.status;
    sub_status = event.sub_status;
    caller = event.caller;
    caller_address = event.caller_address;
    resource = event.resource;
    machine = event.machine;
    correlation_id = event.correlation_id;
    client_request_id = event.client_request_id;
    detail = event.detail;
    hash = event.hash;
}

policy::AuditEvent EventRow::value() const {
    return {.sequence = static_cast<std::uint64_t>(sequence),
            .time = to_time(time),
            .operation = operation,
            .status = status,
            .sub_status = sub_status,
            .caller = caller,
            .caller_address = caller_address,
            .resource = resource,
            .machine = machine,
            .correlation_id = correlation_id,
            .client_request_id = client_request_id,
            .detail = detail,
            .hash = hash};
}

}  // namespace gateway::store
