#include "policy/interval_index.hpp"

#include <algorithm>
#include <cassert>

namespace policy {

IntervalIndex::IntervalIndex(const std::vector<std::uint32_t>& starts, const std::vector<std::uint32_t>& values)
    : last_{values.back()} {
    assert(starts.size() == values.size() && starts.front() == 0);
    assert(std::ranges::adjacent_find(starts, std::greater_equal{}) == starts.end());
    std::vector<std::uint32_t> firsts;  // of the lines below
    for (std::size_t at = 0; at < starts.size(); at += leaf_size) {
        auto& leaf = leaves_.emplace_back();
        leaf.starts.fill(unused);
        const auto count = std::min(leaf_size, starts.size() - at);
        std::copy_n(&starts[at], count, leaf.starts.begin());
        std::copy_n(&values[at], count, leaf.values.begin());
        firsts.push_back(starts[at]);
    }
    while (firsts.size() > 1) {
        levels_.insert(levels_.begin(), lines_.size());
        std::vector<std::uint32_t> above;
        for (std::size_t at = 0; at < firsts.size(); at += fanout) {
            auto& line = lines_.emplace_back();
            line.starts.fill(unused);
            std::copy_n(&firsts[at], std::min(fanout, firsts.size() - at), line.starts.begin());
            above.push_back(firsts[at]);
        }
        firsts = std::move(above);
    }
}

}  // namespace policy
