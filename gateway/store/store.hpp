#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "policy/access_record.hpp"
#include "policy/audit.hpp"
#include "policy/jit_policy.hpp"
#include "policy/mapped_ports.hpp"

namespace gateway::store {

/// Why something is not on disk. `message` says what, where and how to mend it.
struct StoreError {
    enum class Kind : std::uint8_t { full, read_only, in_use, too_new, damaged, unavailable };
    Kind kind = Kind::unavailable;
    std::string message;
};

/// A policy that was set or deleted through the API: it stands in the place of the configuration's of that name.
struct StoredPolicy {
    policy::JitPolicy policy;  ///< of a deleted one only the name
    bool deleted = false;
    captures::base::Time changed;
    std::string by;
};

/// A request that was approved, to be known again when its client repeats it. `client_key` is empty where the client
/// gave no id.
struct StoredRequest {
    std::string id;
    std::string client_key;
    captures::base::Time time;
};

/// What is written together, or not at all. Records and policies replace those of the same id (name, without regard to case);
/// the request that a record came by stays.
struct Commit {
    std::vector<policy::AccessRecord> records;
    std::vector<StoredPolicy> policies;
    std::vector<policy::MappedPort> mapped_ports;
    std::vector<StoredRequest> requests;
    std::vector<policy::AuditEvent> events;  ///< sequence and hash are filled in by `commit`
};

/// What a service needs to go on where the last one ended.
struct Snapshot {
    std::vector<policy::AccessRecord> records;  ///< in the order of their ids: open, or ended after `since`
    policy::WindowId last_id = 0;               ///< of all records ever
    std::vector<StoredPolicy> policies;
    std::vector<policy::MappedPort> mapped_ports;
    std::vector<StoredRequest> requests;  ///< since `since`
};

/// Which events; empty fields do not filter. Texts compare without regard to case.
struct EventFilter {
    std::string machine;
    std::string caller;
    std::optional<captures::base::Time> from;  ///< included
    std::optional<captures::base::Time> to;    ///< excluded
    std::uint64_t after = 0;                   ///< only sequences above
    std::uint64_t before = 0;                  ///< only sequences below; 0: all
    bool newest_first = false;
    std::size_t limit = 1000;
    std::size_t most_bytes = std::size_t{1} << 20U;  ///< of all their texts: the event that reaches it is the last
};

/// The bytes of an event's texts.
[[nodiscard]] std::size_t text_size(const policy::AuditEvent& event) noexcept;

/// Requests, policies and the audit chain on disk.
///
/// Theory of operation. One SQLite file through SOCI, in WAL mode with full synchronisation: when `commit` returns, the
/// transaction has been synced, and a crash at any moment leaves all of it or nothing. The file is locked
/// exclusively while it is open, so that a second process is refused, this program or another. The schema has a
/// version; older ones are migrated on opening, each step in a transaction, newer ones refused. Statements are plain
/// SQL that PostgreSQL takes, too.
///
/// What a commit waits for is one sync of the log. A thread of its own copies the log into the file (see Checkpointer),
/// and `maintain` lengthens the log ahead, for a file that grows takes a sync more.
///
/// No exception leaves it. After an error the store stays usable: the next commit may succeed (somebody made room).
class Store {
public:
    /// `url`: `sqlite:PATH`, created with mode 0600 where it does not exist.
    [[nodiscard]] static tl::expected<std::unique_ptr<Store>, StoreError> open(const std::string& url);
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    ~Store();

    [[nodiscard]] tl::expected<Snapshot, StoreError> load(captures::base::Time since);

    /// On success the events carry their sequence and hash.
    [[nodiscard]] tl::expected<void, StoreError> commit(Commit& commit);

    [[nodiscard]] tl::expected<std::vector<policy::AuditEvent>, StoreError> events(const EventFilter& filter);

    /// Once a second: does what keeps a commit at one sync, while few commits are made.
    void maintain() noexcept;

    /// The newest event's sequence and hash; 0 and `first_hash()` where there is none.
    struct Head {
        std::uint64_t sequence = 0;
        std::string hash;
    };
    [[nodiscard]] const Head& head() const noexcept;

private:
    struct Database;
    explicit Store(std::unique_ptr<Database> database);

    std::unique_ptr<Database> database_;
};

}  // namespace gateway::store
