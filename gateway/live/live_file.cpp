#include "gateway/live/live_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "captures/file/pcapng_writer.hpp"

namespace gateway::live {

namespace {

/// Traffic is not for everybody on this machine.
constexpr mode_t owner_and_group = 0640;

}  // namespace

tl::expected<std::unique_ptr<LiveFile>, std::string> LiveFile::open_log(std::string path, Rotation rotation,
                                                                        MakeLog make, Log log) {
    const auto begin = [make = std::move(make)](std::unique_ptr<captures::file::OutputBuffer> output) {
        Writer writer;
        writer.output = output.get();
        writer.log = make(*output);
        writer.text = std::move(output);
        return writer;
    };
    std::unique_ptr<LiveFile> file{new LiveFile{std::move(path), rotation, begin, std::move(log)}};
    if (auto problem = file->open(); !problem.empty()) return tl::unexpected{std::move(problem)};
    return file;
}

tl::expected<std::unique_ptr<LiveFile>, std::string> LiveFile::open_recording(std::string path, Rotation rotation,
                                                                              Log log) {
    const auto begin = [](std::unique_ptr<captures::file::OutputBuffer> output) {
        Writer writer;
        writer.output = output.get();
        writer.capture = captures::file::make_pcapng_writer(std::move(output));
        writer.recording.emplace(*writer.capture);
        return writer;
    };
    std::unique_ptr<LiveFile> file{new LiveFile{std::move(path), rotation, begin, std::move(log)}};
    std::error_code ignored;
    if (std::filesystem::is_regular_file(file->path_, ignored) && !std::filesystem::is_empty(file->path_, ignored)) {
        file->put_aside();
    }
    if (auto problem = file->open(); !problem.empty()) return tl::unexpected{std::move(problem)};
    return file;
}

LiveFile::LiveFile(std::string path, Rotation rotation, Begin begin, Log log)
    : path_{std::move(path)}, rotation_{rotation}, begin_{std::move(begin)}, log_{std::move(log)} {}

LiveFile::~LiveFile() { close(); }

std::string LiveFile::open() {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): open(2) has no other form
    const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, owner_and_group);
    struct stat status {};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
        return fmt::format("cannot write {}: {}", path_, std::generic_category().message(errno));
    }
    rotates_ = S_ISREG(status.st_mode) && rotation_.size != 0;
    found_ = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
    device_ = status.st_dev;
    inode_ = status.st_ino;
    writer_ = begin_(std::make_unique<captures::file::OutputBuffer>(descriptor, path_));
    writer_.output->flush();
    return {};
}

/// Errors are not told: a name that stays is written on, and no packet is lost.
void LiveFile::put_aside() const {
    std::error_code ignored;
    const auto numbered = [this](unsigned number) { return fmt::format("{}.{}", path_, number); };
    if (rotation_.keep == 0) {
        std::filesystem::remove(path_, ignored);
        return;
    }
    for (auto number = rotation_.keep; number > 1; --number) {
        std::filesystem::rename(numbered(number - 1), numbered(number), ignored);
    }
    std::filesystem::rename(path_, numbered(1), ignored);
}

void LiveFile::arrived(const pipeline::Judged& burst) {
    if (!may_write()) return;
    if (writer_.log) writer_.log->judged(burst);
    if (writer_.recording) writer_.recording->arrived(burst);
    look_for_failure();
}

void LiveFile::left(const captures::packet::Frame& frame) {
    if (writer_.log || !may_write()) return;
    if (writer_.recording) writer_.recording->left(frame);
    look_for_failure();
}

/// False: what was to be written is lost.
bool LiveFile::may_write() {
    if (working_ && rotates_ && found_ + writer_.output->size() >= rotation_.size) rotate();
    if (!working_) ++lost_;
    return working_;
}

/// What was just told is missing, then.
void LiveFile::look_for_failure() {
    if (writer_.output->ok()) return;
    ++lost_;
    fail(writer_.output->error());
}

void LiveFile::fail(const std::string& problem) {
    working_ = false;
    log_(problem + "; packets go on, and those that are missing there are counted");
}

void LiveFile::tick() {
    if (!working_ && !resume()) return;
    writer_.output->flush();
    if (!writer_.output->ok()) fail(writer_.output->error());
}

bool LiveFile::resume() {
    working_ = writer_.output != nullptr ? writer_.output->retry() : open().empty();
    if (!working_) return false;
    log_(fmt::format("{} is written again; {} packets are missing", path_, lost_ - lost_told_));
    lost_told_ = lost_;
    return true;
}

void LiveFile::reopen() {
    struct stat status {};
    const bool there = ::stat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
    if (there) return;
    close();
    working_ = true;
    if (const auto problem = open(); !problem.empty()) fail(problem);
}

void LiveFile::rotate() {
    writer_.output->flush();  // what has no room must not end in the middle of a file that others follow
    if (!writer_.output->ok()) return fail(writer_.output->error());
    close();
    put_aside();
    if (const auto problem = open(); !problem.empty()) return fail(problem);
    if (found_ < rotation_.size) return;
    log_(path_ + " cannot be put aside; it grows on");
    rotates_ = false;
}

void LiveFile::close() {
    if (writer_.output == nullptr) return;
    if (!working_) static_cast<void>(writer_.output->retry());
    if (const auto problem = writer_.close(); !problem.empty()) log_(problem + "; its end is missing");
    writer_ = {};
}

}  // namespace gateway::live
