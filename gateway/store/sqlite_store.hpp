#pragma once

#include <memory>
#include <string>

#include "gateway/store/store.hpp"

namespace gateway::store {

/// A store in an SQLite file, through SOCI. The schema has a version; older ones are migrated on opening, each step in a
/// transaction, newer ones refused. What is SQLite's own way to say things stands in database_file and schema; all other
/// statements are SQL that PostgreSQL takes, too.
class SqliteStore final : public Store {
public:
    [[nodiscard]] static tl::expected<std::unique_ptr<Store>, StoreError> open(const std::string& path);
    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;
    ~SqliteStore() override;

    [[nodiscard]] tl::expected<Snapshot, StoreError> load(captures::base::Time since) override;
    [[nodiscard]] tl::expected<void, StoreError> commit(Commit& commit) override;
    [[nodiscard]] tl::expected<std::vector<policy::AuditEvent>, StoreError> events(const EventFilter& filter) override;
    void maintain() noexcept override;
    [[nodiscard]] const ChainPoint& head() const noexcept override;

private:
    struct Database;
    explicit SqliteStore(std::unique_ptr<Database> database);

    std::unique_ptr<Database> database_;
};

}  // namespace gateway::store
