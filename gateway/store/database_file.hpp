#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <soci/soci.h>

#include "gateway/store/fault.hpp"

namespace gateway::store {

/// The SQLite file behind a store, locked for as long as this lives. Throws Fault and soci_error.
///
/// Theory of operation. One connection in WAL mode, with full synchronisation and SQLite's exclusive locking mode: nobody else,
/// this process included, can open the file meanwhile, and the log's index is memory, not a third file. A commit waits for one
/// sync of the log. SQLite's own checkpoints, which would come in the middle of a commit, are off; the log is copied by
/// `copy_log` in moments when nobody waits, and before a commit that finds the log long. A file whose name is removed or given
/// to another can still be written, and what is written is gone with the process: hence `prepare_commit` looks for its name.
///
/// A checkpoint whose sync fails ends all commits until a restart: after fsync(2) has failed the kernel takes the pages for
/// written, and who trusts a later success may lose them. The log still holds everything, and stays when the file is closed.
class DatabaseFile {
public:
    // In pages of 4 KiB that are in the log and not yet in the file.
    static constexpr int worthwhile_pages = 250;  ///< `copy_log` copies from so many on,
    static constexpr int enough_pages = 8000;     ///< a commit from so many on,
    static constexpr int most_pages = 16'000;     ///< and with so many, none is taken before they are copied.

    /// Creates it where there is none. `path` may be relative and a symbolic link.
    explicit DatabaseFile(const std::string& path);
    DatabaseFile(const DatabaseFile&) = delete;
    DatabaseFile& operator=(const DatabaseFile&) = delete;
    ~DatabaseFile();

    [[nodiscard]] soci::session& session() noexcept { return session_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Throws where nothing may be written: see above.
    void prepare_commit();
    /// Ends a transaction that failed, whether or not SQLite has done so already.
    void roll_back() noexcept;
    /// Copies the log into the file, if that is worth while.
    void copy_log() noexcept;

private:
    /// Which file it is, whatever it is called.
    struct Identity {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;

        [[nodiscard]] static std::optional<Identity> of(const std::string& path) noexcept;
        bool operator==(const Identity&) const = default;
    };

    [[nodiscard]] std::optional<Fault> checkpoint(int mode) noexcept;

    std::string path_;  ///< absolute, without symbolic links
    soci::session session_;
    std::optional<Identity> file_;
    std::optional<Identity> log_;
    int log_pages_ = 0;  ///< that are not copied
    int next_copy_ = enough_pages;
    std::optional<Fault> lost_sync_;
};

}  // namespace gateway::store
