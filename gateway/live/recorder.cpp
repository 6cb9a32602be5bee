#include "gateway/live/recorder.hpp"

#include <pthread.h>

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "gateway/outputs/azure_log.hpp"
#include "gateway/outputs/decision_log.hpp"

namespace gateway::live {

using captures::packet::Frame;
using Clock = DecisionHistory::Clock;

namespace {

/// Some ten milliseconds of small packets at full rate, and many more of most traffic. Untouched memory costs nothing.
constexpr std::size_t ring_of_headers = std::size_t{16} << 20;
constexpr std::size_t ring_of_frames = std::size_t{64} << 20;
/// Of a frame that nobody records: all headers that a comment is made of.
constexpr std::size_t header_bytes = 128;
constexpr auto look_interval = std::chrono::milliseconds{10};
constexpr auto tick_interval = std::chrono::seconds{1};
constexpr int at_once = 4096;  ///< records between two looks at the clock
/// The packet path may still be at the rule set before the newest.
constexpr std::size_t tables_in_use = 2;

}  // namespace

tl::expected<std::unique_ptr<Recorder>, std::string> Recorder::open(const LogFiles& files,
                                                                    const std::string& firewall_id, const Log& log) {
    const auto& rotation = files.rotation;
    std::unique_ptr<Recorder> recorder{new Recorder{log, files.record.empty() ? ring_of_headers : ring_of_frames}};
    std::string problem;
    const auto take = [&](std::unique_ptr<LiveFile>& file,
                          tl::expected<std::unique_ptr<LiveFile>, std::string> opened) {
        if (opened) file = std::move(*opened);
        if (!opened && problem.empty()) problem = opened.error();
    };
    if (!files.azure_log.empty()) {
        const auto make = [firewall_id](auto& output) {
            return std::make_unique<outputs::AzureLog>(output, firewall_id);
        };
        take(recorder->azure_log_, LiveFile::open_log(files.azure_log, rotation, make, log));
    }
    if (!files.decisions.empty()) {
        const auto make = [](auto& output) { return std::make_unique<outputs::DecisionLog>(output); };
        take(recorder->decision_log_, LiveFile::open_log(files.decisions, rotation, make, log));
    }
    if (!files.record.empty()) take(recorder->recording_, LiveFile::open_recording(files.record, rotation, log));
    if (!problem.empty()) return tl::unexpected{std::move(problem)};
    recorder->thread_ = std::jthread{[&self = *recorder] { self.write_all(); }};
    static_cast<void>(::pthread_setname_np(recorder->thread_.native_handle(), "recorder"));
    return recorder;
}

Recorder::Recorder(Log log, std::size_t ring_size) : log_{std::move(log)}, ring_{ring_size} {}

Recorder::~Recorder() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
}

void Recorder::keep(std::shared_ptr<const pipeline::Tables> tables) {
    {
        const std::lock_guard lock{mutex_};
        if (!tables_.empty() && tables_.back() == tables) return;
        tables_.push_back(std::move(tables));
    }
    wake_.notify_one();
}

void Recorder::reopen() {
    {
        const std::lock_guard lock{mutex_};
        reopen_ = true;
    }
    wake_.notify_one();
}

DecisionHistory::Seen Recorder::decisions(std::uint64_t from, const DecisionFilter& filter, std::size_t limit) {
    auto seen = history_.since(from, filter, limit, Clock::now());
    {
        const std::lock_guard lock{mutex_};  // it may be about to sleep
    }
    wake_.notify_one();
    return seen;
}

Recorder::Numbers Recorder::numbers() const {
    Numbers numbers;
    numbers.not_queued = not_queued_.load(std::memory_order_relaxed);
    for (const auto* const file : {&azure_log_, &decision_log_, &recording_}) {
        if (*file) numbers.files.push_back({(*file)->path(), (*file)->lost()});
    }
    return numbers;
}

