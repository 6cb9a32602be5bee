#include "gateway/store/database_file.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "gateway/store/fault.hpp"
#include "gateway/store/schema.hpp"

namespace gateway::store {

namespace {

using Kind = StoreError::Kind;

/// What SQLite appends to a file's name for its write-ahead log.
constexpr const char* log_suffix = "-wal";

/// A commit that finds the log longer than this (pages of 4 KiB) copies it into the file, with a sync of its own: rare
/// enough not to be among the slowest hundredth. Mostly `tend` has done so before.
constexpr int checkpoint_pages = 4000;

/// So many commits make a log worth copying when nobody waits, and so few since the last time are nobody.
constexpr std::size_t worthwhile_commits = 64;
constexpr std::size_t quiet_commits = 4;

/// The log is kept as long as it may become, a step at a time: to sync a file that grows takes the file system a sync
/// of its own journal, too. SQLite reads up to the first frame that is not its own, and zeros are none.
constexpr std::size_t reserved_log = std::size_t{checkpoint_pages} * 4120;
constexpr std::size_t reserve_step = std::size_t{1} << 20U;
constexpr std::uintmax_t plenty = std::uintmax_t{1} << 30U;  // below this much free space none is taken

std::string absolute(const std::string& path) {
    std::error_code error;
    const auto found = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
    if (error) throw system_fault(error.value());
    return found.string();
}

/// Creates the file with mode 0600 where there is none. SQLite would take 0644; its log takes the file's mode. A
/// file that is there is not opened: closing it would drop the locks of a store that this process has open.
void create(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file >= 0) {
        ::close(file);
    } else if (errno == ENOENT) {
        throw Fault{Kind::unavailable, "its directory does not exist"};
    } else if (errno != EEXIST) {
        throw system_fault(errno);
    }
}

void require_writable(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
        throw Fault{Kind::unavailable, "it is not a regular file"};
    }
    if (::access(path.c_str(), R_OK | W_OK) != 0) throw system_fault(errno);
    // The log is created beside it.
    const auto directory = std::filesystem::path{path}.parent_path();
    if (::access(directory.c_str(), W_OK | X_OK) != 0) throw system_fault(errno);
}

std::string connect_string(const std::string& path) {
    if (path.find('"') != std::string::npos) {
        throw Fault{Kind::unavailable, "its path has a quotation mark, which SOCI does not take"};
    }
    return fmt::format("db=\"{}\"", path);
}

void configure(soci::session& session) {
    session << "pragma busy_timeout = 200";  // milliseconds
    // Before the first reading, so that the lock is taken then, and the log's index is in memory and not in a third file.
    session << "pragma locking_mode = exclusive";
    std::string mode;
    session << "pragma journal_mode = wal", soci::into(mode);
    if (mode != "wal") throw Fault{Kind::unavailable, "its file system allows no write-ahead log"};
    session << "pragma synchronous = full";
    session << "pragma foreign_keys = on";
    session << "pragma temp_store = memory";
    session << "pragma cell_size_check = on";
    // KiB: the leaves that new rows go to, of each index; 2 MiB, the default, do not hold those of 1,000 machines.
    session << "pragma cache_size = -32768";
    session << fmt::format("pragma wal_autocheckpoint = {}", checkpoint_pages);
    session << "begin exclusive";  // whatever was locked so far
    session << "commit";
}

}  // namespace

DatabaseFile::DatabaseFile(const std::string& path) : path_{absolute(path)} {
    const auto connection = connect_string(path_);
    create(path_);
    require_writable(path_);
    errno = 0;
    session_.open(soci::sqlite3, connection);
    configure(session_);
    migrate(session_, schema());
    std::string check;  // reads the whole file: a second for a million events
    session_ << "pragma quick_check(1)", soci::into(check);
    if (check != "ok") throw Fault{Kind::damaged, check};
    const auto file = identity(path_);
    const auto log = identity(path_ + log_suffix);
    if (!file || !log) throw Fault{Kind::unavailable, "it was removed while it was opened"};
    file_ = *file;
    log_ = *log;
}

void DatabaseFile::check_in_place() const {
    if (identity(path_) == file_ && identity(path_ + log_suffix) == log_) return;
    throw Fault{Kind::unavailable,
                "it or its write-ahead log was removed or replaced while in use; put the same files back, or restart"};
}

void DatabaseFile::tend() noexcept {
    const bool is_quiet = commits_ - tended_ <= quiet_commits;
    tended_ = commits_;
    if (!is_quiet) return;
    try {
        if (commits_ - copied_ < worthwhile_commits) return reserve();
        copied_ = commits_;
        session_ << "pragma wal_checkpoint(passive)";
    } catch (const std::exception&) {
        // The log stays as it is, and grows when it must.
    }
}

/// One step. What was written of it where there is not enough room is given back.
void DatabaseFile::reserve() const {
    const auto path = path_ + log_suffix;
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error || size >= reserved_log || std::filesystem::space(path, error).available < plenty || error) return;
    if (identity(path) != log_) return;
    const std::vector<char> zeros(reserve_step);
    const int log = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);  // nobody has locks on the log to lose
    if (log < 0) return;
    const auto written = ::pwrite(log, zeros.data(), zeros.size(), static_cast<off_t>(size));
    if (written != static_cast<ssize_t>(zeros.size()) || ::fdatasync(log) != 0) {
        static_cast<void>(::ftruncate(log, static_cast<off_t>(size)));
    }
    ::close(log);
}

void DatabaseFile::roll_back() noexcept {
    // Where only the sync failed, the log holds the transaction whole and a crash would bring it back: empty the log.
    for (const auto* statement : {"rollback", "pragma wal_checkpoint(truncate)"}) {
        try {
            session_ << statement;
        } catch (const std::exception&) {
            // SQLite has rolled back already, or the disk that failed fails again.
        }
    }
}

std::optional<DatabaseFile::Identity> DatabaseFile::identity(const std::string& path) noexcept {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};
    return Identity{.device = status.st_dev, .inode = status.st_ino};
}

}  // namespace gateway::store
