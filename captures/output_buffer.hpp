#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <tl/expected.hpp>

namespace captures {

/// A file written in large pieces. Errors are sticky: after one, nothing more is appended.
class OutputBuffer {
public:
    /// The largest piece that can be had at once.
    static constexpr std::size_t capacity = std::size_t{1} << 20;

    /// Creates or truncates `path`; `-` is standard output, which stays open.
    [[nodiscard]] static tl::expected<std::unique_ptr<OutputBuffer>, std::string> create(const std::string& path);

    OutputBuffer(int descriptor, std::string name);
    OutputBuffer(const OutputBuffer&) = delete;
    OutputBuffer& operator=(const OutputBuffer&) = delete;
    ~OutputBuffer();

    /// Room for `bytes` more (<= capacity), which count as written; null after an error.
    [[nodiscard]] std::byte* append(std::size_t bytes) {
        if (bytes > capacity - used_) flush();
        if (!ok_) return nullptr;
        std::byte* const room = memory_.get() + used_;
        used_ += bytes;
        return room;
    }

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    /// Refuses what would come next; what was appended is still written. Only the first error counts.
    void fail(const std::string& reason);
    /// Flushes and closes; what went wrong since the start, or nothing.
    [[nodiscard]] const std::string& close();

private:
    void flush();

    std::unique_ptr<std::byte[]> memory_;
    std::size_t used_ = 0;
    int descriptor_;
    bool ok_ = true;
    bool writable_ = true;
    std::string name_;
    std::string error_;
};

}  // namespace captures
