#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace captures::file {

/// A window onto an input that moves forward only: large sequential reads, and the records parsed where they land.
class InputBuffer {
public:
    /// The largest record that can be had as a whole: more than any frame with its headers and options.
    static constexpr std::size_t largest_record = std::size_t{1} << 20;

    /// Reads `descriptor` and closes it at the end; 0, standard input, stays open.
    InputBuffer(int descriptor, std::string name);
    /// Reads a copy of `bytes`.
    InputBuffer(std::span<const std::byte> bytes, std::string name);
    InputBuffer(const InputBuffer&) = delete;
    InputBuffer& operator=(const InputBuffer&) = delete;
    ~InputBuffer();

    [[nodiscard]] std::byte* data() noexcept { return memory_.get() + begin_; }
    [[nodiscard]] std::size_t available() const noexcept { return end_ - begin_; }
    void consume(std::size_t bytes) noexcept { begin_ += bytes; }

    /// Makes at least `bytes` (<= largest_record) available, reading and moving what is there if need be: pointers
    /// into the buffer die. False if the input ends before.
    [[nodiscard]] bool require(std::size_t bytes);

    /// `before_reuse` is called before what was consumed is overwritten. Empty: nobody needs to know.
    void use_zero_copy(std::function<void()> before_reuse) { before_reuse_ = std::move(before_reuse); }
    [[nodiscard]] bool is_zero_copy() const noexcept { return static_cast<bool>(before_reuse_); }

    /// Consumes `bytes`, however many, without ever holding them all. False if the input ends before.
    [[nodiscard]] bool skip(std::uint64_t bytes);

    /// Of `data`, from the start of the input.
    [[nodiscard]] std::uint64_t offset() const noexcept { return read_ - available(); }
    /// Bytes in all; 0 where unknown.
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// The system's reason why the input ended early; empty if it simply ended. A signal that interrupts the reading is
    /// such a reason: who has a handler that does not restart it wants it to end.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
    /// For the person: that the file's `header` of `size` bytes is not all there.
    [[nodiscard]] std::string short_header(const std::string& header, std::size_t size) const;

private:
    void read_more();

    std::unique_ptr<std::byte[]> memory_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint64_t read_ = 0;
    std::uint64_t total_ = 0;
    int descriptor_ = -1;
    bool ended_ = false;
    std::function<void()> before_reuse_;
    std::string name_;
    std::string failure_;
};

}  // namespace captures::file
