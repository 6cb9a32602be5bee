#include "captures/output_buffer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace captures {

tl::expected<std::unique_ptr<OutputBuffer>, std::string> OutputBuffer::create(const std::string& path) {
    if (path == "-") return std::make_unique<OutputBuffer>(STDOUT_FILENO, "standard output");
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): open(2) has no other form
    const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) return tl::unexpected("cannot create " + path + ": " + std::generic_category().message(errno));
    return std::make_unique<OutputBuffer>(descriptor, path);
}

OutputBuffer::OutputBuffer(int descriptor, std::string name)
    : memory_(std::make_unique_for_overwrite<std::byte[]>(std::max(write_size, largest_piece))),
      descriptor_(descriptor),
      name_(std::move(name)) {}

OutputBuffer::~OutputBuffer() { static_cast<void>(close()); }

void OutputBuffer::fail(const std::string& reason) {
    if (!ok_) return;
    ok_ = false;
    error_ = "cannot write " + name_ + ": " + reason;
}

const std::string& OutputBuffer::close() {
    if (descriptor_ < 0) return error_;
    flush();
    if (descriptor_ != STDOUT_FILENO && ::close(descriptor_) != 0) fail(std::generic_category().message(errno));
    descriptor_ = -1;
    return error_;
}

void OutputBuffer::flush() {
    std::size_t done = 0;
    while (done < used_ && !stuck_) {
        const ssize_t written = ::write(descriptor_, memory_.get() + done, used_ - done);
        if (written >= 0) {
            done += static_cast<std::size_t>(written);
        } else if (errno != EINTR) {
            fail(std::generic_category().message(errno));
            stuck_ = true;
        }
    }
    used_ -= done;
    if (used_ > 0 && done > 0) std::memmove(memory_.get(), memory_.get() + done, used_);
}

bool OutputBuffer::retry() {
    ok_ = true;
    stuck_ = false;
    error_.clear();
    flush();
    return ok_;
}

}  // namespace captures
