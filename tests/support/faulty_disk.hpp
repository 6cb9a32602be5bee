#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include <soci/sqlite3/soci-sqlite3.h>

namespace support {

using namespace sqlite_api;  // where SOCI includes it

/// SQLite's own VFS, whose files fail as long as they are told to. Made before a store is opened, and one at a time.
///
/// Linux refuses to remount a file system read-only while files on it are open for writing. Its kernel does so by itself after
/// errors, and then write(2) gives EROFS: that, and an fsync(2) that gives EIO, is what it does.
class FaultyDisk {
public:
    FaultyDisk() : own_{sqlite3_vfs_find(nullptr)}, vfs_{*own_} {
        vfs_.xOpen = open;
        sqlite3_vfs_register(&vfs_, 1);
        current = this;
    }
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;
    ~FaultyDisk() {
        sqlite3_vfs_unregister(&vfs_);
        sqlite3_vfs_register(own_, 1);
        current = nullptr;
        fails_to_write = fails_to_sync = copy_fails_to_write = copy_fails_to_sync = false;
        before_sync = before_sync_of_copy = after_sync_of_copy = nullptr;
    }

    static inline std::atomic<bool> fails_to_write = false;  ///< EROFS
    static inline std::atomic<bool> fails_to_sync = false;   ///< EIO
    static inline std::atomic<std::size_t> syncs = 0;        ///< that were asked for
    /// Called with the file's path by whoever syncs; set while nobody does.
    static inline std::function<void(const std::string&)> before_sync;

    // The same of the file alone that the log is copied into.
    static inline std::atomic<bool> copy_fails_to_write = false;
    static inline std::atomic<bool> copy_fails_to_sync = false;
    static inline std::atomic<std::size_t> writes_to_copy = 0;  ///< that succeeded
    /// Called with its path by whoever syncs it; set while no store is open.
    static inline std::function<void(const std::string&)> before_sync_of_copy;
    static inline std::function<void(const std::string&)> after_sync_of_copy;

private:
    static int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
        const int result = current->own_->xOpen(current->own_, name, file, flags, out);
        if (result != SQLITE_OK || file->pMethods == nullptr) return result;
        const std::lock_guard lock{mutex};
        names[file] = name == nullptr ? "" : name;
        const auto [known, is_new] = tables.try_emplace(file->pMethods);
        auto& methods = known->second;  // the log's files have other locks, and so another table
        if (is_new) fill(methods, *file->pMethods, (flags & SQLITE_OPEN_MAIN_DB) != 0);
        file->pMethods = &methods.faulty;
        return result;
    }

    struct Methods {
        sqlite3_io_methods faulty{};  // first, so that a file's table leads to the rest
        const sqlite3_io_methods* own = nullptr;
        bool is_copy = false;
    };
    static const Methods& of(const sqlite3_file* file) { return *reinterpret_cast<const Methods*>(file->pMethods); }
    static const sqlite3_io_methods& own(const sqlite3_file* file) { return *of(file).own; }
    static std::string name_of(const sqlite3_file* file) {
        const std::lock_guard lock{mutex};
        return names[file];
    }

    static bool cannot_write(const sqlite3_file* file) {
        return fails_to_write || (of(file).is_copy && copy_fails_to_write);
    }

    static void fill(Methods& methods, const sqlite3_io_methods& own_methods, bool is_copy) {
        methods.own = &own_methods;
        methods.faulty = *methods.own;
        methods.is_copy = is_copy;
        methods.faulty.xWrite = [](sqlite3_file* one, const void* bytes, int count, sqlite3_int64 at) {
            if (!cannot_write(one)) {
                if (of(one).is_copy) ++writes_to_copy;
                return own(one).xWrite(one, bytes, count, at);
            }
            errno = EROFS;
            return SQLITE_IOERR_WRITE;
        };
        methods.faulty.xTruncate = [](sqlite3_file* one, sqlite3_int64 size) {
            if (!cannot_write(one)) return own(one).xTruncate(one, size);
            errno = EROFS;
            return SQLITE_IOERR_TRUNCATE;
        };
        methods.faulty.xSync = [](sqlite3_file* one, int how) {
            ++syncs;
            if (before_sync) before_sync(name_of(one));
            const bool to_copy = of(one).is_copy;
            if (to_copy && before_sync_of_copy) before_sync_of_copy(name_of(one));
            if (fails_to_sync || (to_copy && copy_fails_to_sync)) {
                errno = EIO;
                return SQLITE_IOERR_FSYNC;
            }
            const int synced = own(one).xSync(one, how);
            if (to_copy && after_sync_of_copy) after_sync_of_copy(name_of(one));
            return synced;
        };
    }

    sqlite3_vfs* own_;
    sqlite3_vfs vfs_;
    static inline FaultyDisk* current = nullptr;
    static inline std::mutex mutex;  ///< of what follows
    static inline std::map<const sqlite3_io_methods*, Methods> tables;
    static inline std::map<const sqlite3_file*, std::string> names;
};

}  // namespace support
