#pragma once

#include <sqlite3.h>

#include <cerrno>
#include <cstddef>
#include <map>

namespace support {

/// SQLite's own VFS, whose files fail as long as they are told to. Made before a store is opened, and one at a time.
///
/// Linux refuses to remount a file system read-only while files on it are open for writing. Its kernel does so by itself after
/// errors, and then write(2) gives EROFS: that, and an fsync(2) that gives EIO, is what it does.
class FaultyDisk {
public:
    FaultyDisk() : own_{sqlite3_vfs_find(nullptr)}, vfs_{*own_} {
        vfs_.zName = "faulty";
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
        fails_to_write = fails_to_sync = false;
    }

    static inline bool fails_to_write = false;  ///< EROFS
    static inline bool fails_to_sync = false;   ///< EIO
    static inline std::size_t syncs = 0;        ///< that were asked for

private:
    static int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
        const int result = current->own_->xOpen(current->own_, name, file, flags, out);
        if (result != SQLITE_OK || file->pMethods == nullptr) return result;
        auto& methods = tables[file->pMethods];  // the log's files have other locks, and so another table
        methods.own = file->pMethods;
        methods.faulty = *methods.own;
        methods.faulty.xWrite = [](sqlite3_file* one, const void* bytes, int count, sqlite3_int64 at) {
            if (!fails_to_write) return own(one).xWrite(one, bytes, count, at);
            errno = EROFS;
            return SQLITE_IOERR_WRITE;
        };
        methods.faulty.xTruncate = [](sqlite3_file* one, sqlite3_int64 size) {
            if (!fails_to_write) return own(one).xTruncate(one, size);
            errno = EROFS;
            return SQLITE_IOERR_TRUNCATE;
        };
        methods.faulty.xSync = [](sqlite3_file* one, int how) {
            ++syncs;
            if (!fails_to_sync) return own(one).xSync(one, how);
            errno = EIO;
            return SQLITE_IOERR_FSYNC;
        };
        file->pMethods = &methods.faulty;
        return result;
    }

    struct Methods {
        sqlite3_io_methods faulty{};  // first, so that a file's table leads to the rest
        const sqlite3_io_methods* own = nullptr;
    };
    static const sqlite3_io_methods& own(const sqlite3_file* file) {
        return *reinterpret_cast<const Methods*>(file->pMethods)->own;
    }

    sqlite3_vfs* own_;
    sqlite3_vfs vfs_;
    static inline FaultyDisk* current = nullptr;
    static inline std::map<const sqlite3_io_methods*, Methods> tables;
};

}  // namespace support
