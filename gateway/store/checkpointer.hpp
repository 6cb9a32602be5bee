#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "gateway/store/fault.hpp"

namespace soci {
class session;
}

namespace gateway::store {

/// Copies SQLite's write-ahead log into the file, in a thread and by a connection of its own.
///
/// Theory of operation. A passive checkpoint copies what the log holds while commits go on and lengthen it, and the
/// file is synced while they still do. SQLite begins the log anew with the first commit that finds all of it copied,
/// and commits that follow each other closely never leave that moment. So when few pages are left, the next commit
/// waits while those are copied: a short write and two short syncs, once in several hundred commits. They are short
/// where the file does not grow, whose journal the file system would have to sync, too; so zeros are written ahead.
///
/// A checkpoint that fails fails no commit; it is tried again when the log has grown, and in the next quiet moment.
/// Where the log has become `most_pages` long a commit waits for one, and is refused if it fails.
///
/// A sync of the file that fails is another thing: after fsync(2) gave an error the kernel takes the pages for written,
/// and the next one succeeds without them, while SQLite does not copy again what it has noted as copied. The log still
/// holds all. So from then on nothing is copied, no commit is taken, and the log stays when the file is closed: who
/// opens it next copies all of it.
class Checkpointer {
public:
    /// In pages of 4 KiB. So long a log is copied,
    static constexpr int enough_pages = 4000;
    /// and none becomes longer than this and a commit.
    static constexpr int most_pages = 4 * enough_pages;

    /// The sessions are two connections to one file that both have read; they outlive this, and nobody else uses `own`.
    Checkpointer(soci::session& writer, soci::session& own);
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;
    /// Waits for a checkpoint under way.
    ~Checkpointer();

    /// To be held while the writer writes a transaction.
    class Turn {
    public:
        explicit Turn(Checkpointer& checkpointer) : checkpointer_{checkpointer} { checkpointer_.begin(); }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn() { checkpointer_.end(); }

    private:
        Checkpointer& checkpointer_;
    };
    /// Throws Fault where the log can take no more.
    [[nodiscard]] Turn turn() { return Turn{*this}; }

    /// Copies the log soon, if it has so many pages that are not copied yet.
    void want(int pages) noexcept;

    /// Copies the log and makes it empty, by the writer's connection and outside of a turn, if the disk lets it.
    void empty();

private:
    void begin();
    void end() noexcept;
    void note_length(int pages) noexcept;
    void begin_anew(int pages) noexcept;

    void run();
    void copy(std::unique_lock<std::mutex>& lock);
    bool copy_once(std::unique_lock<std::mutex>& lock);
    void note(std::optional<Fault> failure, bool lost_sync);
    [[nodiscard]] int left() const noexcept { return pages_ - copied_; }

    soci::session& writer_;
    soci::session& own_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool wanted_ = false;
    bool working_ = false;  ///< on what was wanted
    bool copying_ = false;  ///< without the lock
    bool last_ = false;     ///< no commit begins until it has ended
    bool writing_ = false;  ///< a commit is under way
    bool stopping_ = false;
    int pages_ = 0;                 ///< in the log
    int copied_ = 0;                ///< of these
    int enough_ = enough_pages;     ///< as many as make it copy
    std::uint64_t begun_anew_ = 0;  ///< how often the log was
    std::optional<Fault> failure_;  ///< of the last checkpoint
    bool lost_sync_ = false;        ///< and what is copied may not be on disk
    std::function<void(int)> note_length_ = [this](int pages) { note_length(pages); };
    std::jthread thread_;  ///< last: it uses the others
};

}  // namespace gateway::store
