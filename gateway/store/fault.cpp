#include "gateway/store/fault.hpp"

#include <cerrno>
#include <exception>
#include <system_error>

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

namespace gateway::store {

Fault sqlite_fault(int result, int system_error, const std::string& message) {
    const auto* reason = sqlite_api::sqlite3_errstr(result);
    switch (result) {
        case SQLITE_FULL: return {Fault::Kind::full, reason};
        case SQLITE_READONLY: return {Fault::Kind::read_only, reason};
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return {Fault::Kind::in_use, reason};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return {Fault::Kind::damaged, reason};
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN: break;
        default: return {Fault::Kind::unavailable, message};
    }
    if (system_error == 0) return {Fault::Kind::unavailable, message};
    return system_fault(system_error);
}

Fault system_fault(int error) {
    auto kind = Fault::Kind::unavailable;
    switch (error) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG: kind = Fault::Kind::full; break;
        case EROFS:
        case EACCES:
        case EPERM: kind = Fault::Kind::read_only; break;
        default: break;
    }
    return {kind, std::generic_category().message(error)};
}

Fault current_fault() {
    const int system_error = errno;
    try {
        throw;
    } catch (const Fault& fault) {
        return fault;
    } catch (const soci::sqlite3_soci_error& error) {
        return sqlite_fault(error.result(), system_error, error.get_error_message());
    } catch (const soci::soci_error& error) {
        return {Fault::Kind::unavailable, error.get_error_message()};
    } catch (const std::exception& error) {
        return {Fault::Kind::unavailable, error.what()};
    }
}

StoreError error_of(const Fault& fault, const std::string& path) {
    const auto* form = "the store {} cannot be used: {}";
    switch (fault.kind()) {
        case Fault::Kind::full: form = "no room to write the store {} ({}); make room on its file system"; break;
        case Fault::Kind::read_only:
            form = "the store {} cannot be written ({}); let this user write to it and to its directory";
            break;
        case Fault::Kind::in_use:
            form = "the store {} is in use ({}); only one portcullis may have it open, stop the other";
            break;
        case Fault::Kind::too_new: form = "the store {} was written by a newer portcullis ({}); run that one"; break;
        case Fault::Kind::damaged:
            form = "the store {} is damaged ({}); put a backup in its place, or name another file";
            break;
        case Fault::Kind::malformed:
        case Fault::Kind::unavailable: break;
    }
    return {fault.kind(), fmt::format(fmt::runtime(form), path, fault.what())};
}

}  // namespace gateway::store
