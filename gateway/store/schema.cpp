#include "gateway/store/schema.hpp"

#include <array>
#include <cstddef>

#include <fmt/format.h>
#include <soci/soci.h>

#include "gateway/store/fault.hpp"

namespace gateway::store {

namespace {

/// In the header of the file (SQLite's application_id): "Ptcl".
constexpr int application_id = 0x5074636c;

// Integers are of 64 bits, times in nanoseconds since 1970. Sources, protocols and endpoints are text as
// captures::base::to_string has it, empty for none. Names are kept as given; where they are keys, beside their lower case.
constexpr auto first = std::to_array<const char*>({
    "create table records ("
    " id integer primary key, request text not null, requestor text not null, machine text not null,"
    " policy text not null, justification text not null, port integer not null, protocol text not null,"
    " sources text not null, start_time integer not null, end_time integer not null, on_expiry text not null,"
    " status text not null, status_reason text not null, listener text not null)",
    "create index records_by_request on records (request)",
    "create index records_by_end on records (status, end_time)",
    "create table requests (id text primary key, client_key text not null, time integer not null)",
    "create index requests_by_time on requests (time)",
    "create table policies ("
    " name_key text primary key, name text not null, body text not null, deleted integer not null,"
    " changed integer not null, changed_by text not null)",
    "create table mapped_ports ("
    " machine_key text not null, port integer not null, machine text not null, listener text not null,"
    " primary key (machine_key, port))",
    "create table events ("
    " sequence integer primary key, time integer not null, operation text not null, status text not null,"
    " sub_status text not null, caller text not null, caller_address text not null, resource text not null,"
    " machine text not null, correlation_id text not null, client_request_id text not null, detail text not null,"
    " hash text not null)",
    "create index events_times on events (sequence, time)",
    "create index events_by_machine on events (lower(machine), sequence, time)",
    "create index events_by_caller on events (lower(caller), sequence, time)",
});

// What a request writes is a page of each table and of each index, and soon after a page to copy from the log. On opening the whole
// file is read anyway, so times need no index; requests are kept where their key is looked for.
constexpr auto second = std::to_array<const char*>({
    "drop index records_by_end",
    "create table requests_by_id (id text primary key, client_key text not null, time integer not null) without rowid",
    "insert into requests_by_id select id, client_key, time from requests",
    "drop table requests",
    "alter table requests_by_id rename to requests",
});

constexpr std::array<Migration, 2> steps = {first, second};

long long number(soci::session& session, const char* query) {
    long long value = 0;
    session << query, soci::into(value);
    return value;
}

/// 0 for an empty file.
std::size_t version_of(soci::session& session) {
    const auto version = number(session, "pragma user_version");
    const auto application = number(session, "pragma application_id");
    if (application == application_id && version > 0) return static_cast<std::size_t>(version);
    if (application == 0 && version == 0 && number(session, "select count(*) from sqlite_master") == 0) return 0;
    throw Fault{Fault::Kind::damaged, "it is another program's database"};
}

void take(soci::session& session, std::size_t version, Migration step) {
    session << "begin immediate";
    try {
        for (const auto* statement : step) session << statement;
        session << fmt::format("pragma application_id = {}", application_id);
        session << fmt::format("pragma user_version = {}", version);
        session << "commit";
    } catch (...) {
        try {
            session << "rollback";
        } catch (const soci::soci_error&) {  // SQLite may have rolled back
        }
        throw;
    }
}

}  // namespace

std::span<const Migration> schema() noexcept { return steps; }

void migrate(soci::session& session, std::span<const Migration> migrations) {
    const auto version = version_of(session);
    if (version > migrations.size()) {
        throw Fault{Fault::Kind::too_new,
                    fmt::format("its schema is version {}, this one knows {}", version, migrations.size())};
    }
    for (auto next = version; next < migrations.size(); ++next) take(session, next + 1, migrations[next]);
}

}  // namespace gateway::store
