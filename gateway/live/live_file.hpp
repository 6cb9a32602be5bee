#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "captures/file/capture_writer.hpp"
#include "captures/file/output_buffer.hpp"
#include "gateway/live/recording.hpp"
#include "gateway/live/rotation.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace gateway::live {

/// A file that is written while the gateway runs: what observers of a replay write, rotated, and with patience.
///
/// Each file is complete by itself. While the disk is full, or whatever else the system objects to, packets are not
/// written but counted, and once a second it is tried again: then the file goes on where it stopped. One thread writes.
class LiveFile {
public:
    using Log = std::function<void(const std::string& warning)>;

    /// The decisions or Azure's log, appended to what is there.
    using MakeLog = std::function<std::unique_ptr<pipeline::Observer>(captures::file::OutputBuffer&)>;
    [[nodiscard]] static tl::expected<std::unique_ptr<LiveFile>, std::string> open_log(std::string path,
                                                                                       Rotation rotation, MakeLog make,
                                                                                       Log log);
    /// A `Recording`; what is there is put aside first.
    [[nodiscard]] static tl::expected<std::unique_ptr<LiveFile>, std::string> open_recording(std::string path,
                                                                                             Rotation rotation,
                                                                                             Log log);
    LiveFile(const LiveFile&) = delete;
    LiveFile& operator=(const LiveFile&) = delete;
    ~LiveFile();

    /// Frames may be changed.
    void arrived(const pipeline::Judged& burst);
    void left(const captures::packet::Frame& frame);

    /// Writes out what there is, or tries again to. To be called about once a second.
    void tick();
    /// After somebody has moved the file away: goes on in a new one of its name.
    void reopen();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Of packets that are not in the file; from any thread.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

private:
    /// What writes one file.
    struct Writer {
        captures::file::OutputBuffer* output = nullptr;  ///< owned by one of the two below
        std::unique_ptr<captures::file::CaptureWriter> capture;
        std::unique_ptr<captures::file::OutputBuffer> text;
        std::unique_ptr<pipeline::Observer> log;
        std::optional<Recording> recording;

        [[nodiscard]] std::string close() const { return capture ? capture->close() : text->close(); }
    };
    using Begin = std::function<Writer(std::unique_ptr<captures::file::OutputBuffer>)>;

    LiveFile(std::string path, Rotation rotation, Begin begin, Log log);
    [[nodiscard]] std::string open();
    void put_aside() const;
    void rotate();
    [[nodiscard]] bool may_write();
    void look_for_failure();
    void fail(const std::string& problem);
    [[nodiscard]] bool resume();
    void close();

    std::string path_;
    Rotation rotation_;
    Begin begin_;
    Log log_;
    Writer writer_;
    std::uint64_t found_ = 0;  ///< bytes that were there before this process wrote
    std::uint64_t device_ = 0;
    std::uint64_t inode_ = 0;
    bool rotates_ = false;  ///< a regular file
    bool working_ = true;
    std::atomic<std::uint64_t> lost_{0};
    std::uint64_t lost_told_ = 0;  ///< of these, in the log
};

}  // namespace gateway::live
