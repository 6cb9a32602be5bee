#include "gateway/store/sqlite_store.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <soci/soci.h>

#include "gateway/store/database_file.hpp"
#include "gateway/store/fault.hpp"
#include "gateway/store/rows.hpp"
#include "gateway/store/statements.hpp"
#include "policy/names.hpp"

namespace gateway::store {

namespace {

/// As SQL, whose integers have a sign.
long long to_column(std::uint64_t number) {
    return static_cast<long long>(std::min(number, static_cast<std::uint64_t>(std::numeric_limits<long long>::max())));
}

template <class Row>
std::string select(const char* table, const Conditions& conditions, const char* order) {
    return fmt::format("select {} from {}{} {}", Row::columns, table, conditions.text(), order);
}

struct RowWriters {
    explicit RowWriters(soci::session& session)
        : records{session}, policies{session}, mapped_ports{session}, requests{session}, events{session} {}

    RowWriter<RecordRow> records;
    RowWriter<PolicyRow> policies;
    RowWriter<MappedPortRow> mapped_ports;
    RowWriter<RequestRow> requests;
    RowWriter<EventRow> events;
};

}  // namespace

struct SqliteStore::Database {
    explicit Database(const std::string& path) : file{path} {
        writers.emplace(file.session());
        auto newest = read<EventRow>(
            file.session(), fmt::format("select {} from events order by sequence desc limit 1", EventRow::columns));
        if (!newest.empty()) head = {.sequence = newest.front().sequence, .hash = std::move(newest.front().hash)};
    }

    /// What `operation` returns; nothing is left of it where it throws.
    template <class Operation>
    auto attempt(Operation&& operation) -> tl::expected<decltype(operation()), StoreError> {
        errno = 0;
        try {
            if constexpr (std::is_void_v<decltype(operation())>) {
                operation();
                return {};
            } else {
                return operation();
            }
        } catch (const std::exception&) {
            const auto fault = current_fault();
            writers.reset();  // SOCI leaves a statement that failed unusable
            file.roll_back();
            return tl::unexpected{error_of(fault, file.path())};
        }
    }

    void write(const Commit& commit) {
        file.prepare_commit();
        if (!writers) writers.emplace(file.session());
        file.session() << "begin immediate";
        writers->records.write(commit.records);
        writers->policies.write(commit.policies);
        writers->mapped_ports.write(commit.mapped_ports);
        writers->requests.write(commit.requests);
        writers->events.write(commit.events);
        file.session() << "commit";
    }

    /// Lets the events follow on the head.
    void chain(std::vector<policy::AuditEvent>& events) const {
        const auto* previous = &head.hash;
        auto sequence = head.sequence;
        for (auto& event : events) {
            event.sequence = ++sequence;
            event.hash = policy::chain_hash(event, *previous);
            if (event.hash.empty()) throw Fault{Fault::Kind::unavailable, "an event could not be hashed"};
            previous = &event.hash;
        }
    }

    DatabaseFile file;
    std::optional<RowWriters> writers;  ///< after the session that they belong to
    ChainPoint head{.sequence = 0, .hash = policy::first_hash()};
};

tl::expected<std::unique_ptr<Store>, StoreError> Store::open(const std::string& url) {
    constexpr std::string_view scheme = "sqlite:";
    if (url.starts_with(scheme) && url.size() > scheme.size()) return SqliteStore::open(url.substr(scheme.size()));
    return tl::unexpected{StoreError{StoreError::Kind::unavailable, url + " is no store: write sqlite:PATH"}};
}

tl::expected<std::unique_ptr<Store>, StoreError> SqliteStore::open(const std::string& path) {
    try {
        return std::unique_ptr<Store>{new SqliteStore{std::make_unique<Database>(path)}};
    } catch (const std::exception&) {
        return tl::unexpected{error_of(current_fault(), path)};
    }
}

SqliteStore::SqliteStore(std::unique_ptr<Database> database) : database_{std::move(database)} {}
SqliteStore::~SqliteStore() = default;

tl::expected<Snapshot, StoreError> SqliteStore::load(captures::base::Time since) {
    return database_->attempt([&] {
        auto& session = database_->file.session();
        const auto time = to_column(since);
        Conditions current;
        current.add("(status in ('Initiating', 'Initiated') or (status = 'Revoked' and end_time > :since))", time);
        Conditions recent;
        recent.add("time >= :since", time);

        Snapshot snapshot;
        snapshot.records = read<RecordRow>(session, select<RecordRow>("records", current, "order by id"), current);
        long long last_id = 0;
        session << "select coalesce(max(id), 0) from records", soci::into(last_id);
        snapshot.last_id = static_cast<policy::WindowId>(std::max(last_id, 0LL));
        snapshot.policies = read<PolicyRow>(session, select<PolicyRow>("policies", {}, "order by name_key"));
        snapshot.mapped_ports = read<MappedPortRow>(
            session, select<MappedPortRow>("mapped_ports", {}, "order by machine_key, port"));
        snapshot.requests = read<RequestRow>(session, select<RequestRow>("requests", recent, "order by time, id"),
                                             recent);
        return snapshot;
    });
}

tl::expected<void, StoreError> SqliteStore::commit(Commit& commit) {
    if (auto kept = check(commit); !kept) return kept;
    auto& events = commit.events;
    auto written = database_->attempt([&] {
        database_->chain(events);
        database_->write(commit);
        if (!events.empty()) database_->head = {.sequence = events.back().sequence, .hash = events.back().hash};
    });
    if (written) return written;
    for (auto& event : events) {
        event.sequence = 0;
        event.hash.clear();
    }
    return written;
}

tl::expected<std::vector<policy::AuditEvent>, StoreError> SqliteStore::events(const EventFilter& filter) {
    const auto machine = policy::to_lower(filter.machine);
    const auto caller = policy::to_lower(filter.caller);
    const auto from = to_column(filter.from.value_or(captures::base::Time{}));
    const auto to = to_column(filter.to.value_or(captures::base::Time{}));
    const auto after = to_column(filter.after);
    const auto before = to_column(filter.before);
    const auto limit = to_column(filter.limit);
    Conditions wanted;
    if (!machine.empty()) wanted.add("lower(machine) = :machine", machine);
    if (!caller.empty()) wanted.add("lower(caller) = :caller", caller);
    if (filter.from) wanted.add("time >= :from", from);
    if (filter.to) wanted.add("time < :to", to);
    if (after > 0) wanted.add("sequence > :after", after);
    if (before > 0) wanted.add("sequence < :before", before);
    const auto* order = filter.newest_first ? "order by sequence desc" : "order by sequence";
    // The inner query finds the numbers in an index alone, and only those within the limit are read whole.
    const auto query = fmt::format(
        "select {} from events where sequence in (select sequence from events{} {} limit {}) {}", EventRow::columns,
        wanted.text(), order, limit, order);
    std::size_t bytes = 0;
    const auto is_enough = [&](const policy::AuditEvent& event) {
        bytes += text_size(event);
        return bytes >= filter.most_bytes;
    };
    return database_->attempt([&] { return read<EventRow>(database_->file.session(), query, wanted, is_enough); });
}

void SqliteStore::maintain() noexcept { database_->file.copy_log(); }

const ChainPoint& SqliteStore::head() const noexcept { return database_->head; }

}  // namespace gateway::store
