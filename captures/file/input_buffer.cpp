#include "captures/file/input_buffer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace captures::file {

namespace {

/// Large enough for the system call not to matter, small enough to be parsed from the second-level cache.
constexpr std::size_t read_size = std::size_t{1} << 20;

/// The kernel copies faster to an aligned address, so what is unread is moved to just before one.
constexpr std::size_t alignment = 64;

}  // namespace

InputBuffer::InputBuffer(int descriptor, std::string name)
    : memory_(std::make_unique_for_overwrite<std::byte[]>(largest_record + read_size + alignment)),
      descriptor_(descriptor),
      name_(std::move(name)) {
    struct stat status {};
    if (fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) {
        total_ = static_cast<std::uint64_t>(status.st_size);
        posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
}

InputBuffer::InputBuffer(std::span<const std::byte> bytes, std::string name)
    : memory_(std::make_unique_for_overwrite<std::byte[]>(bytes.size())),
      end_(bytes.size()),
      read_(bytes.size()),
      total_(bytes.size()),
      ended_(true),
      name_(std::move(name)) {
    std::copy(bytes.begin(), bytes.end(), memory_.get());
}

InputBuffer::~InputBuffer() {
    if (descriptor_ > STDIN_FILENO) close(descriptor_);
}

bool InputBuffer::require(std::size_t bytes) {
    if (available() >= bytes) return true;
    if (ended_) return false;
    if (before_reuse_) before_reuse_();
    const std::size_t unread = available();
    const std::size_t begin = (alignment - unread % alignment) % alignment;
    std::memmove(memory_.get() + begin, data(), unread);
    begin_ = begin;
    end_ = begin + unread;
    while (available() < bytes && !ended_) read_more();
    return available() >= bytes;
}

bool InputBuffer::skip(std::uint64_t bytes) {
    while (bytes > available()) {
        bytes -= available();
        begin_ = end_;
        if (!require(1)) return false;
    }
    begin_ += static_cast<std::size_t>(bytes);
    return true;
}

std::string InputBuffer::short_header(const std::string& header, std::size_t size) const {
    if (!failure_.empty()) return "cannot read " + name_ + ": " + failure_;
    return name_ + ": the " + header + " is cut: " + std::to_string(size) + " bytes are needed, " +
           std::to_string(available()) + " are there";
}

void InputBuffer::read_more() {
    const ssize_t got = ::read(descriptor_, memory_.get() + end_, read_size);
    if (got < 0) failure_ = std::generic_category().message(errno);
    if (got <= 0) {
        ended_ = true;
        return;
    }
    end_ += static_cast<std::size_t>(got);
    read_ += static_cast<std::uint64_t>(got);
}

}  // namespace captures::file
