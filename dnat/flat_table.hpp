#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "dnat/huge_array.hpp"

namespace dnat {

/// A hash table of flat records that bring their own `key`: a number that is never 0, or what equals its default value never
/// and says by `mixed()` a number in whose upper bits all of it counts.
///
/// Theory of operation. Records lie in the table itself, probed linearly at a load of at most 1/2 and deleted by shifting back:
/// a look-up costs the cache miss of one record, and since its place follows from the key alone, `prefetch` can start that
/// miss early. A hash map of nodes or with a directory would take two or more, one after the other.
template <class Record>
class FlatTable {
public:
    using Key = decltype(Record::key);

    /// Throws std::bad_alloc, as does `operator[]`; then nothing has changed.
    explicit FlatTable(std::size_t expected = 0) : records_(std::bit_ceil(std::max<std::size_t>(expected * 2, 32))) {}

    void prefetch(const Key& key) const noexcept { __builtin_prefetch(&records_[home_of(key)]); }

    [[nodiscard]] const Record* find(const Key& key) const noexcept {
        const auto& record = records_[place_of(key)];
        return record.key == key ? &record : nullptr;
    }
    [[nodiscard]] Record* find(const Key& key) noexcept {
        auto& record = records_[place_of(key)];
        return record.key == key ? &record : nullptr;
    }

    /// The record of `key`, new and zero where there was none. Pointers to others die.
    [[nodiscard]] Record& operator[](const Key& key) {
        auto at = place_of(key);
        if (records_[at].key == key) return records_[at];
        if ((size_ + 1) * 2 > records_.size()) {
            grow();
            at = place_of(key);
        }
        ++size_;
        records_[at].key = key;
        return records_[at];
    }

    /// Pointers to other records die.
    void erase(Record* record) noexcept {
        auto hole = static_cast<std::size_t>(record - &records_[0]);
        // Shift back whatever would not be found any more past the hole (Knuth, TAOCP 3, 6.4 algorithm R).
        for (auto at = next(hole); records_[at].key != Key{}; at = next(at)) {
            const auto mask = records_.size() - 1;
            if (((at - home_of(records_[at].key)) & mask) >= ((at - hole) & mask)) {
                records_[hole] = records_[at];
                hole = at;
            }
        }
        records_[hole] = Record{};
        --size_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    /// The upper bits of a product with 2^64 over the golden ratio (Knuth, TAOCP 3, 6.4): successive keys lie far apart.
    [[nodiscard]] std::size_t home_of(const Key& key) const noexcept {
        const auto places = std::countl_zero(records_.size()) + 1;
        if constexpr (std::is_integral_v<Key>) {
            return key * 0x9e3779b97f4a7c15 >> places;
        } else {
            return key.mixed() >> places;
        }
    }
    [[nodiscard]] std::size_t next(std::size_t at) const noexcept { return (at + 1) & (records_.size() - 1); }
    [[nodiscard]] std::size_t place_of(const Key& key) const noexcept {
        auto at = home_of(key);
        while (records_[at].key != key && records_[at].key != Key{}) at = next(at);
        return at;
    }
    void grow() {
        HugeArray<Record> old{records_.size() * 2};
        std::swap(old, records_);
        for (std::size_t at = 0; at < old.size(); ++at) {
            if (old[at].key != Key{}) records_[place_of(old[at].key)] = old[at];
        }
    }

    HugeArray<Record> records_;
    std::size_t size_ = 0;
};

}  // namespace dnat
