#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace captures::file {

/// A file written in large pieces: what is appended is copied first, what is appended without a copy goes out from where it lies, both in the
/// order in which they came. Errors are sticky: after one, nothing more is appended until a `retry` succeeds.
class OutputBuffer {
public:
    /// The largest piece that can be had at once: more than any frame with its headers and a comment.
    static constexpr std::size_t largest_piece = std::size_t{1} << 19;

    /// Creates or truncates `path`; `-` is standard output, which stays open.
    [[nodiscard]] static tl::expected<std::unique_ptr<OutputBuffer>, std::string> create(const std::string& path);

    OutputBuffer(int descriptor, std::string name);
    OutputBuffer(const OutputBuffer&) = delete;
    OutputBuffer& operator=(const OutputBuffer&) = delete;
    ~OutputBuffer();

    /// Room for `bytes` more (<= largest_piece), which count as written; null after an error.
    [[nodiscard]] std::byte* append(std::size_t bytes) {
        if (!zero_copy_piece_.empty()) end_zero_copy_piece();
        if (used_ + bytes > write_size) flush();
        if (!ok_) return nullptr;
        std::byte* const room = memory_.get() + used_;
        used_ += bytes;
        size_ += bytes;
        return room;
    }

    /// Appends bytes that stay as they are until the next `release` (or `flush`, or `close`) has returned. Those that follow
    /// each other in memory make one piece, and a piece that remains short is copied after all.
    void append_zero_copy(std::span<const std::byte> bytes) {
        if (!ok_) return;
        if (zero_copy_piece_.data() + zero_copy_piece_.size() == bytes.data()) {
            zero_copy_piece_ = {zero_copy_piece_.data(), zero_copy_piece_.size() + bytes.size()};
        } else {
            end_zero_copy_piece();
            zero_copy_piece_ = bytes;
        }
        size_ += bytes.size();
    }
    /// Writes the zero-copy pieces, and so all before it.
    void release() {
        if (!zero_copy_piece_.empty() || has_zero_copy_) flush();
    }

    /// Writes what was appended.
    void flush();
    /// After a failed write (a full disk): tries to write what it could not, to go on where it stopped. Between two
    /// pieces nothing is missing in the file but what was refused. In vain where zero-copy bytes were not written.
    [[nodiscard]] bool retry();

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] const std::string& error() const noexcept { return error_; }
    /// Bytes appended, written or not.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    /// Refuses what would come next; what was appended is still written. Only the first error counts.
    void fail(const std::string& reason);
    /// Flushes and closes; what went wrong since the start, or nothing.
    [[nodiscard]] const std::string& close();

private:
    /// Large enough for the system call not to matter, small enough to be copied from the second-level cache.
    static constexpr std::size_t write_size = std::size_t{1} << 18;

    using Piece = std::span<const std::byte>;

    void end_zero_copy_piece();
    void end_copied();
    [[nodiscard]] std::size_t write_pieces();

    std::unique_ptr<std::byte[]> memory_;
    std::size_t used_ = 0;
    std::size_t copied_ = 0;      ///< up to there the memory is in pieces_
    std::vector<Piece> pieces_;   ///< that come before the rest of the memory
    bool has_zero_copy_ = false;  ///< of these
    Piece zero_copy_piece_;       ///< that comes after it, and grows
    std::uint64_t size_ = 0;
    int descriptor_;
    bool ok_ = true;
    bool stuck_ = false;  ///< a write failed
    bool lost_ = false;   ///< zero-copy bytes were not written
    std::string name_;
    std::string error_;
};

}  // namespace captures::file
