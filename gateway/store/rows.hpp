#pragma once

#include <string>

#include "gateway/store/store.hpp"

// One struct a table: its columns as SQL has them, in the order of `columns`, and the way to and from our values: `take`
// overwrites all columns, and so needs no memory for most rows; `value` throws Fault where a column holds what this
// program never wrote.

namespace gateway::store {

struct RecordRow {
    long long id = 0;
    std::string request, requestor, machine, policy, justification;
    long long port = 0;
    std::string protocol, sources;
    long long start_time = 0;
    long long end_time = 0;
    std::string on_expiry, status, status_reason, listener;

    static constexpr const char* columns =
        "id, request, requestor, machine, policy, justification, port, protocol, sources, start_time, end_time, "
        "on_expiry, status, status_reason, listener";
    /// A record's request never changes, and so what is not named here leaves its index alone.
    static constexpr const char* write =
        "insert into records (id, request, requestor, machine, policy, justification, port, protocol, sources, "
        "start_time, end_time, on_expiry, status, status_reason, listener) "
        "values (:1, :2, :3, :4, :5, :6, :7, :8, :9, :10, :11, :12, :13, :14, :15) "
        "on conflict (id) do update set requestor = excluded.requestor, "
        "machine = excluded.machine, policy = excluded.policy, justification = excluded.justification, "
        "port = excluded.port, protocol = excluded.protocol, sources = excluded.sources, "
        "start_time = excluded.start_time, end_time = excluded.end_time, on_expiry = excluded.on_expiry, "
        "status = excluded.status, status_reason = excluded.status_reason, listener = excluded.listener";

    void take(const policy::AccessRecord& record);
    [[nodiscard]] policy::AccessRecord value() const;

    void each(auto&& exchange) {
        exchange(id), exchange(request), exchange(requestor), exchange(machine), exchange(policy);
        exchange(justification), exchange(port), exchange(protocol), exchange(sources), exchange(start_time);
        exchange(end_time), exchange(on_expiry), exchange(status), exchange(status_reason), exchange(listener);
    }
};

struct PolicyRow {
    std::string name_key, name, body;
    long long deleted = 0;
    long long changed = 0;
    std::string changed_by;

    static constexpr const char* columns = "name_key, name, body, deleted, changed, changed_by";
    static constexpr const char* write =
        "insert into policies (name_key, name, body, deleted, changed, changed_by) "
        "values (:1, :2, :3, :4, :5, :6) "
        "on conflict (name_key) do update set name = excluded.name, body = excluded.body, deleted = excluded.deleted, "
        "changed = excluded.changed, changed_by = excluded.changed_by";

    void take(const StoredPolicy& policy);
    [[nodiscard]] StoredPolicy value() const;

    void each(auto&& exchange) {
        exchange(name_key), exchange(name), exchange(body), exchange(deleted), exchange(changed), exchange(changed_by);
    }
};

struct MappedPortRow {
    std::string machine_key;
    long long port = 0;
    std::string machine, listener;

    static constexpr const char* columns = "machine_key, port, machine, listener";
    static constexpr const char* write =
        "insert into mapped_ports (machine_key, port, machine, listener) values (:1, :2, :3, :4) "
        "on conflict (machine_key, port) do update set machine = excluded.machine, listener = excluded.listener";

    void take(const policy::MappedPort& mapped);
    [[nodiscard]] policy::MappedPort value() const;

    void each(auto&& exchange) { exchange(machine_key), exchange(port), exchange(machine), exchange(listener); }
};

struct RequestRow {
    std::string id, client_key;
    long long time = 0;

    static constexpr const char* columns = "id, client_key, time";
    static constexpr const char* write = "insert into requests (id, client_key, time) values (:1, :2, :3)";

    void take(const StoredRequest& request);
    [[nodiscard]] StoredRequest value() const;

    void each(auto&& exchange) { exchange(id), exchange(client_key), exchange(time); }
};

struct EventRow {
    long long sequence = 0;
    long long time = 0;
    std::string operation, status, sub_status, caller, caller_address, resource, machine, correlation_id;
    std::string client_request_id, detail, hash;

    static constexpr const char* columns =
        "sequence, time, operation, status, sub_status, caller, caller_address, resource, machine, correlation_id, "
        "client_request_id, detail, hash";
    /// No event is ever written over.
    static constexpr const char* write =
        "insert into events (sequence, time, operation, status, sub_status, caller, caller_address, resource, machine, "
        "correlation_id, client_request_id, detail, hash) "
        "values (:1, :2, :3, :4, :5, :6, :7, :8, :9, :10, :11, :12, :13)";

    void take(const policy::AuditEvent& event);
    [[nodiscard]] policy::AuditEvent value() const;

    void each(auto&& exchange) {
        exchange(sequence), exchange(time), exchange(operation), exchange(status), exchange(sub_status);
        exchange(caller), exchange(caller_address), exchange(resource), exchange(machine), exchange(correlation_id);
        exchange(client_request_id), exchange(detail), exchange(hash);
    }
};

/// Time as a column has it: nanoseconds since 1970.
[[nodiscard]] constexpr long long to_column(captures::base::Time time) noexcept {
    return time.time_since_epoch().count();
}

}  // namespace gateway::store
