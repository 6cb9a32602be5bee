#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "gateway/store/store.hpp"

namespace gateway::store {

/// The only user of a store: one thread that writes commits and reads, in the order in which they were submitted.
///
/// Theory of operation. Commits that wait while the disk is busy are written together, in one transaction (group commit): a
/// sync costs the same for one and for fifty. If the transaction fails, all of them fail. Results are collected, and the
/// owner's thread takes them by `complete`: callbacks never run in the writer's thread, so that decisions need no lock. When
/// nothing is submitted for a moment, the thread lets the store do its maintenance.
///
/// One owner: `submit`, `read`, `complete` and `wait` are called by one thread.
class Writer {
public:
    using Result = tl::expected<void, StoreError>;
    using Written = std::function<void(const Result&)>;
    using Query = std::function<void(Store&)>;  ///< throws nothing

    /// `wake` is called by the writer's thread whenever there is something to complete; empty: nobody is to be woken.
    explicit Writer(std::unique_ptr<Store> store, std::function<void()> wake = {});
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    /// Writes what was submitted, and calls nobody back.
    ~Writer();

    /// `written` is called by `complete`, once the commit is on disk or refused. An empty commit follows those before it and
    /// succeeds.
    void submit(Commit commit, Written written);
    /// The same for several at once: they share a transaction.
    struct Submission {
        Commit commit;
        Written written;
    };
    void submit(std::vector<Submission> together);

    /// `query` runs in the writer's thread after all commits before it; then `done` is called by `complete`.
    void read(Query query, std::function<void()> done);

    /// Calls back what is done, in the order of submission; false where nothing was. Callbacks may submit.
    bool complete();
    /// Waits until something can be completed; false where nothing is under way.
    [[nodiscard]] bool wait();

private:
    struct Job {
        Commit commit;
        Query query;
        Written written;
        Result result;
    };
    using Jobs = std::deque<Job>;

    void enqueue(std::vector<Job> jobs);
    void run();
    void work(Jobs& jobs);
    void write(const Jobs::iterator& first, const Jobs::iterator& last);

    std::unique_ptr<Store> store_;
    std::function<void()> wake_;
    std::size_t under_way_ = 0;  ///< submitted and not completed; the owner's
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    Jobs waiting_;
    Jobs done_;
    std::thread thread_;  ///< last: it uses the others
};

}  // namespace gateway::store
