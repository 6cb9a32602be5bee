#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <tl/expected.hpp>

#include "gateway/live/byte_ring.hpp"
#include "gateway/live/decision_history.hpp"
#include "gateway/live/live_file.hpp"
#include "gateway/live/log_files.hpp"
#include "gateway/live/observation.hpp"
#include "gateway/live/tap.hpp"

namespace gateway::live {

/// Writes down what the packet path does: logs and recordings on disk, and the latest decisions for those who watch.
///
/// Theory of operation. The packet path copies what it saw into a ring, and only what somebody wants: it neither formats nor
/// waits. A thread of its own turns that into text and blocks, and waits for disks. Where it does not keep up, the ring
/// is full, and what finds no room is lost and counted: traffic is never slowed for the sake of its description. The
/// writer looks every few milliseconds instead of being woken, which would cost the packet path a system call a burst.
///
/// What is in the ring points at rules. The control thread hands every rule set over before the packet path uses it
/// (`keep`), and the writer lets go of one when it has come to what a later one judged.
class Recorder final : public Tap {
public:
    using Log = std::function<void(const std::string& warning)>;  ///< called by the writer's thread, too

    /// Opens all files. The error is for a person.
    [[nodiscard]] static tl::expected<std::unique_ptr<Recorder>, std::string> open(const LogFiles& files,
                                                                                   const std::string& firewall_id,
                                                                                   const Log& log);
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;
    /// Writes what is there to its end.
    ~Recorder() override;

    // By the control thread.

    void keep(std::shared_ptr<const pipeline::Tables> tables);
    /// See LiveFile::reopen.
    void reopen();
    /// See DecisionHistory::since.
    [[nodiscard]] DecisionHistory::Seen decisions(std::uint64_t from, const DecisionFilter& filter, std::size_t limit);

    struct Numbers {
        std::uint64_t not_queued = 0;  ///< packets and departures: the writer was too slow
        struct File {
            std::string path;
            std::uint64_t lost = 0;  ///< the disk was full, or the like
        };
        std::vector<File> files;
    };
    [[nodiscard]] Numbers numbers() const;

    // By the packet path's thread.

    void judged(const pipeline::Judged& burst) override;
    [[nodiscard]] bool takes_departures() const noexcept override { return recording_ != nullptr; }
    void leaving(const captures::packet::Frame& frame) override;
    void left(bool taken) override;

private:
    explicit Recorder(Log log, std::size_t ring_size);

    void write_all();
    [[nodiscard]] bool drain();
    void tell(Arrival& arrival);
    void tick(DecisionHistory::Clock::time_point now);
    void wait();
    void release_tables(const pipeline::Tables* current);
    [[nodiscard]] bool has_work() const;

    Log log_;
    std::unique_ptr<LiveFile> azure_log_;
    std::unique_ptr<LiveFile> decision_log_;
    std::unique_ptr<LiveFile> recording_;
    DecisionHistory history_;
    ByteRing ring_;

    // The packet path's.
    std::atomic<std::uint64_t> not_queued_{0};
    Departure* latest_ = nullptr;

    // The writer's.
    const pipeline::Tables* current_ = nullptr;
    std::uint64_t not_queued_told_ = 0;
    DecisionHistory::Clock::time_point next_tick_{};

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::shared_ptr<const pipeline::Tables>> tables_;  ///< oldest first
    bool reopen_ = false;
    bool stopping_ = false;
    std::jthread thread_;  // last: it uses the others
};

}  // namespace gateway::live
