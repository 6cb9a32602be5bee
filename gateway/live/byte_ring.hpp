#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace gateway::live {

/// A queue of records from one thread to one other, in memory that is taken once: neither waits, locks or allocates.
///
/// Theory of operation. Two counters of bytes that only grow, one written by each thread; their difference is what is
/// there. Each thread remembers what it last read of the other's and reads it again only when that does not suffice,
/// so that the counters' cache lines travel once for many records. A record lies in one piece: where it does not fit
/// before the end of the memory, a record that is nothing fills up to there. Records are handed over in batches
/// (`publish`), and may be changed by the reader.
class ByteRing {  // NOLINT(clang-analyzer-optin.performance.Padding): each thread has a cache line of its own
public:
    static constexpr std::size_t alignment = 16;  ///< of a record's first byte

    /// Rounded up to a power of two of at least a page.
    explicit ByteRing(std::size_t capacity)
        : capacity_{std::bit_ceil(std::max(capacity, std::size_t{4096}))},
          memory_{std::make_unique_for_overwrite<std::byte[]>(capacity_)} {}

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    // By the writer.

    /// Room for a record; null if there is none now (or never will: more than half of the capacity).
    [[nodiscard]] std::byte* claim(std::size_t size) noexcept {
        const auto whole = padded(size + alignment);
        const auto at = static_cast<std::size_t>(claimed_) & (capacity_ - 1);
        const auto skipped = at + whole > capacity_ ? capacity_ - at : 0;
        if (whole > capacity_ / 2 || !has_room(skipped + whole)) return nullptr;
        if (skipped != 0) store_header(at, {skipped, nothing});
        const auto begin = (at + skipped) & (capacity_ - 1);
        store_header(begin, {whole, size});
        claimed_ += skipped + whole;
        return memory_.get() + begin + alignment;
    }

    /// Hands over all that was claimed since the last time.
    void publish() noexcept { written_.store(claimed_, std::memory_order_seq_cst); }

    // By the reader.

    /// The oldest record; no bytes at all if there is none. It stays until `pop`.
    [[nodiscard]] std::span<std::byte> front() noexcept {
        for (;;) {
            if (read_until_ == written_seen_) {
                written_seen_ = written_.load(std::memory_order_seq_cst);
                if (read_until_ == written_seen_) return {};
            }
            const auto at = static_cast<std::size_t>(read_until_) & (capacity_ - 1);
            const auto header = load_header(at);
            if (header.size != nothing) return {memory_.get() + at + alignment, header.size};
            advance(header.whole);
        }
    }

    /// Precondition: there is a `front`.
    void pop() noexcept {
        assert(read_until_ != written_seen_);
        advance(load_header(static_cast<std::size_t>(read_until_) & (capacity_ - 1)).whole);
    }

private:
    struct Header {
        std::size_t whole = 0;  ///< bytes to the next header
        std::size_t size = 0;
    };
    static_assert(sizeof(Header) == alignment);
    static constexpr std::size_t nothing = ~std::size_t{0};
    static constexpr std::size_t cache_line = 64;

    static constexpr std::size_t padded(std::size_t size) noexcept { return (size + alignment - 1) & ~(alignment - 1); }

    [[nodiscard]] bool has_room(std::size_t bytes) noexcept {
        if (claimed_ + bytes - read_seen_ <= capacity_) return true;
        read_seen_ = read_.load(std::memory_order_acquire);
        return claimed_ + bytes - read_seen_ <= capacity_;
    }
    void store_header(std::size_t at, Header header) noexcept {
        std::memcpy(memory_.get() + at, &header, sizeof header);
    }
    [[nodiscard]] Header load_header(std::size_t at) const noexcept {
        Header header;
        std::memcpy(&header, memory_.get() + at, sizeof header);
        return header;
    }
    void advance(std::size_t bytes) noexcept {
        read_until_ += bytes;
        read_.store(read_until_, std::memory_order_release);
    }

    std::size_t capacity_;
    std::unique_ptr<std::byte[]> memory_;

    alignas(cache_line) std::uint64_t claimed_ = 0;  // the writer's own
    std::uint64_t read_seen_ = 0;
    std::atomic<std::uint64_t> written_{0};

    alignas(cache_line) std::uint64_t read_until_ = 0;  // the reader's own
    std::uint64_t written_seen_ = 0;
    std::atomic<std::uint64_t> read_{0};
};

}  // namespace gateway::live
