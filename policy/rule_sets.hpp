#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

namespace policy {

/// Many sets of rules that differ little from one another. A rule is its number, from 0.
///
/// Theory of operation. A set is bits, 64 rules to a word and 64 words to a block. A block has a summary of which of its
/// words are not zero, so that an intersection skips up to 4,096 rules at a glance. Rules that are in every set (`base`) are
/// stored once. What else a set has is in nodes, one a block, without the words that are zero; a node with many words is a
/// plain array, base included, which is faster. Equal nodes and equal sets are stored once. So a set that differs from another
/// in one rule costs at most a node (520 bytes) and a reference a block, and mostly far less.
class RuleSets {
public:
    using Set = std::uint32_t;
    using Bits = std::vector<std::uint64_t>;  ///< of all rules, rule n is bit n % 64 of word n / 64
    static constexpr std::size_t words_of_block = 64;
    static constexpr std::size_t rules_of_block = 64 * words_of_block;

    [[nodiscard]] static constexpr std::size_t blocks_for(std::size_t rules) noexcept {
        return (rules + rules_of_block - 1) / rules_of_block;
    }
    [[nodiscard]] static Bits no_bits(std::size_t rules) { return Bits(blocks_for(rules) * words_of_block); }

    /// Precondition: `base` has whole blocks, as `no_bits` makes them.
    explicit RuleSets(Bits base);

    /// The set of `bits` and the base, which equals `like` in all blocks that are not marked in `changed`. Precondition:
    /// `bits` has none of the base.
    [[nodiscard]] Set add(const Bits& bits, Set like, std::span<const std::uint8_t> changed);
    /// The set of just the base.
    static constexpr Set least = 0;
    /// Frees what only `add` needs, which must not follow.
    void finish();

    using BlockWords = std::array<std::uint64_t, words_of_block>;

    /// A block of a set.
    struct Block {
        std::uint64_t summary;  ///< bit n: word n is not zero
        const std::uint64_t* plain;
        std::uint64_t packed_words;  ///< bit n: word n has more bits, in `packed`
        const std::uint64_t* packed;

        [[nodiscard]] std::uint64_t word(int n) const noexcept {
            const auto before = packed_words & ((std::uint64_t{1} << n) - 1);
            const bool has_more = (packed_words >> n & 1) != 0;
            return has_more ? plain[n] | packed[std::popcount(before)] : plain[n];
        }
        /// Clears the bits in `words` that it has not.
        void intersect(BlockWords& words) const noexcept;
    };
    [[nodiscard]] Block block(Set set, std::size_t number) const noexcept {
        const auto node = references_[set + number];
        const auto* const begin = &nodes_[node & ~plain_flag];
        if ((node & plain_flag) != 0) return {*begin, begin + 1, 0, nullptr};
        return {base_summaries_[number] | *begin, &base_[number * words_of_block], *begin, begin + 1};
    }
    [[nodiscard]] std::size_t blocks() const noexcept { return base_summaries_.size(); }

    /// Of memory, after `finish`.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return sizeof(std::uint64_t) * (base_.size() + base_summaries_.size() + nodes_.size()) +
               sizeof(Node) * references_.size();
    }

private:
    using Node =
        std::uint32_t;  ///< place of its summary, which its words follow; with a flag where they are a plain array
    static constexpr Node plain_flag = 0x80000000;
    static constexpr std::size_t most_packed = 16;

    [[nodiscard]] Node node_of(std::span<const std::uint64_t, words_of_block> words, std::size_t block);

    Bits base_;
    std::vector<std::uint64_t> base_summaries_;
    std::vector<std::uint64_t> nodes_;
    std::vector<Node> references_;                                ///< a node for each block of each set
    std::vector<Node> wanted_;                                    ///< those of the set that is added
    boost::unordered_flat_map<std::uint64_t, Node> known_nodes_;  ///< by hash
    boost::unordered_flat_map<std::uint64_t, Set> known_sets_;
};

}  // namespace policy
