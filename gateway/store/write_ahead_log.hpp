#pragma once

#include <cstdint>
#include <functional>

#include "gateway/store/fault.hpp"

namespace soci {
class session;
}

// What SOCI has no words for: SQLite's write-ahead log and its file, by a connection that has read or written before.

namespace gateway::store {

/// In pages.
struct LogState {
    int length = 0;
    int copied = 0;
};

/// A sync(2) failed. The kernel takes the pages for written from then on, and says nothing the next time.
class SyncFault : public Fault {
public:
    using Fault::Fault;
};

enum class Checkpoint : std::uint8_t {
    passive,   ///< copies what is there, beside other connections; syncs the file only where that is all
    truncate,  ///< copies all, syncs the file and makes the log empty
};

/// Throws SyncFault and Fault.
LogState checkpoint(soci::session& session, Checkpoint kind);

/// Syncs the file (not the log). Throws nothing but SyncFault.
void sync_file(soci::session& session);

/// Makes the file a multiple of this many bytes long, with zeros behind what it holds, and lets checkpoints by this
/// session leave it so: to sync a file that grew takes the file system a sync of its own journal. Throws Fault.
void lengthen_file(soci::session& session, int multiple);

/// Calls `told` after each commit by this connection with the log's length in pages, which SQLite's own checkpoints
/// give way to. `told` outlives the commits.
void tell_length(soci::session& session, std::function<void(int)>& told);

/// The last connection to end copies the log and removes it, unless all were told this.
void keep_log(soci::session& session);

}  // namespace gateway::store