void Recorder::judged(const pipeline::Judged& burst) {
    const bool all = recording_ || decision_log_ || history_.is_wanted();
    if (!all && !azure_log_) return;
    const auto most = recording_ ? std::size_t{captures::packet::largest_frame} : header_bytes;
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        if (burst.verdicts[i].held) continue;
        if (!all && !outputs::AzureLog::tells_of(burst.packets[i], burst.verdicts[i])) continue;
        if (!store_arrival(ring_, burst, i, most)) not_queued_.fetch_add(1, std::memory_order_relaxed);
    }
    ring_.publish();
}

void Recorder::leaving(const Frame& frame) {
    latest_ = store_departure(ring_, frame);
    if (latest_ == nullptr) not_queued_.fetch_add(1, std::memory_order_relaxed);
}

void Recorder::left(bool taken) {
    if (latest_ != nullptr) latest_->refused = !taken;
    ring_.publish();
}

void Recorder::write_all() {
    while (true) {
        const bool stop = [this] {
            const std::lock_guard lock{mutex_};
            return stopping_;
        }();
        const bool busy = drain();
        const auto now = Clock::now();
        const bool last = stop && !busy;
        if (last || now >= next_tick_) tick(now);
        if (last) return;
        if (!busy) wait();
    }
}

/// False: there was nothing.
bool Recorder::drain() {
    int count = 0;
    for (auto record = ring_.front(); !record.empty() && count < at_once; record = ring_.front(), ++count) {
        auto observation = load_observation(record);
        if (auto* const arrival = std::get_if<Arrival>(&observation)) {
            tell(*arrival);
        } else if (const auto& departure = std::get<Departure>(observation); recording_ && !departure.refused) {
            recording_->left(departure.frame);
        }
        ring_.pop();
    }
    return count != 0;
}

void Recorder::tell(Arrival& arrival) {
    release_tables(arrival.tables);
    const auto judged = arrival.judged();
    if (azure_log_ && outputs::AzureLog::tells_of(arrival.packet, arrival.verdict)) azure_log_->arrived(judged);
    if (decision_log_) decision_log_->arrived(judged);
    if (history_.is_wanted()) history_.add(outputs::decision_of(judged, 0));
    if (recording_) recording_->arrived(judged);  // last: it completes checksums
}

/// Of the rule sets before the one that judged what the writer has come to.
void Recorder::release_tables(const pipeline::Tables* current) {
    if (std::exchange(current_, current) == current) return;
    const std::lock_guard lock{mutex_};
    while (tables_.size() > 1 && tables_.front().get() != current) tables_.pop_front();
}

void Recorder::tick(Clock::time_point now) {
    next_tick_ = now + tick_interval;
    for (auto* const file : {azure_log_.get(), decision_log_.get(), recording_.get()}) {
        if (file != nullptr) file->tick();
    }
    history_.tick(now);
    const auto lost = not_queued_.load(std::memory_order_relaxed);
    if (lost == not_queued_told_) return;
    const auto since = lost - std::exchange(not_queued_told_, lost);
    if (history_.is_wanted()) history_.skip(since);
    if (numbers().files.empty()) return;  // those who watch are told
    log_(fmt::format("packets come faster than they are written down: {} are missing in the logs", since));
}

/// Until there may be something to do.
void Recorder::wait() {
    std::unique_lock lock{mutex_};
    // Nothing is in the ring that was published before the lock, so nothing there is older than these.
    while (tables_.size() > tables_in_use && ring_.front().empty()) tables_.pop_front();
    if (!has_work()) {
        wake_.wait(lock, [this] { return has_work() || stopping_ || reopen_ || tables_.size() > tables_in_use; });
    } else if (!stopping_ && !reopen_) {
        wake_.wait_for(lock, look_interval);
    }
    if (!std::exchange(reopen_, false)) return;
    lock.unlock();
    for (auto* const file : {azure_log_.get(), decision_log_.get(), recording_.get()}) {
        if (file != nullptr) file->reopen();
    }
}

bool Recorder::has_work() const { return azure_log_ || decision_log_ || recording_ || history_.is_wanted(); }

}  // namespace gateway::live
