#include "gateway/store/write_ahead_log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

namespace gateway::store {

namespace {

using namespace sqlite_api;

constexpr std::size_t page_size = 4096;

sqlite3* connection_of(soci::session& session) {
    // SOCI's library hides what a dynamic_cast would ask for.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-static-cast-downcast)
    return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

/// Of a call to a file's methods, which may extend its code.
Fault fault_of(int result) { return sqlite_fault(result & 0xFF, errno, sqlite3_errstr(result)); }

void require(int result) {
    if (result != SQLITE_OK) throw fault_of(result);
}

sqlite3_file& file_of(soci::session& session) {
    sqlite3_file* file = nullptr;
    require(sqlite3_file_control(connection_of(session), nullptr, SQLITE_FCNTL_FILE_POINTER, &file));
    return *file;
}

}  // namespace

LogState checkpoint(soci::session& session, Checkpoint kind) {
    auto* const connection = connection_of(session);
    const int mode = kind == Checkpoint::passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE;
    LogState state;
    errno = 0;
    const int result = sqlite3_wal_checkpoint_v2(connection, nullptr, mode, &state.length, &state.copied);
    if (result == SQLITE_OK) return state;
    const int system_error = errno;
    const bool is_sync = sqlite3_extended_errcode(connection) == SQLITE_IOERR_FSYNC;
    const auto fault = sqlite_fault(result, system_error, sqlite3_errmsg(connection));
    if (is_sync) throw SyncFault{fault.kind(), fault.what()};
    throw Fault{fault.kind(), fault.what()};
}

void sync_file(soci::session& session) {
    errno = 0;
    try {
        auto& file = file_of(session);
        require(file.pMethods->xSync(&file, SQLITE_SYNC_NORMAL));
    } catch (const std::exception&) {
        const auto fault = current_fault();
        throw SyncFault{fault.kind(), fault.what()};
    }
}

void lengthen_file(soci::session& session, int multiple) {
    long long pages = 0;
    session << "pragma page_count", soci::into(pages);
    auto& file = file_of(session);
    errno = 0;
    require(file.pMethods->xFileControl(&file, SQLITE_FCNTL_CHUNK_SIZE, &multiple));
    sqlite3_int64 size = 0;
    require(file.pMethods->xFileSize(&file, &size));
    const auto needed = pages * static_cast<long long>(page_size);
    const auto wanted = (needed + multiple - 1) / multiple * multiple;
    static constexpr std::array<char, 16 * page_size> zeros{};
    while (size < wanted) {
        const auto piece = std::min<sqlite3_int64>(wanted - size, zeros.size());
        require(file.pMethods->xWrite(&file, zeros.data(), static_cast<int>(piece), size));
        size += piece;
    }
}

void tell_length(soci::session& session, std::function<void(int)>& told) {
    const auto hook = [](void* listener, sqlite3* /*connection*/, const char* /*database*/, int pages) {
        (*static_cast<std::function<void(int)>*>(listener))(pages);
        return SQLITE_OK;
    };
    sqlite3_wal_hook(connection_of(session), hook, &told);
}

void keep_log(soci::session& session) {
    sqlite3_db_config(connection_of(session), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

}  // namespace gateway::store
