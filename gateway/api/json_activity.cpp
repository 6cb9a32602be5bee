#include "gateway/api/json_activity.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "gateway/api/http/text.hpp"
#include "gateway/api/json_text.hpp"
#include "policy/names.hpp"

namespace gateway::api {

namespace {

/// How the portal calls an operation.
std::string_view display_name(std::string_view operation) noexcept {
    constexpr std::string_view policies = "Microsoft.Security/locations/jitNetworkAccessPolicies/";
    constexpr auto names = std::to_array<std::pair<std::string_view, std::string_view>>({
        {"initiate/action", "Initiate JIT Network Access Policy"},
        {"write", "Create or Update JIT Network Access Policy"},
        {"delete", "Delete JIT Network Access Policy"},
        {"read", "Get JIT Network Access Policy"},
        {"extend/action", "Extend JIT Network Access"},
        {"revoke/action", "Revoke JIT Network Access"},
        {"expire/action", "Expire JIT Network Access"},
    });
    if (!policy::same_name(operation.substr(0, policies.size()), policies)) return operation;
    for (const auto& [ending, name] : names) {
        if (policy::same_name(operation.substr(policies.size()), ending)) return name;
    }
    return operation;
}

std::string_view level(const policy::AuditEvent& event) noexcept {
    return event.status == "Failed" ? "Error" : "Informational";
}

/// The segment of a resource id after the one named `name`.
std::string_view segment_after(std::string_view id, std::string_view name) noexcept {
    while (!id.empty()) {
        const auto end = std::min(id.find('/', 1), id.size());
        const auto segment = id.substr(1, end - 1);
        id.remove_prefix(end);
        if (policy::same_name(segment, name) && !id.empty()) return id.substr(1, id.find('/', 1) - 1);
    }
    return {};
}

/// `Microsoft.Security/locations/jitNetworkAccessPolicies`: the provider, and every other segment after it.
std::string resource_type(std::string_view id) {
    constexpr std::string_view marker = "/providers/";
    const auto lower = policy::to_lower(id);
    const auto at = lower.rfind(marker);
    if (at == std::string::npos) return {};
    id.remove_prefix(at + marker.size());
    std::string type{id.substr(0, id.find('/'))};
    bool is_type = true;
    for (auto slash = id.find('/'); slash != std::string_view::npos; is_type = !is_type) {
        const auto next = id.find('/', slash + 1);
        if (is_type) type.append(id.substr(slash, next == std::string_view::npos ? next : next - slash));
        slash = next;
    }
    return type;
}

boost::json::object named(std::string_view value, std::string_view shown_as) {
    return {{"value", json_text(value)}, {"localizedValue", json_text(shown_as)}};
}

std::string csv_field(std::string_view text) {
    const bool is_formula = !text.empty() && std::string_view{"=+-@\t\r"}.find(text.front()) != std::string_view::npos;
    std::string field = is_formula ? "'" : "";
    field += text;
    if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
    std::string quoted{'"'};
    for (const char letter : field) {
        if (letter == '"') quoted += '"';
        quoted += letter;
    }
    return quoted + '"';
}

}  // namespace

boost::json::object activity_json(const policy::AuditEvent& event) {
    const auto name = display_name(event.operation);
    const auto type = resource_type(event.resource);
    const auto time = arm_time(event.time);
    return {{"authorization", boost::json::object{{"action", event.operation}, {"scope", event.resource}}},
            {"caller", event.caller},
            {"category", named("Administrative", "Administrative")},
            {"correlationId", event.correlation_id},
            {"eventDataId", http::guid_of(http::sha256(event.hash))},
            {"eventTimestamp", time},
            {"httpRequest", boost::json::object{{"clientRequestId", event.client_request_id},
                                                {"clientIpAddress", event.caller_address}}},
            {"level", json_text(level(event))},
            {"operationId", event.correlation_id},
            {"operationName", named(event.operation, name)},
            {"properties",
             boost::json::object{{"message", event.detail}, {"machine", event.machine}, {"sequence", event.sequence}}},
            {"resourceGroupName", json_text(segment_after(event.resource, "resourceGroups"))},
            {"resourceId", event.resource},
            {"resourceType", named(type, type)},
            {"status", named(event.status, event.status)},
            {"subStatus", named(event.sub_status, event.sub_status)},
            {"submissionTimestamp", time},
            {"subscriptionId", json_text(segment_after(event.resource, "subscriptions"))}};
}

boost::json::object audit_json(const policy::AuditEvent& event) {
    return {{"sequence", event.sequence},
            {"time", captures::base::to_rfc3339(event.time)},
            {"operation", event.operation},
            {"status", event.status},
            {"subStatus", event.sub_status},
            {"caller", event.caller},
            {"callerAddress", event.caller_address},
            {"resource", event.resource},
            {"machine", event.machine},
            {"correlationId", event.correlation_id},
            {"clientRequestId", event.client_request_id},
            {"detail", event.detail},
            {"hash", event.hash}};
}

std::string activity_csv(std::span<const policy::AuditEvent> events) {
    std::string csv =
        "Correlation id,Operation name,Status,Event category,Level,Time,Subscription,Event initiated by,Resource type,"
        "Resource group,Resource\r\n";
    for (const auto& event : events) {
        const std::array<std::string, 11> fields{event.correlation_id,
                                                 std::string{display_name(event.operation)},
                                                 event.status,
                                                 "Administrative",
                                                 std::string{level(event)},
                                                 arm_time(event.time),
                                                 std::string{segment_after(event.resource, "subscriptions")},
                                                 event.caller,
                                                 resource_type(event.resource),
                                                 std::string{segment_after(event.resource, "resourceGroups")},
                                                 event.resource};
        for (std::size_t at = 0; at < fields.size(); ++at) csv += (at > 0 ? "," : "") + csv_field(fields[at]);
        csv += "\r\n";
    }
    return csv;
}

}  // namespace gateway::api
