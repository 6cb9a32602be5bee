#pragma once

#include <span>

namespace soci {
class session;
}

namespace gateway::store {

/// The statements that lead from one version to the next.
using Migration = std::span<const char* const>;

/// The way from an empty file (version 0) to the version of this build, which is its length. A step that was released is
/// never changed; a new one is added behind it.
[[nodiscard]] std::span<const Migration> schema() noexcept;

/// Brings the file to the last of `migrations`, each step in a transaction. Throws Fault where the file is newer or
/// another program's, and soci_error; the file then has the version that it had before the step that failed.
void migrate(soci::session& session, std::span<const Migration> migrations);

}  // namespace gateway::store
