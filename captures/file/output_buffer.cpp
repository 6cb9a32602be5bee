#include "captures/file/output_buffer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace captures::file {

namespace {

/// Of what is zero_copy, shorter pieces are copied: that costs less than a piece of its own in a system call.
constexpr std::size_t short_piece = 1024;
constexpr std::size_t most_pieces = 64;

}  // namespace

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

void OutputBuffer::end_zero_copy_piece() {
    if (zero_copy_piece_.empty()) return;
    if (zero_copy_piece_.size() < short_piece && used_ + zero_copy_piece_.size() <= write_size) {
        std::memcpy(memory_.get() + used_, zero_copy_piece_.data(), zero_copy_piece_.size());
        used_ += zero_copy_piece_.size();
        zero_copy_piece_ = {};
        return;
    }
    end_copied();
    pieces_.push_back(zero_copy_piece_);
    zero_copy_piece_ = {};
    has_zero_copy_ = true;
    if (pieces_.size() >= most_pieces) flush();
}

void OutputBuffer::end_copied() {
    if (used_ > copied_) pieces_.emplace_back(memory_.get() + copied_, used_ - copied_);
    copied_ = used_;
}

void OutputBuffer::flush() {
    end_copied();
    const bool zero_copy = has_zero_copy_ || !zero_copy_piece_.empty();
    if (!zero_copy_piece_.empty()) pieces_.push_back(zero_copy_piece_);
    const std::size_t left = write_pieces();
    if (zero_copy) {
        lost_ |= left > 0;
        used_ = 0;
    } else {
        std::memmove(memory_.get(), memory_.get() + used_ - left, left);
        used_ = left;
    }
    copied_ = 0;
    pieces_.clear();
    has_zero_copy_ = false;
    zero_copy_piece_ = {};
}

/// Returns how many bytes at the end could not be written.
std::size_t OutputBuffer::write_pieces() {
    std::array<iovec, most_pieces + 2> vectors{};
    std::size_t left = 0;
    for (std::size_t index = 0; index < pieces_.size(); ++index) {
        const Piece& piece = pieces_[index];
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): writev(2) does not write there
        vectors[index] = {const_cast<std::byte*>(piece.data()), piece.size()};
        left += piece.size();
    }
    auto* next = vectors.data();
    while (left > 0 && !stuck_) {
        const auto count = static_cast<int>(vectors.data() + pieces_.size() - next);
        const ssize_t written = ::writev(descriptor_, next, count);
        if (written < 0) {
            if (errno == EINTR) continue;
            fail(std::generic_category().message(errno));
            stuck_ = true;
            break;
        }
        auto done = static_cast<std::size_t>(written);
        left -= done;
        for (; done > 0 && done >= next->iov_len; ++next) done -= next->iov_len;
        next->iov_base = static_cast<std::byte*>(next->iov_base) + done;
        next->iov_len -= done;
    }
    return left;
}

bool OutputBuffer::retry() {
    if (lost_) return false;
    ok_ = true;
    stuck_ = false;
    error_.clear();
    flush();
    return ok_;
}

}  // namespace captures::file
