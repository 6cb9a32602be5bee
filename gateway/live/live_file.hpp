#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "captures/capture_writer.hpp"
#include "captures/output_buffer.hpp"
#include "gateway/pipeline.hpp"

namespace gateway::live {

/// When a file is put aside for a new one: FILE becomes FILE.1, FILE.1 becomes FILE.2, and so on.
struct Rotation {
    std::uint64_t size = 100'000'000;  ///< bytes, from which on; 0: never
    unsigned keep = 10;                ///< files beside the one that is written
};

/// A file that is written while the gateway runs: what observers of a replay write, rotated, and with patience.
///
/// Each file is complete by itself. While the disk is full, or whatever else the system objects to, packets are not
/// told and counted, and once a second it is tried again: then the file goes on where it stopped.
class LiveFile final : public Observer {
public:
    using Log = std::function<void(const std::string& warning)>;

    /// The decisions or Azure's log, appended to what is there.
    using MakeLog = std::function<std::unique_ptr<Observer>(captures::OutputBuffer&)>;
    [[nodiscard]] static tl::expected<std::unique_ptr<LiveFile>, std::string> open_log(std::string path,
                                                                                       Rotation rotation, MakeLog make,
                                                                                       Log log);
    /// An annotated pcapng; what is there is put aside first.
    [[nodiscard]] static tl::expected<std::unique_ptr<LiveFile>, std::string> open_recording(std::string path,
                                                                                             Rotation rotation,
                                                                                             Log log);
    ~LiveFile() override;

    void judged(const Judged& burst) override;
    void rewritten(const Judged& burst) override;
    void synthesized(const captures::Frame& frame) override;

    /// Writes out what there is, or tries again to. To be called about once a second.
    void tick();

    /// Packets that are not in the file.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

private:
    /// What writes one file.
    struct Writer {
        captures::OutputBuffer* output = nullptr;  ///< owned by one of the two below
        std::unique_ptr<captures::CaptureWriter> capture;
        std::unique_ptr<captures::OutputBuffer> text;
        std::unique_ptr<Observer> observer;

        [[nodiscard]] std::string close() const { return capture ? capture->close() : text->close(); }
    };
    using Begin = std::function<Writer(std::unique_ptr<captures::OutputBuffer>)>;

    LiveFile(std::string path, Rotation rotation, Begin begin, Log log);
    [[nodiscard]] std::string open();
    void put_aside() const;
    void rotate();
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
    bool rotates_ = false;     ///< a regular file
    bool working_ = true;
    std::uint64_t lost_ = 0;
    std::uint64_t lost_told_ = 0;  ///< of these, in the log
};

}  // namespace gateway::live
