#include "gateway/store/writer.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace gateway::store {

namespace {

/// Nobody has submitted anything for so long: time for maintenance.
constexpr std::chrono::milliseconds quiet{100};

}  // namespace

Writer::Writer(std::unique_ptr<Store> store, std::function<void()> wake)
    : store_{std::move(store)}, wake_{std::move(wake)}, thread_{[this] { run(); }} {
    static_cast<void>(::pthread_setname_np(thread_.native_handle(), "store"));
}

Writer::~Writer() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Writer::submit(Commit commit, Written written) {
    std::vector<Job> jobs;
    jobs.push_back({std::move(commit), {}, std::move(written), {}});
    enqueue(std::move(jobs));
}

void Writer::submit(std::vector<Submission> together) {
    std::vector<Job> jobs;
    jobs.reserve(together.size());
    for (auto& one : together) jobs.push_back({std::move(one.commit), {}, std::move(one.written), {}});
    enqueue(std::move(jobs));
}

void Writer::read(Query query, std::function<void()> done) {
    std::vector<Job> jobs;
    jobs.push_back({{}, std::move(query), [done = std::move(done)](const Result& /*always succeeds*/) { done(); }, {}});
    enqueue(std::move(jobs));
}

void Writer::enqueue(std::vector<Job> jobs) {
    under_way_ += jobs.size();
    {
        const std::lock_guard lock{mutex_};
        std::ranges::move(jobs, std::back_inserter(waiting_));
    }
    changed_.notify_all();
}

bool Writer::complete() {
    Jobs done;
    {
        const std::lock_guard lock{mutex_};
        done.swap(done_);
    }
    for (auto& job : done) {
        --under_way_;
        if (job.written) job.written(job.result);
    }
    return !done.empty();
}

bool Writer::wait() {
    if (under_way_ == 0) return false;
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !done_.empty(); });
    return true;
}

void Writer::run() {
    std::unique_lock lock{mutex_};
    while (true) {
        const auto is_due = [this] { return stopping_ || !waiting_.empty(); };
        if (!changed_.wait_for(lock, quiet, is_due)) {
            lock.unlock();
            store_->maintain();
            lock.lock();
            changed_.wait(lock, is_due);
        }
        if (waiting_.empty()) return;
        Jobs jobs;
        jobs.swap(waiting_);
        lock.unlock();
        work(jobs);
        lock.lock();
        std::ranges::move(jobs, std::back_inserter(done_));
        changed_.notify_all();
        if (wake_ && !stopping_) wake_();
    }
}

void Writer::work(Jobs& jobs) {
    for (auto job = jobs.begin(); job != jobs.end();) {
        if (job->query) {
            job->query(*store_);
            ++job;
            continue;
        }
        const auto last = std::find_if(job, jobs.end(), [](const Job& one) { return one.query != nullptr; });
        write(job, last);
        job = last;
    }
}

void Writer::write(const Jobs::iterator& first, const Jobs::iterator& last) {
    Commit whole;
    for (auto job = first; job != last; ++job) {
        job->result = check(job->commit);
        if (job->result) append(whole, std::move(job->commit));
    }
    if (is_empty(whole)) return;
    const auto result = store_->commit(whole);
    for (auto job = first; job != last; ++job) {
        if (job->result) job->result = result;
    }
}

}  // namespace gateway::store
