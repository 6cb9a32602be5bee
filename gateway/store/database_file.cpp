#include "gateway/store/database_file.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "gateway/store/schema.hpp"

namespace gateway::store {

namespace {

using namespace sqlite_api;

/// What SQLite appends to a file's name for its write-ahead log.
constexpr const char* log_suffix = "-wal";

/// After a checkpoint that failed the log grows by so many pages before a commit tries the next.
constexpr int patience_pages = 400;

/// The file grows by so many bytes, not by a page at a time.
constexpr int file_step = 1 << 20;

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

/// As a URI, so that a path may have any letters.
std::string connect_string(const std::string& path) {
    std::string text = "db=\"file:";
    for (const char one : path) {
        const bool is_plain = std::isalnum(static_cast<unsigned char>(one)) != 0 || one == '/' || one == '.' ||
                              one == '-';
        text += is_plain ? std::string{one} : fmt::format("%{:02x}", static_cast<unsigned char>(one));
    }
    return text + '"';
}

void configure(soci::session& session) {
    session << "pragma busy_timeout = 200";  // milliseconds
    std::string mode;
    session << "pragma locking_mode = exclusive", soci::into(mode);
    session << "pragma journal_mode = wal", soci::into(mode);
    if (mode != "wal") throw Fault{Fault::Kind::unavailable, "its file system allows no write-ahead log"};
    session << "pragma synchronous = full";
    session << "pragma wal_autocheckpoint = 0";
    session << "pragma cell_size_check = on";
    session << "pragma foreign_keys = on";
    session << "pragma temp_store = memory";
    // KiB: the leaves that new rows go to, of each index; 2 MiB, the default, do not hold those of 1,000 machines.
    session << "pragma cache_size = -32768";
}

sqlite3* connection_of(soci::session& session) {
    // SOCI's library hides what a dynamic_cast would ask for.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-static-cast-downcast)
    return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

int note_length(void* length, sqlite3* /*connection*/, const char* /*database*/, int pages) {
    *static_cast<int*>(length) = pages;
    return SQLITE_OK;
}

}  // namespace

DatabaseFile::DatabaseFile(const std::string& path) : path_{absolute(path)} {
    create(path_);
    require_writable(path_);
    file_ = Identity::of(path_);
    errno = 0;
    session_.open(soci::sqlite3, connect_string(path_));
    configure(session_);
    sqlite3_wal_hook(connection_of(session_), note_length, &log_pages_);
    int step = file_step;
    sqlite3_file_control(connection_of(session_), nullptr, SQLITE_FCNTL_CHUNK_SIZE, &step);
    migrate(session_, schema());
    std::string check;  // reads the whole file: a second for a million events
    session_ << "pragma quick_check(1)", soci::into(check);
    if (check != "ok") throw Fault{Fault::Kind::damaged, check};
    log_ = Identity::of(path_ + log_suffix);
    if (!file_ || Identity::of(path_) != file_ || !log_) {
        throw Fault{Fault::Kind::unavailable, "it was removed while it was opened"};
    }
}

DatabaseFile::~DatabaseFile() {
    // The last connection copies the log and removes it, unless it is told this.
    if (lost_sync_) sqlite3_db_config(connection_of(session_), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void DatabaseFile::prepare_commit() {
    if (Identity::of(path_) != file_ || Identity::of(path_ + log_suffix) != log_) {
        throw Fault{
            Fault::Kind::unavailable,
            "it or its write-ahead log was removed or replaced while in use; put the same files back, or restart"};
    }
    if (!lost_sync_ && log_pages_ >= std::min(next_copy_, most_pages)) {
        const auto fault = checkpoint(SQLITE_CHECKPOINT_PASSIVE);
        next_copy_ = fault ? log_pages_ + patience_pages : enough_pages;
        if (fault && !lost_sync_ && log_pages_ >= most_pages) throw Fault{*fault};
    }
    if (lost_sync_) {
        throw Fault{Fault::Kind::unavailable,
                    std::string{"its disk failed, "} + lost_sync_->what() + "; see to the disk, and restart"};
    }
}

void DatabaseFile::roll_back() noexcept {
    try {
        session_ << "rollback";
    } catch (const std::exception&) {  // SQLite has done so already
    }
    // Where only the sync failed, the log holds the transaction whole and a crash would bring it back: empty the log. If that
    // fails, too, the next commit is written over it.
    if (lost_sync_) return;
    static_cast<void>(checkpoint(SQLITE_CHECKPOINT_TRUNCATE));
    lost_sync_.reset();
}

void DatabaseFile::copy_log() noexcept {
    if (log_pages_ >= worthwhile_pages && !lost_sync_) static_cast<void>(checkpoint(SQLITE_CHECKPOINT_PASSIVE));
}

/// There is no other connection, so that one that succeeds has copied all.
std::optional<Fault> DatabaseFile::checkpoint(int mode) noexcept {
    auto* const connection = connection_of(session_);
    errno = 0;
    const int result = sqlite3_wal_checkpoint_v2(connection, nullptr, mode, nullptr, nullptr);
    const int system_error = errno;
    if (result == SQLITE_OK) {
        log_pages_ = 0;
        return {};
    }
    const auto fault = sqlite_fault(result, system_error, sqlite3_errstr(result));
    if (sqlite3_extended_errcode(connection) == SQLITE_IOERR_FSYNC) lost_sync_ = fault;
    return fault;
}

std::optional<DatabaseFile::Identity> DatabaseFile::Identity::of(const std::string& path) noexcept {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};
    return Identity{.device = status.st_dev, .inode = status.st_ino};
}

}  // namespace gateway::store
