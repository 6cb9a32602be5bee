#include "gateway/store/checkpointer.hpp"

#include <algorithm>
#include <exception>

#include <pthread.h>

#include "gateway/store/write_ahead_log.hpp"

namespace gateway::store {

namespace {

/// So few pages are copied in about the time of their syncs,
constexpr int few_pages = 20;
/// and so often it is tried to have no more left.
constexpr int most_attempts = 4;
/// After a failure the log grows by so much before the next attempt.
constexpr int patience_pages = 400;

/// The file grows by so many bytes.
constexpr int file_step = 1 << 20;

struct Copy {
    LogState log;
    std::optional<Fault> failure;
    bool lost_sync = false;  ///< of what SQLite has noted as copied
};

/// Why there is no room for it, if so: where SQLite needs it, it will only say that it failed.
std::optional<Fault> lengthen(soci::session& session) {
    try {
        lengthen_file(session, file_step);
        return {};
    } catch (const std::exception&) {
        return current_fault();
    }
}

/// One checkpoint. SQLite notes what was copied where it, and the sync that belongs to it, succeeded; where commits go
/// on beside it it makes none, and this does.
Copy copy_log(soci::session& session, Checkpoint kind, bool beside_commits, bool some_were_copied) {
    Copy copy;
    const auto no_room = beside_commits ? lengthen(session) : std::nullopt;
    bool noted = some_were_copied;
    try {
        copy.log = checkpoint(session, kind);
        noted = true;
        if (beside_commits) sync_file(session);
    } catch (const SyncFault& fault) {
        copy.failure = fault;
        copy.lost_sync = noted;
    } catch (const std::exception&) {
        copy.failure = no_room ? no_room : current_fault();
    }
    return copy;
}

}  // namespace

Checkpointer::Checkpointer(soci::session& writer, soci::session& own) : writer_{writer}, own_{own} {
    tell_length(writer_, note_length_);
    thread_ = std::jthread{[this] { run(); }};
    static_cast<void>(::pthread_setname_np(thread_.native_handle(), "checkpointer"));
}

Checkpointer::~Checkpointer() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
    if (!lost_sync_) return;
    keep_log(own_);
    keep_log(writer_);
}

void Checkpointer::begin() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !last_; });
    if (pages_ >= most_pages && left() > 0 && !lost_sync_) {
        wanted_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !wanted_ && !working_; });
        if (failure_) throw Fault{*failure_};
    }
    if (lost_sync_) {
        throw Fault{Fault::Kind::unavailable,
                    std::string{"its disk failed, "} + failure_->what() + "; see to the disk, and restart"};
    }
    writing_ = true;
}

void Checkpointer::end() noexcept {
    {
        const std::lock_guard lock{mutex_};
        writing_ = false;
        if (pages_ >= enough_ && left() > 0) wanted_ = true;
        if (!wanted_ && !last_) return;
    }
    changed_.notify_all();
}

void Checkpointer::note_length(int pages) noexcept {
    const std::lock_guard lock{mutex_};
    if (pages <= pages_ || left() == 0) return begin_anew(pages);
    pages_ = pages;
}

void Checkpointer::begin_anew(int pages) noexcept {
    pages_ = pages;
    copied_ = 0;
    ++begun_anew_;
}

void Checkpointer::want(int pages) noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (left() < pages) return;
        wanted_ = true;
    }
    changed_.notify_all();
}

void Checkpointer::empty() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !copying_; });
    if (lost_sync_) return;
    auto copy = copy_log(writer_, Checkpoint::truncate, false, copied_ > 0);
    if (!copy.failure) begin_anew(0);
    note(std::move(copy.failure), copy.lost_sync);
}

void Checkpointer::run() {
    std::unique_lock lock{mutex_};
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || wanted_; });
        if (stopping_) return;
        wanted_ = false;
        working_ = true;
        if (!lost_sync_) copy(lock);
        working_ = false;
        changed_.notify_all();
    }
}

void Checkpointer::copy(std::unique_lock<std::mutex>& lock) {
    const auto begun_anew = begun_anew_;
    for (int attempt = 0; attempt < most_attempts && left() > (attempt == 0 ? 0 : few_pages); ++attempt) {
        if (!copy_once(lock) || stopping_ || begun_anew != begun_anew_) return;
    }
    if (left() == 0) return;
    last_ = true;
    changed_.wait(lock, [this] { return !writing_; });
    copy_once(lock);
    last_ = false;
}

/// Whether it succeeded.
bool Checkpointer::copy_once(std::unique_lock<std::mutex>& lock) {
    const auto begun_anew = begun_anew_;
    const auto pages = pages_;
    const bool some_were_copied = copied_ > 0;
    const bool is_last = last_;
    copying_ = true;
    lock.unlock();
    auto copy = copy_log(own_, Checkpoint::passive, !is_last, some_were_copied);
    lock.lock();
    copying_ = false;
    if (!copy.failure && begun_anew == begun_anew_) {
        if (pages_ == pages) pages_ = copy.log.length;
        copied_ = std::min(copy.log.copied, pages_);
    }
    note(std::move(copy.failure), copy.lost_sync);
    changed_.notify_all();
    return !failure_;
}

void Checkpointer::note(std::optional<Fault> failure, bool lost_sync) {
    failure_ = std::move(failure);
    lost_sync_ = lost_sync_ || lost_sync;
    enough_ = failure_ ? pages_ + patience_pages : enough_pages;
}

}  // namespace gateway::store
