#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <soci/soci.h>

#include "gateway/store/checkpointer.hpp"
#include "gateway/store/file_identity.hpp"

namespace gateway::store {

/// The file behind a store, locked for as long as this lives. Throws Fault and soci_error.
///
/// Theory of operation. There are two connections, one that commits and one that copies the log. They share the log's
/// index, which SQLite's exclusive mode does not let them; its VFS `unix-excl` does: it locks the file for this process
/// as a whole, and keeps the index in memory. These are POSIX record locks, which do not keep this process from itself
/// (hence Claim), and which the kernel drops as soon as the process closes any descriptor of the file; so nothing here
/// or elsewhere may open the file (but its log) beside SQLite. A file whose name is removed or given to another can
/// still be written, and what is written is gone with the process: hence `check_in_place` before each commit.
class DatabaseFile {
public:
    /// Creates it where there is none. `path` may be relative and a symbolic link.
    explicit DatabaseFile(const std::string& path);

    [[nodiscard]] soci::session& session() noexcept { return session_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// To be held while a transaction is written: see Checkpointer.
    [[nodiscard]] Checkpointer::Turn turn() { return checkpointer_->turn(); }
    /// Throws Fault where path or write-ahead log no longer lead to the open files.
    void check_in_place() const;
    /// Tells that a transaction was committed.
    void count_commit() noexcept { ++commits_; }
    /// Does one piece of what would make a commit slow later, if there are few of them at the time: call it once a second.
    void maintain() noexcept;
    /// Ends a transaction that failed, whether or not SQLite has done so already. Throws nothing.
    void roll_back() noexcept;

private:
    void reserve() const;

    std::string path_;  ///< absolute, without symbolic links
    std::optional<Claim> claim_;
    soci::session session_;
    soci::session copying_session_;
    std::optional<Checkpointer> checkpointer_;  ///< after the sessions: it uses them
    FileIdentity file_;
    FileIdentity log_;
    std::size_t commits_ = 0;
    std::size_t tended_ = 0;  ///< how many there were when it was tended last
};

}  // namespace gateway::store
