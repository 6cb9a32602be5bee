#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace dnat {

/// A fixed array of zero bytes that asks for huge pages: a table of millions of entries is looked up at random, and
/// with 4 KiB pages every look-up would miss the TLB, too. Pages are taken from the system when first touched.
template <class T>
class HugeArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    /// Throws std::bad_alloc where the address space is exhausted.
    explicit HugeArray(std::size_t size) : size_{size}, bytes_{(size * sizeof(T) + page - 1) / page * page} {
        if (size == 0) return;
        // Huge pages begin at multiples of their size only; an array of less gets none, so as not to be filled up to one.
        const auto spare = bytes_ >= huge_page ? huge_page : 0;
        void* const memory = ::mmap(nullptr, bytes_ + spare, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc{};
        auto* const begin = static_cast<std::byte*>(memory);
        const auto before = spare == 0 ? 0 : (0 - reinterpret_cast<std::uintptr_t>(memory)) % huge_page;
        if (before > 0) ::munmap(begin, before);
        if (spare > before) ::munmap(begin + before + bytes_, spare - before);
        if (spare > 0) ::madvise(begin + before, bytes_, MADV_HUGEPAGE);  // advice: without it things are only slower
        data_ = reinterpret_cast<T*>(begin + before);
    }
    HugeArray(HugeArray&& other) noexcept
        : size_{std::exchange(other.size_, 0)},
          bytes_{std::exchange(other.bytes_, 0)},
          data_{std::exchange(other.data_, nullptr)} {}
    /// A copy takes as much memory as all of the original; both throw as the constructor does.
    HugeArray(const HugeArray& other) : HugeArray{other.size_} {
        if (size_ > 0) std::memcpy(data_, other.data_, size_ * sizeof(T));
    }
    HugeArray& operator=(const HugeArray& other) {
        if (this != &other) *this = HugeArray{other};
        return *this;
    }
    HugeArray& operator=(HugeArray&& other) noexcept {
        std::swap(size_, other.size_);
        std::swap(bytes_, other.bytes_);
        std::swap(data_, other.data_);
        return *this;
    }
    ~HugeArray() {
        if (data_ != nullptr) ::munmap(data_, bytes_);
    }

    [[nodiscard]] T& operator[](std::size_t index) noexcept { return data_[index]; }
    [[nodiscard]] const T& operator[](std::size_t index) const noexcept { return data_[index]; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Address space taken; memory is at most this.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    static constexpr std::size_t page = 4096;
    static constexpr std::size_t huge_page = std::size_t{2} << 20;

    std::size_t size_;
    std::size_t bytes_;
    T* data_ = nullptr;
};

}  // namespace dnat
