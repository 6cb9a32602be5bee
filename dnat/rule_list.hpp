#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <memory>
#include <utility>

#include "dnat/nat_rule.hpp"

namespace dnat {

/// NAT rules that only grow in number.
///
/// A rule neither moves nor changes once it is added. So another thread may read one while more are added, if the number
/// reached it in a way that orders memory: a queue, a lock, an atomic.
class RuleList {
public:
    static constexpr std::uint32_t capacity = 1U << 17;

    /// Precondition: there are less than `capacity`.
    void add(NatRule rule) {
        assert(size_ < capacity);
        auto& chunk = chunks_[size_ / chunk_size];
        if (chunk == nullptr) chunk = std::make_unique<Chunk>();
        (*chunk)[size_ % chunk_size] = std::move(rule);
        ++size_;
    }

    /// Counted from 0, in the order of `add`. Precondition: it was added.
    [[nodiscard]] const NatRule& operator[](std::uint32_t number) const noexcept {
        assert(number < capacity && chunks_[number / chunk_size] != nullptr);
        return (*chunks_[number / chunk_size])[number % chunk_size];
    }
    /// Only for the thread that adds, or while it waits.
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

private:
    static constexpr std::uint32_t chunk_size = 256;
    using Chunk = std::array<NatRule, chunk_size>;

    std::array<std::unique_ptr<Chunk>, capacity / chunk_size> chunks_;
    std::uint32_t size_ = 0;
};

}  // namespace dnat
