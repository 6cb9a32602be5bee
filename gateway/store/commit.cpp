#include "gateway/store/store.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "captures/base/utf8.hpp"

namespace gateway::store {

namespace {

bool is_text(std::string_view text) noexcept {
    return text.find('\0') == std::string_view::npos && captures::base::is_utf8(text);
}

template <class... Texts>
bool are_texts(const Texts&... texts) noexcept {
    return (is_text(texts) && ...);
}

bool is_kept(const policy::AccessRecord& record) noexcept {
    return are_texts(record.request, record.requestor, record.machine, record.policy, record.justification);
}

bool is_kept(const StoredPolicy& stored) noexcept {
    const auto has_name = [](const policy::JitMachine& machine) { return is_text(machine.name); };
    return are_texts(stored.policy.name, stored.by) && std::ranges::all_of(stored.policy.machines, has_name);
}

bool is_kept(const policy::MappedPort& mapped) noexcept { return is_text(mapped.machine); }

bool is_kept(const StoredRequest& request) noexcept { return are_texts(request.id, request.client_key); }

bool is_kept(const policy::AuditEvent& event) noexcept {
    return are_texts(event.operation, event.status, event.sub_status, event.caller, event.caller_address,
                     event.resource, event.machine, event.correlation_id, event.client_request_id, event.detail);
}

}  // namespace

tl::expected<void, StoreError> check(const Commit& commit) {
    const auto all = [](const auto& values) {
        return std::ranges::all_of(values, [](const auto& one) { return is_kept(one); });
    };
    if (all(commit.records) && all(commit.policies) && all(commit.mapped_ports) && all(commit.requests) &&
        all(commit.events)) {
        return {};
    }
    return tl::unexpected{
        StoreError{StoreError::Kind::malformed, "a text that is not UTF-8, or has a NUL, is not kept"}};
}

void append(Commit& to, Commit from) {
    const auto add = [](auto& parts, auto& more) { std::ranges::move(more, std::back_inserter(parts)); };
    add(to.records, from.records);
    add(to.policies, from.policies);
    add(to.mapped_ports, from.mapped_ports);
    add(to.requests, from.requests);
    add(to.events, from.events);
}

bool is_empty(const Commit& commit) noexcept {
    return commit.records.empty() && commit.policies.empty() && commit.mapped_ports.empty() &&
           commit.requests.empty() && commit.events.empty();
}

std::size_t text_size(const policy::AuditEvent& event) noexcept {
    return event.operation.size() + event.status.size() + event.sub_status.size() + event.caller.size() +
           event.caller_address.size() + event.resource.size() + event.machine.size() + event.correlation_id.size() +
           event.client_request_id.size() + event.detail.size() + event.hash.size();
}

}  // namespace gateway::store
