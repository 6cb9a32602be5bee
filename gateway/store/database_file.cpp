#include "gateway/store/database_file.hpp"

#include <cctype>
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

/// What SQLite appends to a file's name for its write-ahead log.
constexpr const char* log_suffix = "-wal";

/// So many pages make a log worth copying when nobody waits, and so few commits since the last time are nobody.
constexpr int worthwhile_pages = 500;
constexpr std::size_t quiet_commits = 4;

/// The log is kept as long as it may become, a step at a time: to sync a file that grows takes the file system a sync
/// of its own journal, too. SQLite reads up to the first frame that is not its own, and zeros are none.
constexpr std::size_t reserved_log = std::size_t{Checkpointer::enough_pages + 1000} * 4120;
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
        throw Fault{Fault::Kind::unavailable, "its directory does not exist"};
    } else if (errno != EEXIST) {
        throw system_fault(errno);
    }
}

void require_writable(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
        throw Fault{Fault::Kind::unavailable, "it is not a regular file"};
    }
    if (::access(path.c_str(), R_OK | W_OK) != 0) throw system_fault(errno);
    // The log is created beside it.
    const auto directory = std::filesystem::path{path}.parent_path();
    if (::access(directory.c_str(), W_OK | X_OK) != 0) throw system_fault(errno);
}

/// `unix-excl` locks the file for this process as a whole and keeps the log's index in memory, not in a third file.
std::string connect_string(const std::string& path) {
    std::string text = "db=\"file:";
    for (const char one : path) {
        const bool is_plain = std::isalnum(static_cast<unsigned char>(one)) != 0 || one == '/' || one == '.' ||
                              one == '-';
        text += is_plain ? std::string{one} : fmt::format("%{:02x}", static_cast<unsigned char>(one));
    }
    return text + "?vfs=unix-excl\"";
}

/// What both connections need.
void connect(soci::session& session, const std::string& path) {
    session.open(soci::sqlite3, connect_string(path));
    session << "pragma busy_timeout = 200";  // milliseconds
    std::string mode;
    session << "pragma journal_mode = wal", soci::into(mode);
    if (mode != "wal") throw Fault{Fault::Kind::unavailable, "its file system allows no write-ahead log"};
    session << "pragma synchronous = full";
    session << "pragma cell_size_check = on";
}

void configure(soci::session& session) {
    session << "pragma foreign_keys = on";
    session << "pragma temp_store = memory";
    // KiB: the leaves that new rows go to, of each index; 2 MiB, the default, do not hold those of 1,000 machines.
    session << "pragma cache_size = -32768";
}

}  // namespace

DatabaseFile::DatabaseFile(const std::string& path) : path_{absolute(path)} {
    create(path_);
    require_writable(path_);
    const auto found = FileIdentity::of(path_);
    if (!found) throw Fault{Fault::Kind::unavailable, "it was removed while it was opened"};
    claim_.emplace(*found);
    errno = 0;
    connect(session_, path_);
    configure(session_);
    migrate(session_, schema());
    std::string check;  // reads the whole file: a second for a million events
    session_ << "pragma quick_check(1)", soci::into(check);
    if (check != "ok") throw Fault{Fault::Kind::damaged, check};
    connect(copying_session_, path_);
    long long version = 0;  // a connection that has read nothing knows of no log
    copying_session_ << "pragma user_version", soci::into(version);
    const auto log = FileIdentity::of(path_ + log_suffix);
    if (FileIdentity::of(path_) != found || !log) {
        throw Fault{Fault::Kind::unavailable, "it was removed while it was opened"};
    }
    file_ = *found;
    log_ = *log;
    checkpointer_.emplace(session_, copying_session_);
}

void DatabaseFile::check_in_place() const {
    if (FileIdentity::of(path_) == file_ && FileIdentity::of(path_ + log_suffix) == log_) return;
    throw Fault{Fault::Kind::unavailable,
                "it or its write-ahead log was removed or replaced while in use; put the same files back, or restart"};
}

void DatabaseFile::maintain() noexcept {
    const bool is_quiet = commits_ - tended_ <= quiet_commits;
    tended_ = commits_;
    if (!is_quiet) return;
    checkpointer_->want(worthwhile_pages);
    try {
        reserve();
    } catch (const std::exception&) {
        // The log stays as long as it is, and grows when it must.
    }
}

/// One step. What was written of it where there is not enough room is given back.
void DatabaseFile::reserve() const {
    const auto path = path_ + log_suffix;
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error || size >= reserved_log || std::filesystem::space(path, error).available < plenty || error) return;
    if (FileIdentity::of(path) != log_) return;
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
    try {
        session_ << "rollback";
    } catch (const std::exception&) {  // SQLite has done so already
    }
    // Where only the sync failed, the log holds the transaction whole and a crash would bring it back: empty the log.
    checkpointer_->empty();
}

}  // namespace gateway::store
