#pragma once

#include <cstddef>
#include <utility>

#include <sys/mman.h>

namespace captures::base {

/// Unmaps it at the end. Null: there is none.
class MappedMemory {
public:
    MappedMemory() = default;
    /// What mmap returned, MAP_FAILED as well.
    MappedMemory(void* mapped, std::size_t size) noexcept
        : data_(mapped == MAP_FAILED ? nullptr : static_cast<std::byte*>(mapped)), size_(size) {}
    MappedMemory(MappedMemory&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}
    MappedMemory& operator=(MappedMemory&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    MappedMemory(const MappedMemory&) = delete;
    MappedMemory& operator=(const MappedMemory&) = delete;
    ~MappedMemory() {
        if (data_ != nullptr) munmap(data_, size_);
    }

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace captures::base
