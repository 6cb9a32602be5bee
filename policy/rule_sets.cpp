#include "policy/rule_sets.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace policy {

namespace {

/// The place of `wanted` in `all`, where it is put unless it is there already. `known` has places by hash; different
/// contents of the same hash are under the next one.
template <class Map, class Number>
std::uint32_t place_of(std::span<const Number> wanted, Map& known, std::vector<Number>& all) {
    assert(all.size() < 0x80000000);  // so says the flag of a node
    std::uint64_t hash = wanted.size();
    for (const auto number : wanted) {
        hash = (hash ^ number) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    for (;; ++hash) {
        const auto [entry, is_new] = known.try_emplace(hash, static_cast<std::uint32_t>(all.size()));
        const auto place = entry->second;
        if (is_new) all.insert(all.end(), wanted.begin(), wanted.end());
        const auto stored = std::span{all}.subspan(place);
        if (stored.size() >= wanted.size() && std::ranges::equal(wanted, stored.first(wanted.size()))) return place;
    }
}

}  // namespace

RuleSets::RuleSets(Bits base) : base_(std::move(base)), base_summaries_(base_.size() / words_of_block) {
    assert(base_.size() % words_of_block == 0);
    for (std::size_t word = 0; word < base_.size(); ++word) {
        if (base_[word] != 0) base_summaries_[word / words_of_block] |= std::uint64_t{1} << word % words_of_block;
    }
    const std::vector<std::uint8_t> all_changed(blocks(), 1);
    wanted_.resize(blocks());
    [[maybe_unused]] const auto set = add(Bits(base_.size()), least, all_changed);
    assert(set == least);
}

RuleSets::Set RuleSets::add(const Bits& bits, Set like, std::span<const std::uint8_t> changed) {
    assert(bits.size() == base_.size() && changed.size() == blocks());
    for (std::size_t block = 0; block < blocks(); ++block) {
        const auto words = std::span{bits}.subspan(block * words_of_block).first<words_of_block>();
        wanted_[block] = changed[block] != 0 ? node_of(words, block) : references_[like + block];
    }
    return place_of(std::span<const Node>{wanted_}, known_sets_, references_);
}

RuleSets::Node RuleSets::node_of(std::span<const std::uint64_t, words_of_block> words, std::size_t block) {
    std::array<std::uint64_t, words_of_block + 1> node{};
    std::size_t size = 1;
    for (std::size_t n = 0; n < words_of_block; ++n) {
        if (words[n] == 0) continue;
        node[0] |= std::uint64_t{1} << n;
        node[size++] = words[n];
    }
    if (size <= most_packed + 1) {
        return place_of(std::span<const std::uint64_t>{node.data(), size}, known_nodes_, nodes_);
    }
    node[0] |= base_summaries_[block];
    for (std::size_t n = 0; n < words_of_block; ++n) node[n + 1] = words[n] | base_[block * words_of_block + n];
    return plain_flag | place_of(std::span<const std::uint64_t>{node}, known_nodes_, nodes_);
}

void RuleSets::finish() {
    known_nodes_ = {};
    known_sets_ = {};
    wanted_ = {};
    nodes_.shrink_to_fit();
    references_.shrink_to_fit();
}

void RuleSets::Block::intersect(BlockWords& words) const noexcept {
    const auto before = words;
    for (std::size_t n = 0; n < words_of_block; ++n) words[n] &= plain[n];
    const auto* more = packed;
    for (auto left = packed_words; left != 0; left &= left - 1) {
        const auto n = static_cast<std::size_t>(std::countr_zero(left));
        words[n] |= before[n] & *more++;
    }
}

}  // namespace policy
