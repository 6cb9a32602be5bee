#pragma once

#include <memory>
#include <string>
#include <utility>

#include "captures/file/input_buffer.hpp"
#include "captures/file/source.hpp"

namespace captures::file {

/// What the readers of all file formats share.
class FileSource : public Source {
public:
    [[nodiscard]] const std::optional<ReadError>& error() const noexcept final { return error_; }
    void use_zero_copy(const std::function<void()>& before_reuse) final { input_->use_zero_copy(before_reuse); }
    [[nodiscard]] Progress progress() const noexcept final { return {input_->offset(), input_->total()}; }

protected:
    explicit FileSource(std::unique_ptr<InputBuffer> input) : input_(std::move(input)) {}

    /// Ends the reading because of the record that starts at `offset`.
    void fail(std::uint64_t offset, std::string what) {
        error_ = ReadError{delivered_ + 1, offset, input_->name(), std::move(what)};
    }

    /// The same where the input gave less of `record` than it needs.
    void fail_short(std::uint64_t offset, const std::string& record) {
        fail(offset, input_->failure().empty() ? "the input ends inside " + record
                                               : "reading failed inside " + record + ": " + input_->failure());
    }

    /// What to do where a record would start and nothing is left.
    void finish() {
        if (!input_->failure().empty()) fail(input_->offset(), "reading failed: " + input_->failure());
    }

    [[nodiscard]] InputBuffer& input() noexcept { return *input_; }
    /// Packets so far, which is the number of the last one.
    [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }
    void set_delivered(std::uint64_t packets) noexcept { delivered_ = packets; }

private:
    std::unique_ptr<InputBuffer> input_;
    std::uint64_t delivered_ = 0;
    std::optional<ReadError> error_;
};

}  // namespace captures::file
