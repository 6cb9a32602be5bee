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

/// Why something is not on disk. `message` says what, where and how to mend it, without anything that a client wrote.
struct StoreError {
    enum class Kind : std::uint8_t { full, read_only, in_use, too_new, damaged, malformed, unavailable };
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

/// The newest event of a chain, or the one before its oldest: 0 and `first_hash()` where there is none.
struct ChainPoint {
    std::uint64_t sequence = 0;
    std::string hash;
};

/// Requests, policies and the audit chain, kept for good.
///
/// When `commit` returns, all of it is on disk, and a crash at any moment leaves all of a commit or nothing. Nobody else writes
/// what a store has open. Texts are UTF-8 without NUL: see `check`.
///
/// No exception leaves it. After an error the store stays usable: the next commit may succeed (somebody made room).
/// For one thread at a time; a service has a Writer for that.
class Store {
public:
    /// `url`: `sqlite:PATH`, created with mode 0600 where it does not exist.
    [[nodiscard]] static tl::expected<std::unique_ptr<Store>, StoreError> open(const std::string& url);
    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    virtual ~Store() = default;

    [[nodiscard]] virtual tl::expected<Snapshot, StoreError> load(captures::base::Time since) = 0;

    /// On success the events carry their sequence and hash.
    [[nodiscard]] virtual tl::expected<void, StoreError> commit(Commit& commit) = 0;

    [[nodiscard]] virtual tl::expected<std::vector<policy::AuditEvent>, StoreError> events(
        const EventFilter& filter) = 0;

    /// Does what keeps commits quick, as long as it takes: for moments when nobody waits. Errors show in a later commit.
    virtual void maintain() noexcept = 0;

    [[nodiscard]] virtual const ChainPoint& head() const noexcept = 0;
};

/// Why a commit cannot be kept: a text of it is not UTF-8, or has a NUL. It is refused whole, and what is written together with
/// it is not.
[[nodiscard]] tl::expected<void, StoreError> check(const Commit& commit);

/// Adds all that is in one to the other.
void append(Commit& to, Commit from);
[[nodiscard]] bool is_empty(const Commit& commit) noexcept;

}  // namespace gateway::store
