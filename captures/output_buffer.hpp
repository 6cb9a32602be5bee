#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <tl/expected.hpp>

namespace captures {

/// A file written in large pieces. Errors are sticky: after one, nothing more is appended until a `retry` succeeds.
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
        if (used_ + bytes > write_size) flush();
        if (!ok_) return nullptr;
        std::byte* const room = memory_.get() + used_;
        used_ += bytes;
        size_ += bytes;
        return room;
    }

    /// Writes what was appended.
    void flush();
    /// After a failed write (a full disk): tries to write what it could not, to go on where it stopped. Between two
    /// pieces nothing is missing in the file but what was refused.
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

    std::unique_ptr<std::byte[]> memory_;
    std::size_t used_ = 0;
    std::uint64_t size_ = 0;
    int descriptor_;
    bool ok_ = true;
    bool stuck_ = false;  ///< a write failed
    std::string name_;
    std::string error_;
};

}  // namespace captures
