#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <soci/soci.h>

namespace gateway::store {

/// The file behind a store, locked for as long as this lives. Throws Fault and soci_error.
///
/// Theory of operation. SQLite holds its locks by POSIX record locks, which the kernel drops as soon as the process
/// closes any descriptor of the file; so nothing here or elsewhere may open the file (but its log) beside SQLite. A file whose name is
/// removed or given to another can still be written, and what is written is gone with the process: hence
/// `check_in_place` before each commit.
class DatabaseFile {
public:
    /// Creates it where there is none. `path` may be relative and a symbolic link.
    explicit DatabaseFile(const std::string& path);

    [[nodiscard]] soci::session& session() noexcept { return session_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Throws Fault where path or write-ahead log no longer lead to the open files.
    void check_in_place() const;
    /// Tells that a transaction was committed.
    void count_commit() noexcept { ++commits_; }
    /// Does one piece of what would make a commit slow later, if there are few of them at the time: call it once a second.
    void tend() noexcept;
    /// Ends a transaction that failed, whether or not SQLite has done so already. Throws nothing.
    void roll_back() noexcept;

private:
    /// Device and inode.
    struct Identity {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;

        bool operator==(const Identity&) const = default;
    };
    [[nodiscard]] static std::optional<Identity> identity(const std::string& path) noexcept;

    void reserve() const;

    std::string path_;  ///< absolute, without symbolic links
    soci::session session_;
    Identity file_;
    Identity log_;
    std::size_t commits_ = 0;
    std::size_t tended_ = 0;  ///< how many there were when it was tended last
    std::size_t copied_ = 0;  ///< how many there were when the log was copied last
};

}  // namespace gateway::store
